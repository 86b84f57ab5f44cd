// How long a client may take in each phase, on a clock that the test advances.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { readResponses } from "../helpers/responses.ts";
import type { Client } from "../helpers/duplex.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const never = () => new Promise<never>(() => {});
const hello = () => new Response("hello");
/** One sweep and a second look. A deadline is kept no more exactly than that. */
const SWEEP_MS = 550;

function statuses(client: Client): number[] {
  return readResponses(client.bytes, { ended: client.ended }).responses.map(({ status }) => status);
}

Deno.test("A head that is not complete in time is answered with 408, and the connection closes", async () => {
  await using fake = fakeEngine(hello, { headerTimeoutMs: 10_000 });
  const client = fake.listener.connect();
  await fake.clock.advance(5_000);
  // The time counts from the first byte. Further bytes do not restart it.
  client.send("GET / HTTP/1.1\r\n");
  await fake.clock.advance(9_000);
  client.send("host: a\r\n");
  assert.equal(client.isClosed, false);
  await fake.clock.advance(1_000 + 2 * SWEEP_MS);
  assert.deepEqual(statuses(client), [408]);
  assert.match(client.text, /connection: close/);
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.live.size, 0);
});

Deno.test("A client whose head is complete is not blamed for a slow accept()", async () => {
  const go = Promise.withResolvers<void>();
  await using fake = fakeEngine(hello, { headerTimeoutMs: 10_000 }, { accept: () => go.promise });
  const client = fake.listener.connect();
  client.send(GET);
  await fake.clock.advance(30_000);
  assert.equal(client.text, "");
  go.resolve();
  await settled();
  assert.deepEqual(statuses(client), [200]);
});

Deno.test("A connection without a request is closed after the keep-alive time, without an answer", async () => {
  await using fake = fakeEngine(hello, { keepAliveMs: 65_000 });
  const silent = fake.listener.connect();
  const busy = fake.listener.connect();
  busy.send(GET);
  await fake.clock.advance(60_000);
  busy.send(GET);
  await fake.clock.advance(5_000 + SWEEP_MS);
  assert.equal(silent.isClosed, true);
  assert.equal(silent.text, "");
  assert.equal(busy.isClosed, false);
  await fake.clock.advance(60_000 + SWEEP_MS);
  assert.equal(busy.isClosed, true);
  assert.deepEqual(statuses(busy), [200, 200]);
});

Deno.test("A keep-alive time of 0 closes each connection after its answer", async () => {
  await using fake = fakeEngine(hello, { keepAliveMs: 0 });
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  assert.match(client.text, /connection: close/);
  assert.equal(client.isClosed, true);
});

for (const body of ["stream", "auto", "whole"] as const) {
  Deno.test(`A body below the minimum rate is answered with 408, a slow one above it is read, under "${body}"`, async () => {
    await using fake = fakeEngine(async (request) => new Response(`${(await request.bytes()).length}`), {
      body,
      minBodyRate: 240,
    });
    const head = "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 30000\r\n\r\n";
    const [trickle, honest] = [fake.listener.connect(), fake.listener.connect()];
    trickle.send(head);
    honest.send(head);
    for (let second = 0; second < 100; second++) {
      if (!trickle.isClosed) trickle.send("x".repeat(100));
      honest.send("x".repeat(300));
      await fake.clock.advance(1_000);
      if (second === 9) assert.equal(trickle.isClosed, false, "the first ten seconds are free");
    }
    assert.deepEqual(statuses(trickle), [408]);
    assert.equal(trickle.isClosed, true);
    assert.deepEqual(statuses(honest), [200]);
    assert.match(honest.text, /30000$/);
  });
}

Deno.test("A chunked body below the minimum rate is answered with 408", async () => {
  await using fake = fakeEngine(async (request) => new Response(await request.text()));
  const client = fake.listener.connect();
  client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  for (let second = 0; second < 15 && !client.isClosed; second++) {
    client.send("1\r\nx\r\n");
    await fake.clock.advance(1_000);
  }
  assert.deepEqual(statuses(client), [408]);
});

Deno.test("The write timeout is not reset by incoming bytes, and does not count the time of a slow handler", async () => {
  const go = Promise.withResolvers<void>();
  await using fake = fakeEngine(async (request) => {
    if (request.method === "GET") await go.promise;
    else (async () => assert.ok(await request.text()))().catch(() => {});
    return new Response("x".repeat(1_000));
  }, { writeTimeoutMs: 5_000 });
  const [sending, waiting] = [fake.listener.connect({ window: 0 }), fake.listener.connect({ window: 0 })];
  sending.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n");
  waiting.send(GET);
  for (let second = 0; second < 8; second++) {
    if (!sending.isClosed) sending.send("x".repeat(300));
    await fake.clock.advance(1_000);
  }
  assert.equal(sending.isClosed, true);
  go.resolve();
  await fake.clock.advance(4_000);
  assert.equal(waiting.isClosed, false);
  await fake.clock.advance(2_000);
  assert.equal(waiting.isClosed, true);
});

Deno.test("A client is not blamed for a body that the application does not read", async () => {
  const go = Promise.withResolvers<void>();
  await using fake = fakeEngine(async (request) => {
    await go.promise;
    return new Response(await request.text());
  });
  const client = fake.listener.connect();
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
  await fake.clock.advance(120_000);
  go.resolve();
  await settled();
  client.send("hello");
  await settled();
  assert.deepEqual(statuses(client), [200]);
});

Deno.test("A handler that reads a body below the minimum rate gets the reason", async () => {
  let caught: unknown;
  await using fake = fakeEngine(async (request) => {
    try {
      await request.text();
    } catch (error) {
      caught = error;
    }
    return new Response("never seen");
  });
  const client = fake.listener.connect();
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n");
  await fake.clock.advance(12_000);
  assert.deepEqual(statuses(client), [408]);
  assert.equal((caught as { code?: string }).code, "too-slow");
});

Deno.test("A minimum rate of 0 accepts every body", async () => {
  await using fake = fakeEngine(async (request) => new Response(await request.text()), { minBodyRate: 0 });
  const client = fake.listener.connect();
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n");
  await fake.clock.advance(600_000);
  client.send("x");
  await settled();
  assert.deepEqual(statuses(client), [200]);
});

Deno.test("A client that takes nothing of its answer is cut after the write timeout, a slow one is not", async () => {
  await using fake = fakeEngine(() => new Response("x".repeat(100_000)), { writeTimeoutMs: 60_000 });
  const [stuck, slow] = [fake.listener.connect({ window: 1_000 }), fake.listener.connect({ window: 1_000 })];
  stuck.send(GET);
  slow.send(GET);
  for (let second = 0; second < 120; second++) {
    if (second % 50 === 0) slow.allow(1_000);
    await fake.clock.advance(1_000);
    if (second === 58) assert.equal(stuck.isClosed, false);
  }
  assert.equal(stuck.isClosed, true);
  assert.equal(stuck.bytes.length, 1_000);
  assert.equal(slow.isClosed, false);
  slow.allow(1_000_000);
  await settled();
  assert.deepEqual(statuses(slow), [200]);
});

Deno.test("A stream that a client does not take is cut after the write timeout, and cancelled", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using fake = fakeEngine(() =>
    new Response(
      new ReadableStream({
        pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
        cancel: () => cancelled.resolve(),
      }),
    ), { writeTimeoutMs: 5_000 });
  const client = fake.listener.connect({ window: 10_000 });
  client.send(GET);
  await fake.clock.advance(6_000);
  await cancelled.promise;
  assert.equal(client.isClosed, true);
  assert.deepEqual(fake.lines, [], "a slow client is not an error of the server");
});

Deno.test("A stream without data for a long time does not end the connection", async () => {
  const { stream, close } = (() => {
    let controller!: ReadableStreamDefaultController;
    return {
      stream: new ReadableStream({ start: (given) => void (controller = given) }),
      close: () => controller.close(),
    };
  })();
  await using fake = fakeEngine(() => new Response(stream));
  const client = fake.listener.connect();
  client.send(GET);
  await fake.clock.advance(600_000);
  assert.equal(client.isClosed, false);
  close();
  await settled();
  assert.deepEqual(statuses(client), [200]);
});

Deno.test("A body that the handler did not read is read away for a second, then the connection closes", async () => {
  await using fake = fakeEngine(hello);
  const client = fake.listener.connect();
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n");
  await settled();
  assert.deepEqual(statuses(client), [200]);
  await fake.clock.advance(900);
  assert.equal(client.isClosed, false);
  client.send("x");
  await fake.clock.advance(100 + 2 * SWEEP_MS);
  assert.equal(client.isClosed, true);
});

Deno.test("A connection that was refused and stays open is closed after a second", async () => {
  await using fake = fakeEngine(hello);
  const client = fake.listener.connect();
  client.send("nonsense\r\n\r\n");
  await settled();
  assert.deepEqual(statuses(client), [400]);
  assert.equal(client.ended, true);
  await fake.clock.advance(1_000 + 2 * SWEEP_MS);
  assert.equal(client.isClosed, true);
});

Deno.test("A client that has ended its side is given up after the write timeout if the handler never answers", async () => {
  const aborted = Promise.withResolvers<void>();
  await using fake = fakeEngine((request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    return never();
  }, { writeTimeoutMs: 20_000 });
  const client = fake.listener.connect();
  client.send(GET);
  client.end();
  await aborted.promise;
  await fake.clock.advance(20_000);
  assert.equal(client.isClosed, false);
  await fake.clock.advance(2 * SWEEP_MS);
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.live.size, 0);
});

Deno.test("A client that has ended its side gets a stream for as long as the stream makes progress", async () => {
  let controller!: ReadableStreamDefaultController;
  await using fake = fakeEngine(
    () => new Response(new ReadableStream({ start: (given) => void (controller = given) })),
    { writeTimeoutMs: 2_000 },
  );
  const client = fake.listener.connect();
  client.send(GET);
  client.end();
  for (let i = 0; i < 20; i++) {
    await fake.clock.advance(500);
    controller.enqueue(new TextEncoder().encode("x"));
  }
  assert.equal(client.isClosed, false);
  await fake.clock.advance(3_000);
  assert.equal(client.isClosed, true);
});

Deno.test("A client whose refusal cannot be sent is cut", async () => {
  await using fake = fakeEngine(hello, { headerTimeoutMs: 1_000 });
  const client = fake.listener.connect({ window: 0 });
  client.send("GET /");
  await fake.clock.advance(1_000 + 4 * SWEEP_MS);
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.live.size, 0);
});
