// Uploads on real sockets, and what a page hears of them.

import assert from "node:assert/strict";
import type { ServeOptions } from "../../src/engine/serve_options.ts";
import type { Handler } from "../../src/message/handler.ts";
import { uploadProgress } from "../../src/progress/upload_progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { type Serving, serving } from "../helpers/serving.ts";
import { beginUpload, poll, pollUntil, readAndAnswer } from "../helpers/uploading.ts";

const ID = "holiday-film";
const STARTING = '{"state":"starting","size":-1,"received":0,"rate":0,"eta":-1,"aborted":0,"status":0}';

/** A wrapped application, and a client that asks. */
interface Wrapped extends AsyncDisposable {
  readonly server: Serving;
  readonly uploads: Uploads;
  readonly asking: RawClient;
}

async function wrapped(handler: Handler = readAndAnswer, options: ServeOptions = {}): Promise<Wrapped> {
  const uploads = new Uploads();
  const server = serving(uploadProgress(handler, { uploads }), options);
  const asking = await server.connect();
  return {
    server,
    uploads,
    asking,
    async [Symbol.asyncDispose]() {
      asking.close();
      await server[Symbol.asyncDispose]();
      uploads.close();
    },
  };
}

Deno.test("A throttled upload is seen to grow, and then to be done", async () => {
  await using all = await wrapped();
  const { server, asking } = all;
  assert.equal(bodyText(await asking.get(`/?progress_id=${ID}`)), STARTING);
  using client = await beginUpload(server, `/?progress_id=${ID}`, { size: 500_000 });
  await pollUntil(asking, ID, ({ state, size }) => state === "uploading" && size === 500_000);
  for (let sent = 100_000; sent <= 400_000; sent += 100_000) {
    await client.send(new Uint8Array(100_000));
    const { state, aborted, status } = await pollUntil(asking, ID, ({ received }) => received === sent);
    assert.deepEqual([state, aborted, status], ["uploading", 0, 0]);
  }
  await client.send(new Uint8Array(100_000));
  await client.responses(1);
  const last = await poll(asking, ID);
  assert.deepEqual([last.state, last.received, last.eta, last.status], ["done", 500_000, 0, 200]);
});

Deno.test("A poll is JSON that no cache keeps, also of a HEAD and by the header", async () => {
  await using all = await wrapped();
  const { asking } = all;
  for (
    const [target, fields] of [
      [`/?progress_id=${ID}`, ""],
      [`/a/b?X-Progress-ID=${ID}`, ""],
      ["/", `X-Progress-ID: ${ID}\r\n`],
    ] as const
  ) {
    const response = await asking.get(target, fields);
    assert.equal(response.status, 200);
    assert.equal(fieldOf(response, "content-type"), "application/json");
    assert.equal(fieldOf(response, "cache-control"), "no-store");
    assert.equal(bodyText(response), STARTING);
  }
  await asking.ask("HEAD", `/?progress_id=${ID}`);
  const [head] = firstItems(await asking.responses(1), 1);
  assert.deepEqual([head.status, fieldOf(head, "content-length")], [200, `${STARTING.length}`]);
});

Deno.test("A poll with an id that cannot be one is told what was expected", async () => {
  await using all = await wrapped();
  const { asking } = all;
  for (const id of ["", "short", "x".repeat(65), "not%20good%20at%20all"]) {
    const response = await asking.get(`/?progress_id=${id}`);
    assert.equal(response.status, 400, id);
    assert.equal(fieldOf(response, "cache-control"), "no-store");
    const { error } = JSON.parse(bodyText(response));
    const came = JSON.stringify(decodeURIComponent(id));
    assert.equal(
      error,
      `upload progress: expected an id of 8 to 64 characters (A-Z a-z 0-9 - _), got ${came}`,
    );
  }
  assert.equal((await asking.get("/", `X-Progress-ID: ${ID}\r\nX-Progress-ID: ${ID}\r\n`)).status, 400);
});

Deno.test("An upload with an id that cannot be one is an upload like any other", async () => {
  await using all = await wrapped();
  for (const id of ["", "short", "x".repeat(65), "not%20good"]) {
    using client = await beginUpload(all.server, `/?progress_id=${id}`, { size: 4 });
    await client.send("body");
    assert.equal(itemAt(await client.responses(1), 0).status, 200);
  }
  assert.equal(all.uploads.size, 0);
});

Deno.test("An upload in chunks has no size, and is named by the header as well", async () => {
  await using all = await wrapped();
  using client = await beginUpload(all.server, "/", { fields: `x-progress-id: ${ID}\r\n` });
  await client.send("5\r\nhello\r\n");
  const running = await pollUntil(all.asking, ID, ({ received }) => received === 5);
  assert.deepEqual([running.state, running.size, running.eta], ["uploading", -1, -1]);
  await client.send("0\r\n\r\n");
  await client.responses(1);
  const { state, size, received } = await poll(all.asking, ID);
  assert.deepEqual([state, size, received], ["done", -1, 5]);
});

for (const how of ["close", "end"] as const) {
  Deno.test(`A client that leaves (${how}) is seen to be aborted within a second`, async () => {
    await using all = await wrapped();
    using client = await beginUpload(all.server, `/?progress_id=${ID}`, { size: 1_000_000 });
    await client.send(new Uint8Array(300_000));
    await pollUntil(all.asking, ID, ({ received }) => received === 300_000);
    const leftAt = performance.now();
    await client[how]();
    const { aborted, status, received } = await pollUntil(all.asking, ID, ({ state }) => state === "aborted");
    assert.ok(performance.now() - leftAt < 1_000);
    assert.deepEqual([aborted, status, received], [1, 0, 300_000]);
  });
}

Deno.test("A client that leaves is aborted too if the application does not read the body", async () => {
  const stop = Promise.withResolvers<void>();
  await using all = await wrapped(async () => {
    await stop.promise;
    return new Response("late");
  });
  using client = await beginUpload(all.server, `/?progress_id=${ID}`, { size: 1_000_000 });
  await pollUntil(all.asking, ID, ({ state }) => state === "uploading");
  client.close();
  await pollUntil(all.asking, ID, ({ aborted }) => aborted === 1);
  stop.resolve();
});

Deno.test("An upload that the application refuses is an error with its status", async () => {
  await using all = await wrapped((request) => {
    if (new URL(request.url).pathname === "/401") return new Response("who are you?", { status: 401 });
    if (new URL(request.url).pathname === "/thrown") throw new Error("wanted by the test");
    return readAndAnswer(request);
  }, { onError: () => new Response("failed", { status: 500 }) });
  for (const [path, expected] of [["/401", 401], ["/422", 422], ["/503", 503], ["/thrown", 500]]) {
    const id = `upload-to-${`${path}`.slice(1)}`;
    using client = await beginUpload(all.server, `${path}?progress_id=${id}`, { size: 4 });
    await client.send("body");
    assert.equal(itemAt(await client.responses(1), 0).status, expected);
    const { state, status, aborted } = await poll(all.asking, id);
    assert.deepEqual([state, status, aborted], ["error", expected, 0]);
  }
});

Deno.test("A body that is malformed or too large is an error with the engine's status", async () => {
  await using all = await wrapped(readAndAnswer, { maxBodyBytes: 10 });
  for (const [sent, expected] of [["b\r\nhello world\r\n", 413], ["zz\r\n", 400]] as const) {
    using client = await beginUpload(all.server, `/?progress_id=${ID}`);
    await client.send(sent);
    assert.equal(itemAt(await client.responses(1), 0).status, expected);
    const { state, status } = await pollUntil(all.asking, ID, ({ state }) => state !== "uploading");
    assert.deepEqual([state, status], ["error", expected]);
  }
});

Deno.test("A body that stops short of its length stands still, and is an error once it is too slow", async () => {
  using uploads = new Uploads();
  await using fake = fakeEngine(uploadProgress(readAndAnswer, { uploads }), { minBodyRate: 240 });
  const client = fake.listener.connect();
  client.send(`POST /?progress_id=${ID} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n0123456789`);
  await fake.clock.advance(9_000);
  const { state, received, size } = await uploads.progressOf(ID);
  assert.deepEqual([state, received, size], ["uploading", 10, 100]);
  await fake.clock.advance(2_100);
  const last = await uploads.progressOf(ID);
  assert.deepEqual([last.state, last.status, last.received], ["error", 408, 10]);
});

Deno.test("A body that is read before the application runs is followed by the reader", async () => {
  const uploads = new Uploads();
  const called: string[] = [];
  const handler: Handler = (request) => {
    called.push(request.url);
    return readAndAnswer(request);
  };
  await using server = serving(uploadProgress(handler, { uploads }), { body: "whole", readers: [uploads.reader] });
  using asking = await server.connect();
  for (const size of [600_000, undefined]) {
    using client = await beginUpload(server, `/?progress_id=${ID}`, { size });
    const piece = new Uint8Array(200_000);
    for (let sent = 200_000; sent <= 400_000; sent += 200_000) {
      if (size === undefined) await client.send("30d40\r\n");
      await client.send(piece);
      if (size === undefined) await client.send("\r\n");
      await pollUntil(asking, ID, ({ state, received }) => state === "uploading" && received === sent);
    }
    assert.equal(called.length, 0);
    await client.send(size === undefined ? "0\r\n\r\n" : piece);
    await client.responses(1);
    const { state, received } = await poll(asking, ID);
    assert.deepEqual([state, received, called.length], ["done", size ?? 400_000, 1]);
    called.length = 0;
  }
  using client = await beginUpload(server, `/?progress_id=${ID}`, { size: 100 });
  await client.send("some");
  await pollUntil(asking, ID, ({ received }) => received === 4);
  client.close();
  await pollUntil(asking, ID, ({ aborted }) => aborted === 1);
  assert.equal(called.length, 0);
  uploads.close();
});

Deno.test("An upload that accept() refuses is an error to the reader", async () => {
  const uploads = new Uploads();
  await using server = serving(uploadProgress(readAndAnswer, { uploads }), {
    readers: [uploads.reader],
    accept: ({ method }) => method === "POST" ? new Response("no", { status: 403 }) : null,
  });
  using asking = await server.connect();
  using client = await beginUpload(server, `/?progress_id=${ID}`, { size: 100 });
  await client.responses(1);
  const { state, status, received } = await poll(asking, ID);
  assert.deepEqual([state, status, received], ["error", 403, 0]);
  uploads.close();
});

Deno.test("Every other request goes to the application as it came", async () => {
  await using all = await wrapped(async (request) =>
    new Response(`${request.method} ${request.url} ${await request.text()}`)
  );
  const { server, asking } = all;
  assert.match(bodyText(await asking.get("/page?x=1")), /^GET http:\/\/test\/page\?x=1 $/);
  assert.match(bodyText(await asking.get("/progress?id=12345678")), /^GET .*\/progress\?id=12345678 $/);
  await asking.ask("DELETE", `/?progress_id=${ID}`);
  assert.match(bodyText(itemAt(await asking.responses(1), 0)), /^DELETE /);
  await asking.ask("OPTIONS", `/?progress_id=${ID}`);
  assert.match(bodyText(itemAt(await asking.responses(1), 0)), /^OPTIONS /);
  using client = await beginUpload(server, `/?progress_id=${ID}`, { size: 4, method: "PUT" });
  await client.send("body");
  assert.match(bodyText(itemAt(await client.responses(1), 0)), /^PUT .* body$/);
  assert.equal(all.uploads.size, 1);
});

Deno.test("Under another server polls are answered, and uploads go to the application", async () => {
  using uploads = new Uploads();
  const handler = uploadProgress(async (request: Request) => new Response(await request.text()), { uploads });
  const url = `http://test/?progress_id=${ID}`;
  assert.equal(await (await handler(new Request(url))).text(), STARTING);
  assert.equal((await handler(new Request("http://test/", { headers: { "x-progress-id": "no" } }))).status, 400);
  assert.equal(await (await handler(new Request(url, { method: "POST", body: "sent" }))).text(), "sent");
  assert.equal(await (await handler(new Request("http://test/page"))).text(), "");
  assert.equal(uploads.size, 0);
});

Deno.test("A wrapped handler gets all that it is called with", async () => {
  const handler = uploadProgress((_request: Request, env: { name: string }, more: number) => {
    return new Response(`${env.name} ${more}`);
  });
  assert.equal(await (await handler(new Request("http://test/"), { name: "hono" }, 7)).text(), "hono 7");
});
