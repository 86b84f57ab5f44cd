// Hono and its middleware run unchanged.

import assert from "node:assert/strict";
import { Hono } from "npm:hono@^4";
import { bodyLimit } from "npm:hono@^4/body-limit";
import { compress } from "npm:hono@^4/compress";
import { cors } from "npm:hono@^4/cors";
import { etag } from "npm:hono@^4/etag";
import { logger } from "npm:hono@^4/logger";
import { streamSSE } from "npm:hono@^4/streaming";
import { itemAt } from "../helpers/items.ts";
import { bodyText } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

const lines: string[] = [];

function application(): Hono {
  const app = new Hono();
  app.use(logger((line) => lines.push(line)));
  app.use("/api/*", cors({ origin: "http://front.example" }));
  app.use("/limited", bodyLimit({ maxSize: 10, onError: (c) => c.text("too much", 413) }));
  app.use("/tagged", etag());
  app.use("/small", compress());
  app.get("/", (c) => c.text("hello"));
  app.get("/users/:id", (c) => c.json({ id: c.req.param("id"), q: c.req.query("q"), agent: c.req.header("x-agent") }));
  app.post("/api/json", async (c) => c.json(await c.req.json()));
  app.post("/text", async (c) => c.text((await c.req.text()).toUpperCase()));
  app.post("/form", async (c) => {
    const form = await c.req.parseBody();
    const file = form.file as File;
    return c.json({ title: form.title, name: file.name, size: file.size });
  });
  app.post("/twice", async (c) => c.json([await c.req.text(), await c.req.json()]));
  app.post("/limited", async (c) => c.text(await c.req.text()));
  app.get("/tagged", (c) => c.text("the same"));
  app.get("/small", (c) => c.text("small ".repeat(1_000)));
  app.get("/headers", (c) => c.json(c.req.header()));
  app.get("/events", (c) =>
    streamSSE(c, async (stream) => {
      for (let id = 0; id < 3; id++) await stream.writeSSE({ data: `nr ${id}`, id: `${id}` });
    }));
  app.get("/fails", () => {
    throw new Error("a bad day");
  });
  app.onError((error, c) => c.text(error.message, 500));
  app.notFound((c) => c.text("nothing here", 404));
  return app;
}

for (const body of ["stream", "auto", "whole"] as const) {
  Deno.test(`Hono serves its routes and middleware under "${body}"`, async () => {
    await using served = serving(application().fetch, { body });
    const { url } = served;
    const post = (path: string, init: RequestInit) => fetch(url + path, { method: "POST", ...init });
    const say = async (response: Response | Promise<Response>) => (await response).text();

    assert.equal(await say(fetch(url)), "hello");
    const user = await fetch(`${url}/users/caf%C3%A9?q=a%20b`, { headers: { "x-agent": "me" } });
    assert.deepEqual(await user.json(), { id: "caf\u00e9", q: "a b", agent: "me" });

    const json = await post("/api/json", { body: '{"a":[1,2]}', headers: { origin: "http://front.example" } });
    assert.equal(json.headers.get("access-control-allow-origin"), "http://front.example");
    assert.deepEqual(await json.json(), { a: [1, 2] });
    const preflight = await fetch(`${url}/api/json`, {
      method: "OPTIONS",
      headers: { origin: "http://front.example", "access-control-request-method": "POST" },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.body, null);

    assert.equal(await say(post("/text", { body: "hello" })), "HELLO");
    const form = new FormData();
    form.append("title", "t");
    form.append("file", new File(["0123456789"], "a.txt"));
    assert.deepEqual(await (await post("/form", { body: form })).json(), { title: "t", name: "a.txt", size: 10 });
    assert.deepEqual(await (await post("/twice", { body: "[1]" })).json(), ["[1]", [1]]);

    assert.equal(await say(post("/limited", { body: "0123456789" })), "0123456789");
    const over = await post("/limited", { body: "0123456789a" });
    assert.deepEqual([over.status, await over.text()], [413, "too much"]);
    const chunked = await post("/limited", { body: ReadableStream.from([new Uint8Array(20)]), ...{ duplex: "half" } });
    assert.deepEqual([chunked.status, await chunked.text()], [413, "too much"]);

    const tagged = await fetch(`${url}/tagged`);
    assert.equal(await tagged.text(), "the same");
    const again = await fetch(`${url}/tagged`, { headers: { "if-none-match": tagged.headers.get("etag")! } });
    assert.equal(again.status, 304);
    await again.body?.cancel();

    const small = await fetch(`${url}/small`, { headers: { "accept-encoding": "gzip" } });
    assert.equal(await small.text(), "small ".repeat(1_000));
    assert.equal(await say(fetch(`${url}/events`)), "data: nr 0\nid: 0\n\ndata: nr 1\nid: 1\n\ndata: nr 2\nid: 2\n\n");

    const failed = await fetch(`${url}/fails`);
    assert.deepEqual([failed.status, await failed.text()], [500, "a bad day"]);
    assert.equal((await fetch(`${url}/nowhere`, { method: "HEAD" })).status, 404);
    assert.ok(lines.some((line) => line.includes("POST /form")));
  });
}

Deno.test("Hono answers pipelined raw requests in order", async () => {
  await using served = serving(application().fetch);
  using client = await served.connect();
  for (const target of ["/users/1", "/users/2", "/nowhere", "/"]) await client.ask("GET", target);
  const responses = await client.responses(4);
  assert.deepEqual(responses.map(({ status }) => status), [200, 200, 404, 200]);
  assert.equal(bodyText(itemAt(responses, 3)), "hello");
});
