// Faults of one handler or client do not disturb other requests, on real sockets.

import assert from "node:assert/strict";
import type { Handler } from "../../src/message/handler.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { realEngine } from "../helpers/serving.ts";

const used = new Response("used");
await used.text();

/** Faults of handlers, and the status of the answer. */
const FAULTS: Record<string, Handler> = {
  "/throws": () => {
    throw new Error("thrown with a secret");
  },
  "/rejects": () => Promise.reject(new Error("rejected with a secret")),
  "/throws-text": () => {
    throw "only text";
  },
  "/nothing": () => undefined as unknown as Response,
  "/later-nothing": () => Promise.resolve(undefined as unknown as Response),
  "/text": () => "hello" as unknown as Response,
  "/used": () => used,
  "/error": () => Response.error(),
  "/locked": () => {
    const response = new Response("x");
    response.body!.getReader();
    return response;
  },
  "/bad-field": () => new Response("x", { headers: { "content-length": "many" } }),
};

const handler: Handler = (request, info) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/never") return new Promise(() => {});
  if (pathname === "/breaks") {
    let pulls = 0;
    return new Response(
      new ReadableStream({
        pull(controller) {
          if (pulls++ < 3) controller.enqueue(new TextEncoder().encode("piece"));
          else controller.error(new Error("broken with a secret"));
        },
      }),
    );
  }
  const fault = FAULTS[pathname];
  return fault === undefined ? new Response("fine") : fault(request, info);
};

Deno.test("A handler that fails in any way is answered with 500 and logged, and other requests go on", async () => {
  await using real = realEngine(handler);
  using other = await real.connect();
  using client = await real.connect();
  for (const path of Object.keys(FAULTS)) {
    const response = await client.get(path);
    assert.equal(response.status, 500, path);
    assert.equal(bodyText(response), "500 Internal Server Error\n", "no details for the client");
    assert.equal(fieldOf(response, "connection"), null, "the connection goes on");
    assert.equal(bodyText(await other.get("/")), "fine");
    const line = real.lines.at(-1)!;
    assert.ok(line.startsWith(`ERROR GET ${path} failed: `), line);
  }
  assert.equal(real.lines.length, Object.keys(FAULTS).length);
  assert.match(itemAt(real.lines, 0), /thrown with a secret\n\s+at /);
  assert.equal(bodyText(await client.get("/")), "fine");
});

Deno.test("A stream that fails is cut so that the client notices, and logged with its cause", async () => {
  await using real = realEngine(handler);
  using other = await real.connect();
  using client = await real.connect();
  await client.ask("GET", "/breaks");
  const [response] = firstItems(await client.rest(), 1);
  assert.equal(response.isWhole, false);
  assert.equal(bodyText(response), "piecepiecepiece");
  assert.equal(bodyText(await other.get("/")), "fine");
  assert.equal(real.lines.length, 1);
  assert.match(itemAt(real.lines, 0), /^ERROR GET \/breaks was cut off[^]*broken with a secret/);
  await assert.rejects(fetch(`${real.url}/breaks`).then((response) => response.text()));
});

Deno.test("onError is told of a stream that fails after the head, and its answer is ignored", async () => {
  const broken = new Error("broken");
  const breaks: Record<string, () => Response> = {
    "/first": () => new Response(new ReadableStream({ pull: (controller) => controller.error(broken) })),
    "/undefined": () => new Response(new ReadableStream({ pull: (controller) => controller.error() })),
    "/short": () => new Response(ReadableStream.from([new Uint8Array(3)]), { headers: { "content-length": "10" } }),
  };
  const told: unknown[] = [];
  const onError = (error: unknown) => {
    told.push(error);
    return new Response("own", { status: 503 });
  };
  await using real = realEngine((request) => breaks[new URL(request.url).pathname]!(), {}, { onError });
  for (const path of Object.keys(breaks)) {
    using client = await real.connect();
    await client.ask("GET", path);
    const [response] = await client.rest();
    assert.deepEqual([response?.status, response?.isWhole], [200, false], path);
    assert.doesNotMatch(client.text, /own/);
  }
  assert.deepEqual(told.slice(0, 2), [broken, undefined]);
  assert.match(`${told[2]}`, /ResponseBroken: the body ended after 3 of the 10 bytes/);
  assert.deepEqual(real.lines, []);
});

Deno.test("An onError that fails for a broken stream is logged with the stream's own error", async () => {
  const onError = () => {
    throw new Error("onError's own");
  };
  await using real = realEngine(handler, {}, { onError });
  using client = await real.connect();
  await client.ask("GET", "/breaks");
  await client.rest();
  using other = await real.connect();
  while (real.lines.length < 2) await other.get("/");
  assert.match(real.lines[0]!, /^ERROR onError failed too: [^]*onError's own/);
  assert.match(real.lines[1]!, /^ERROR GET \/breaks was cut off[^]*broken with a secret/);
});

Deno.test("A handler that never answers holds only its own connection, until the client leaves", async () => {
  await using real = realEngine(handler, { writeTimeoutMs: 1_000 });
  const waiting = await Promise.all(Array.from({ length: 20 }, () => real.connect()));
  for (const client of waiting) await client.ask("GET", "/never");
  using other = await real.connect();
  assert.equal(bodyText(await other.get("/")), "fine");
  assert.equal(real.engine.live.size, 21);
  for (const client of waiting) client.close();
  while (real.engine.live.size > 1) assert.equal(bodyText(await other.get("/")), "fine");
  assert.deepEqual(real.lines, []);
});

Deno.test("A handler that rejects because its client has left is not logged as an error", async () => {
  let asked = 0;
  await using origin = realEngine(() =>
    new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) }))
  );
  await using real = realEngine(
    async (request) => {
      if (request.url.endsWith("/stream")) return await fetch(origin.url, { signal: request.signal });
      if (request.url.endsWith("/")) return new Response("fine");
      return await new Promise((_, reject) => {
        request.signal.addEventListener("abort", () => reject(request.signal.reason));
      });
    },
    {},
    { onError: () => new Response(`${asked++}`) },
  );
  for (const target of ["/wait", "/stream"]) {
    const client = await real.connect();
    await client.ask("GET", target);
    if (target === "/stream") await client.until("\r\n\r\n");
    client.close();
  }
  using other = await real.connect();
  while (real.engine.live.size > 1) assert.equal(bodyText(await other.get("/")), "fine");
  assert.deepEqual(real.lines, []);
  assert.equal(asked, 0);
});

Deno.test("An onError that fails leads to a 500, and both errors are logged", async () => {
  const failures = [
    () => {
      throw new Error("second");
    },
    () => Promise.reject(new Error("second")),
    () => undefined as unknown as Response,
  ];
  for (const onError of failures) {
    await using real = realEngine(handler, {}, { onError });
    using client = await real.connect();
    assert.equal((await client.get("/throws")).status, 500);
    assert.equal(bodyText(await client.get("/")), "fine");
    assert.equal(real.lines.length, 2);
    assert.match(itemAt(real.lines, 0), /^ERROR onError failed too/);
    assert.match(itemAt(real.lines, 1), /thrown with a secret/);
  }
});

Deno.test("accept sees method, URL and headers, and answers before the body or lets the request pass", async () => {
  await using real = realEngine(async (request) => new Response(await request.text()), {}, {
    accept({ method, url, headers }) {
      if (headers.get("authorization") === "yes") return;
      return new Response(`${method} ${new URL(url).pathname}`, { status: 401 });
    },
  });
  using refused = await real.connect();
  await refused.send("POST /in HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1000000000\r\n\r\n");
  const [response] = firstItems(await refused.responses(1), 1);
  assert.deepEqual([response.status, bodyText(response)], [401, "POST /in"]);
  assert.equal(fieldOf(response, "connection"), "close");
  using allowed = await real.connect();
  await allowed.send("POST / HTTP/1.1\r\nhost: a\r\nauthorization: yes\r\ncontent-length: 2\r\n\r\nhi");
  assert.equal(bodyText(itemAt(await allowed.responses(1), 0)), "hi");
});

Deno.test("Malformed requests get their status and a close, and no request after them is run", async () => {
  let ran = 0;
  await using real = realEngine(() => {
    ran++;
    return new Response("ran");
  });
  const smuggled = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
  const cases: [string, number][] = [
    ["GET / HTTP/1.1\n\n", 400],
    ["GET /\r\n\r\n", 505],
    ["GET / HTTP/2.0\r\n\r\n", 505],
    ["GET / HTTP/1.1\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nhost : a\r\n\r\n", 400],
    ["GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n", 400],
    ["POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400],
    ["POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n", 501],
    ["CONNECT a:80 HTTP/1.1\r\nhost: a:80\r\n\r\n", 501],
    [`GET /${"x".repeat(9_000)} HTTP/1.1\r\nhost: a\r\n\r\n`, 414],
    [`GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(40_000)}\r\n\r\n`, 431],
  ];
  for (const [request, status] of cases) {
    using client = await real.connect();
    await client.send(request + smuggled);
    await client.end();
    const responses = await client.rest();
    assert.deepEqual(responses.map((response) => response.status), [status], JSON.stringify(request.slice(0, 60)));
    assert.equal(fieldOf(itemAt(responses, 0), "connection"), "close");
    assert.equal(client.wasReset, false, "the client gets its answer, not a reset");
  }
  assert.equal(ran, 0);
  assert.deepEqual(real.lines, [], "a client's mistake is no error of ours");
});
