// Bytes and failures of one request do not reach another, without a network.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { itemAt } from "../helpers/items.ts";
import { readResponses } from "../helpers/responses.ts";

Deno.test("A body that arrives during the read-ahead is complete, and no byte of it is taken for a request", async () => {
  const bodies: string[] = [];
  await using fake = fakeEngine(async (request) => {
    bodies.push(await request.text());
    return new Response();
  });
  // Bytes in the buffer of a closed connection must not appear in another connection.
  const before = fake.listener.connect();
  before.send("GET /secret HTTP/1.1\r\nhost: a\r\ncookie: secret\r\n\r\n");
  await settled();
  before.end();
  await settled();
  const client = fake.listener.connect();
  client.send("POST /1 HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  await settled();
  client.send(
    `5\r\nhello\r\n0\r\n\r\nPOST /2 HTTP/1.1\r\nhost: a\r\ncontent-length: 12000\r\n\r\n${"b".repeat(10_000)}`,
  );
  await settled();
  client.send("b".repeat(2_000));
  await settled();
  assert.deepEqual(bodies.map((body) => body.length), [0, 5, 12_000]);
});

Deno.test("A client that resets while its first answer is written causes no unhandled rejection", async () => {
  await using fake = fakeEngine((request) => {
    if (request.url.endsWith("/1")) return new Response("x");
    return new Promise<Response>((_, reject) => {
      request.signal.addEventListener("abort", () => reject(request.signal.reason));
    });
  });
  const client = fake.listener.connect({ window: 10 });
  client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
  await settled();
  assert.equal(client.isWritten, true, "the first answer waits while the second is made");
  client.reset();
  await settled();
  await fake.clock.advance(2_000);
  assert.equal(fake.engine.live.size, 0);
  assert.deepEqual(fake.lines, []);
});

Deno.test("The engine answers the health path even if the application's accept refuses everything", async () => {
  await using fake = fakeEngine(() => new Response("app"), { health: "/healthz" }, {
    accept: () => new Response("no", { status: 401 }),
  });
  const client = fake.listener.connect();
  client.send(
    "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\nGET http://a/healthz HTTP/1.1\r\nhost: a\r\n\r\nGET /x HTTP/1.1\r\nhost: a\r\n\r\n",
  );
  await settled();
  assert.deepEqual(readResponses(client.bytes).responses.map(({ status }) => status), [200, 200, 401]);
});

Deno.test("A handler's answer of 101 is sent as 501 and logged in one line", async () => {
  await using fake = fakeEngine(() =>
    ({ status: 101, headers: new Headers(), body: null, statusText: "" }) as Response
  );
  const client = fake.listener.connect();
  client.send("GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
  // The first request of a process that asks for an upgrade loads a module.
  await client.until(({ text }) => text.includes("501"));
  await settled();
  assert.equal(itemAt(readResponses(client.bytes).responses, 0).status, 501);
  assert.equal(fake.lines.length, 1);
});
