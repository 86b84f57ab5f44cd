// How an engine stops on a port on which other processes go on listening.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf, readResponses } from "../helpers/responses.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const hello = () => new Response("hello");
const SHARED = { successors: "same port" } as const;

Deno.test("Connections in the backlog of a shared port are accepted before the listener closes", async () => {
  await using fake = fakeEngine(hello, { lastIdleMs: 1_000 });
  const { listener, engine } = fake;
  const clients = [1, 2, 3].map(() => listener.connect());
  engine.drain(SHARED);
  assert.equal(listener.isClosed, false);
  await settled();
  assert.equal(listener.isClosed, true);
  assert.equal(engine.accepted, 3);
  for (const client of clients) client.send(GET);
  await settled();
  for (const client of clients) assert.match(client.text, /hello$/);
});

Deno.test("Connections of a shared port are closed a moment after the listener", async () => {
  await using fake = fakeEngine(hello, { lastIdleMs: 1_000 });
  const client = fake.listener.connect();
  await settled();
  fake.engine.drain(SHARED);
  await settled();
  client.send(GET);
  await settled();
  assert.equal(fake.engine.isQuiet, false, "it still takes requests");
  await fake.clock.advance(100);
  client.send(GET);
  await settled();
  const { responses } = readResponses(client.bytes, { ended: true });
  assert.deepEqual(responses.map((response) => fieldOf(response, "connection")), [null, "close"]);
  await fake.engine.finished;
  assert.equal(fake.clock.timers, 0);
});

Deno.test("Connections of an engine that is replaced are closed a few at a time", async () => {
  await using fake = fakeEngine(hello, { lastIdleMs: 1_000 });
  const clients = Array.from({ length: 30 }, () => fake.listener.connect());
  await settled();
  fake.engine.drain({ successors: "same socket" });
  const told: number[] = [];
  for (let step = 0; step < 15; step++) {
    await fake.clock.advance(step === 0 ? 0 : 20);
    for (const client of clients) if (!client.isClosed) client.send(GET);
    await settled();
    told.push(clients.filter(({ text }) => text.includes("connection: close")).length);
  }
  assert.deepEqual(told.slice(0, 4), [2, 4, 6, 8]);
  assert.equal(told.at(-1), 30);
  await fake.engine.finished;
  assert.equal(fake.clock.timers, 0);
});

Deno.test("Connections are closed well before the graceful timeout, even a short one", async () => {
  await using fake = fakeEngine(hello, { lastIdleMs: 1_000, gracefulTimeoutMs: 200 });
  const clients = Array.from({ length: 30 }, () => fake.listener.connect());
  await settled();
  fake.engine.drain(SHARED);
  for (let step = 0; step < 12; step++) {
    await settled();
    for (const client of clients) if (!client.isClosed) client.send(GET);
    await fake.clock.advance(10);
  }
  await fake.engine.finished;
  for (const client of clients) assert.match(client.text, /connection: close\r\n\r\nhello$/);
  assert.equal(fake.engine.connectionCounts.cut, 0);
  assert.equal(fake.clock.timers, 0);
});

Deno.test("An abort ends a staggered drain", async () => {
  const fake = fakeEngine(hello, { lastIdleMs: 1_000 });
  const clients = Array.from({ length: 30 }, () => fake.listener.connect());
  await settled();
  fake.engine.drain(SHARED);
  await settled();
  await fake.clock.advance(140);
  fake.engine.abort();
  await fake.engine.finished;
  assert.ok(clients.every(({ isClosed }) => isClosed));
  assert.equal(fake.clock.timers, 0);
});

Deno.test("If connections may not idle, those of a shared port are closed at once", async () => {
  await using fake = fakeEngine(hello);
  const client = fake.listener.connect();
  await settled();
  client.send(GET);
  fake.engine.drain({ ...SHARED, lastIdleMs: 0 });
  await settled();
  const { responses } = readResponses(client.bytes, { ended: true });
  assert.deepEqual(responses.map(bodyText), ["hello"]);
  assert.equal(fieldOf(itemAt(responses, 0), "connection"), "close");
});

Deno.test("An abort closes a shared port at once", async () => {
  const fake = fakeEngine(() => new Promise<never>(() => {}));
  const client = fake.listener.connect();
  await settled();
  client.send(GET);
  await settled();
  fake.engine.drain(SHARED);
  fake.engine.abort();
  await fake.engine.finished;
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.connectionCounts.cut, 1);
  assert.equal(fake.clock.timers, 0);
});

Deno.test("An engine does not end while an accept is under way, and serves the connection that it brings", async () => {
  const fake = fakeEngine(hello);
  const { listener } = fake;
  // The system has taken a connection, and hands it over after the listener was closed.
  const late = Promise.withResolvers<void>();
  const close = listener.close.bind(listener);
  listener.close = () => void late.promise.then(close);
  await settled();
  fake.engine.drain();
  await settled();
  assert.equal(fake.engine.state, "stopping");
  const client = listener.connect();
  client.send(GET);
  await settled();
  assert.match(client.text, /connection: close\r\n\r\nhello$/);
  late.resolve();
  await fake.engine.finished;
});
