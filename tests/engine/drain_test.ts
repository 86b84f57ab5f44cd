// How an engine accepts, pauses, drains and stops, without a network and on a clock that the test advances.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf, readResponses } from "../helpers/responses.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
/** One sweep. A deadline is kept no more exactly than that. */
const SWEEP_MS = 500;
const never = () => new Promise<never>(() => {});
const hello = () => new Response("hello");

Deno.test("A drain closes the listener and lets requests finish, with `connection: close` in their answers", async () => {
  const go = Promise.withResolvers<void>();
  await using fake = fakeEngine(async () => {
    await go.promise;
    return new Response("finished");
  });
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  fake.engine.drain();
  await settled();
  assert.equal(fake.listener.isClosed, true);
  assert.equal(fake.engine.state, "stopping");
  await fake.clock.advance(20_000);
  assert.equal(client.isClosed, false);
  go.resolve();
  await fake.engine.finished;
  const [response] = firstItems(readResponses(client.bytes, { ended: true }).responses, 1);
  assert.equal(bodyText(response), "finished");
  assert.equal(fieldOf(response, "connection"), "close");
  assert.equal(fake.engine.state, "stopped");
  assert.equal(fake.engine.connectionCounts.cut, 0);
  assert.equal(fake.clock.timers, 0);
});

Deno.test("A drain without connections is over at once", async () => {
  const fake = fakeEngine(hello);
  fake.engine.drain();
  await fake.engine.finished;
  fake.engine.drain();
  fake.engine.abort();
  assert.equal(fake.engine.state, "stopped");
});

Deno.test("A drain closes idle connections at once", async () => {
  await using fake = fakeEngine(hello);
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  fake.engine.drain();
  await fake.engine.finished;
  assert.equal(client.isClosed, true);
});

Deno.test("A drain gives idle connections the time that it is told to", async () => {
  await using fake = fakeEngine(hello, { lastIdleMs: 1_000 });
  const idle = fake.listener.connect();
  await fake.clock.advance(5_000);
  const fresh = fake.listener.connect();
  fresh.send(GET);
  await settled();
  fake.engine.drain();
  await settled();
  assert.equal(idle.isClosed, true);
  assert.equal(fresh.isClosed, false);
  // A request that was on its way is answered, as the last of its connection.
  fresh.send(GET);
  await settled();
  const { responses } = readResponses(fresh.bytes, { ended: true });
  assert.deepEqual(responses.map((response) => fieldOf(response, "connection")), [null, "close"]);
  assert.equal(fresh.isClosed, true);
  await fake.engine.finished;
});

Deno.test("A drain closes idle connections well before a short graceful timeout", async () => {
  await using fake = fakeEngine(hello, { lastIdleMs: 1_000, gracefulTimeoutMs: 1_000 });
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  await fake.clock.advance(100);
  fake.engine.drain();
  await settled();
  assert.equal(client.isClosed, false, "one more request is waited for");
  await fake.clock.advance(500);
  assert.equal(client.isClosed, true);
  assert.deepEqual(fake.lines, []);
  await fake.engine.finished;
});

Deno.test("A drain cuts the connections that are left at the graceful timeout", async () => {
  await using fake = fakeEngine(never, { gracefulTimeoutMs: 30_000 });
  const clients = [1, 2, 3].map(() => fake.listener.connect());
  for (const client of clients) client.send(GET);
  await settled();
  fake.engine.drain();
  await fake.clock.advance(29_000);
  assert.equal(fake.engine.live.size, 3);
  await fake.clock.advance(1_000);
  await fake.engine.finished;
  assert.equal(fake.engine.connectionCounts.cut, 3);
  assert.ok(clients.every(({ isClosed }) => isClosed));
});

Deno.test("A drain ends even if a client does not take its refusal", async () => {
  await using fake = fakeEngine(hello, { headerTimeoutMs: 100_000, gracefulTimeoutMs: 1_000 });
  const client = fake.listener.connect({ window: 0 });
  client.send("nonsense\r\n\r\n");
  await settled();
  fake.engine.drain();
  await fake.clock.advance(1_000);
  await fake.engine.finished;
  assert.equal(client.isClosed, true);
});

Deno.test("A drain with a delay goes on accepting, and answers 503 at its health path", async () => {
  await using fake = fakeEngine(hello, { drainDelayMs: 5_000, health: "/healthz" });
  const ask = async () => {
    const client = fake.listener.connect();
    client.send("GET /healthz?x=1 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    await settled();
    return itemAt(readResponses(client.bytes, { ended: true }).responses, 0);
  };
  const before = await ask();
  assert.equal(before.status, 200);
  assert.equal(bodyText(before), "serving\n");
  fake.engine.drain();
  assert.equal(fake.listener.isClosed, false);
  const during = await ask();
  assert.equal(during.status, 503);
  assert.equal(fieldOf(during, "cache-control"), "no-store");
  assert.equal(bodyText(during), "draining\n");
  await fake.clock.advance(5_000);
  assert.equal(fake.listener.isClosed, true);
  await fake.engine.finished;
});

Deno.test("The health path answers 200 during a drain if another process takes over", async () => {
  await using fake = fakeEngine(hello, { health: "/healthz", lastIdleMs: 1_000 });
  const client = fake.listener.connect();
  await settled();
  fake.engine.drain({ successors: "same port" });
  client.send("GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n");
  await settled();
  assert.equal(itemAt(readResponses(client.bytes).responses, 0).status, 200);
});

Deno.test("An abort cuts every connection at once, also during a drain or its delay", async () => {
  for (const drainDelayMs of [0, 5_000]) {
    for (const isDraining of [false, true]) {
      const fake = fakeEngine(never, { drainDelayMs });
      const client = fake.listener.connect();
      client.send(GET);
      await settled();
      if (isDraining) fake.engine.drain();
      fake.engine.abort();
      await fake.engine.finished;
      assert.equal(client.isClosed, true);
      assert.equal(fake.listener.isClosed, true);
      assert.equal(fake.clock.timers, 0);
    }
  }
});

Deno.test("Accepting pauses at the connection limit until one ends, and logs that once a second at most", async () => {
  await using fake = fakeEngine(hello, { maxConnections: 2 });
  const clients = Array.from({ length: 6 }, () => fake.listener.connect());
  await settled();
  assert.equal(fake.engine.live.size, 2);
  assert.equal(fake.listener.isAccepting, false);
  assert.equal(fake.listener.waiting, 4);
  assert.equal(fake.engine.pauses, 1);
  for (const client of clients.slice(0, 4)) {
    client.end();
    await settled();
    assert.ok(fake.engine.live.size <= 2);
  }
  assert.equal(fake.engine.accepted, 6);
  assert.equal(fake.engine.pauses, 5);
  assert.equal(fake.lines.length, 1, "five pauses in one moment are one line");
  assert.match(itemAt(fake.lines, 0), /^WARN 2 connections are open/);
  itemAt(clients, 4).end();
  await fake.clock.advance(1_000);
  fake.listener.connect();
  await settled();
  assert.equal(fake.lines.length, 2);
});

Deno.test("A pause of accepting does not delay a drain", async () => {
  await using fake = fakeEngine(hello, { maxConnections: 1 });
  const client = fake.listener.connect();
  fake.listener.connect();
  await settled();
  fake.engine.drain();
  client.end();
  await settled();
  await fake.engine.finished;
  assert.equal(fake.engine.accepted, 1);
  assert.match(
    fake.lines.at(-1)!,
    /^WARN as many connections are open as are allowed: those that wait .* are refused$/,
  );
});

for (const successors of [undefined, "same port"] as const) {
  const others = successors === undefined ? "nothing else" : "another process";
  Deno.test(`A drain ends even if new connections keep coming and ${others} takes them`, async () => {
    await using fake = fakeEngine(hello);
    const { listener } = fake;
    const accept = listener.accept.bind(listener);
    listener.accept = () => {
      if (!listener.isClosed) listener.connect();
      return accept();
    };
    fake.engine.drain({ successors });
    listener.connect();
    await settled();
    assert.equal(listener.isClosed, true);
    assert.ok(fake.engine.accepted > 10);
    const line = "WARN new connections do not stop coming: those that wait to be accepted now are refused";
    assert.deepEqual(fake.lines, successors === undefined ? [line] : []);
  });
}

Deno.test("A failed accept is tried again after a growing pause, and is logged once a second at most", async () => {
  await using fake = fakeEngine(hello);
  const failAgain = () => fake.listener.put(new Error("Too many open files (os error 24)"));
  failAgain();
  await settled();
  assert.equal(fake.listener.isAccepting, false);
  assert.match(itemAt(fake.lines, 0), /^WARN cannot accept, trying again in 50 ms: Too many open files/);
  await fake.clock.advance(49);
  assert.equal(fake.listener.isAccepting, false);
  await fake.clock.advance(1);
  assert.equal(fake.listener.isAccepting, true);
  for (const pauseMs of [100, 200, 400, 800, 1_000, 1_000]) {
    failAgain();
    await fake.clock.advance(pauseMs - 1);
    assert.equal(fake.listener.isAccepting, false, `${pauseMs}`);
    await fake.clock.advance(1);
    assert.equal(fake.listener.isAccepting, true, `${pauseMs}`);
  }
  assert.ok(fake.lines.length <= 5, `${fake.lines.length} lines in 3.5 seconds`);
  // After a successful accept, the next failure begins with a short pause again.
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  assert.match(client.text, /hello$/);
  failAgain();
  await fake.clock.advance(50);
  assert.equal(fake.listener.isAccepting, true);
});

Deno.test("Readers see every phase, including the close of each connection", async () => {
  const seen: string[] = [];
  const readers = [{ see: (connection: { id: number }, phase: string) => void seen.push(`${connection.id} ${phase}`) }];
  await using fake = fakeEngine(hello, {}, { readers });
  const first = fake.listener.connect();
  first.send(GET);
  await settled();
  first.end();
  await settled();
  const second = fake.listener.connect();
  await settled();
  second.reset();
  await settled();
  assert.deepEqual(seen, ["1 idle", "1 header", "1 dispatch", "1 write", "1 idle", "1 closed", "2 idle", "2 closed"]);
});

Deno.test("A reader that throws ends its connection, not the engine", async () => {
  let isArmed = true;
  const readers = [{
    see(_: unknown, phase: string) {
      if (phase === "dispatch" && isArmed) throw new Error("a bad reader");
    },
  }];
  await using fake = fakeEngine(hello, {}, { readers });
  const [first, second] = [fake.listener.connect(), fake.listener.connect()];
  first.send(GET);
  await settled();
  assert.equal(first.isClosed, true);
  assert.match(itemAt(fake.lines, 0), /a bad reader/);
  isArmed = false;
  second.send(GET);
  await settled();
  assert.match(second.text, /hello$/);
});

Deno.test("The Date field is right to a second", async () => {
  await using fake = fakeEngine(hello);
  const client = fake.listener.connect();
  for (let i = 0; i < 3; i++) {
    client.send(GET);
    await fake.clock.advance(10_000);
  }
  const dates = [...client.text.matchAll(/date: (.*)\r\n/g)].map((match) => Date.parse(itemAt(match, 1)));
  assert.equal(dates.length, 3);
  assert.deepEqual([itemAt(dates, 1) - itemAt(dates, 0), itemAt(dates, 2) - itemAt(dates, 1)], [10_000, 10_000]);
});

Deno.test("The sweep runs only while there are connections", async () => {
  const fake = fakeEngine(hello);
  assert.equal(fake.clock.timers, 0);
  const client = fake.listener.connect();
  await settled();
  assert.equal(fake.clock.timers, 1);
  client.end();
  await fake.clock.advance(2 * SWEEP_MS);
  assert.equal(fake.clock.timers, 0);
  const second = fake.listener.connect();
  second.send(GET);
  await settled();
  assert.equal(fake.clock.timers, 1);
  // The pause does not count as idle time of the next connection.
  await fake.clock.advance(60_000);
  assert.equal(second.isClosed, false);
  second.end();
  await settled();
  fake.engine.drain();
  await fake.engine.finished;
  assert.equal(fake.clock.timers, 0);
});
