// WebSockets and the engine: deadlines, drains, what an operator sees, and clients that take nothing.

import assert from "node:assert/strict";
import { factsOf } from "../../src/inspect/dump.ts";
import { accessLog } from "../../src/inspect/access_log.ts";
import type { Handler } from "../../src/message/handler.ts";
import { OPCODE } from "../../src/wire/websocket_codes.ts";
import type { Socket } from "../../src/platform/ports.ts";
import { Client, settled } from "../helpers/duplex.ts";
import { type FakeEngine, fakeEngine } from "../helpers/fake_engine.ts";
import { itemAt } from "../helpers/items.ts";
import { closing, frame, handshake, readFrames, type ServerFrame } from "../helpers/web_sockets.ts";

interface Told {
  sockets: WebSocket[];
  closed: { code: number; reason: string; wasClean: boolean }[];
}

/** Upgrades everything, and notes how sockets end. */
function upgrading(options: Deno.UpgradeWebSocketOptions = {}, use: (socket: WebSocket) => void = () => {}) {
  const told: Told = { sockets: [], closed: [] };
  const handler: Handler = (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    told.sockets.push(socket);
    socket.onclose = ({ code, reason, wasClean }) => told.closed.push({ code, reason, wasClean });
    use(socket);
    return response;
  };
  return { told, handler };
}

/** Connects and shakes hands. */
async function connect(fake: FakeEngine, options: { window?: number } = {}): Promise<Client> {
  const client = fake.listener.connect(options);
  client.send(handshake());
  await client.until(({ text }) => text.includes("\r\n\r\n"));
  await settled();
  return client;
}

function framesOf(client: Client): ServerFrame[] {
  return readFrames(client.bytes.subarray(client.text.indexOf("\r\n\r\n") + 4));
}

function codeOf(frames: readonly ServerFrame[]): number {
  const { opcode, payload: [high = 0, low = 0] } = itemAt(frames, frames.length - 1);
  assert.equal(opcode, OPCODE.close);
  return high << 8 | low;
}

// serve() replaces the function; an engine alone does not.
const { replaceUpgrade } = await import("../../src/engine/upgrade_web_socket.ts");
replaceUpgrade();

Deno.test("A silent client gets a ping after half of the idle timeout, and counts as gone after all of it", async () => {
  const { told, handler } = upgrading({ idleTimeout: 30 });
  await using fake = fakeEngine(handler);
  const client = await connect(fake);
  await fake.clock.advance(14_000);
  assert.deepEqual(framesOf(client), []);
  await fake.clock.advance(2_000);
  assert.deepEqual(framesOf(client).map(({ opcode }) => opcode), [OPCODE.ping]);
  client.send(frame({ opcode: OPCODE.pong }));
  await fake.clock.advance(28_000);
  assert.equal(client.isClosed, false);
  assert.deepEqual(framesOf(client).map(({ opcode }) => opcode), [OPCODE.ping, OPCODE.ping]);
  await fake.clock.advance(4_000);
  assert.equal(client.isClosed, true);
  assert.deepEqual(told.closed, [{ code: 1001, reason: "No response from ping frame.", wasClean: false }]);
  assert.equal(fake.engine.live.size, 0);
});

Deno.test("A client may be silent for ever if the idle timeout is 0", async () => {
  const { handler } = upgrading({ idleTimeout: 0 });
  await using fake = fakeEngine(handler);
  const client = await connect(fake);
  await fake.clock.advance(3_600_000);
  assert.equal(client.isClosed, false);
  assert.deepEqual(framesOf(client), []);
});

Deno.test("A client that does not answer Close is cut, at once if it is silent and in time if it is not", async () => {
  const { told, handler } = upgrading({ idleTimeout: 0 });
  await using fake = fakeEngine(handler);
  const silent = await connect(fake);
  const talking = await connect(fake);
  for (const socket of told.sockets) socket.close(4000);
  await fake.clock.advance(4_000);
  talking.send(frame({ payload: "not yet" }));
  await fake.clock.advance(2_000);
  assert.deepEqual([silent.isClosed, talking.isClosed], [true, false]);
  for (let i = 0; i < 20; i++) {
    talking.send(frame({ payload: "not yet" }));
    await fake.clock.advance(1_500);
  }
  assert.equal(talking.isClosed, true);
  assert.deepEqual(told.closed.map(({ code, wasClean }) => [code, wasClean]), [[1006, false], [1006, false]]);
});

for (const [how, successors, code] of [["stop", undefined, 1001], ["reload", "same port", 1012]] as const) {
  Deno.test(`On a ${how} the application hears of it first, clients are told ${code}, and the engine waits for them`, async () => {
    const order: string[] = [];
    const { told, handler } = upgrading();
    await using fake = fakeEngine((request, info) => {
      const response = handler(request, info);
      const socket = itemAt(told.sockets, told.sockets.length - 1);
      info.leaving.addEventListener("abort", () => socket.send("goodbye"), { once: true });
      socket.addEventListener("close", () => order.push("closed"));
      return response;
    }, { gracefulTimeoutMs: 10_000 });
    fake.engine.finished.then(() => order.push("finished"));
    const client = await connect(fake);
    fake.engine.drain({ successors, lastIdleMs: 1_000 });
    await fake.clock.advance(1_000);
    const frames = framesOf(client);
    assert.deepEqual(frames.map(({ opcode }) => opcode), [OPCODE.text, OPCODE.close]);
    assert.equal(codeOf(frames), code);
    assert.deepEqual(order, []);
    client.send(frame({ opcode: OPCODE.close, payload: closing(code) }));
    await fake.clock.advance(1_000);
    assert.deepEqual(order, ["closed", "finished"]);
    assert.deepEqual(told.closed, [{ code, reason: "", wasClean: true }]);
    assert.deepEqual(fake.engine.connectionCounts, { finished: 1, cut: 0, refused: 0 });
  });
}

Deno.test("A socket that opens during a drain is told at once", async () => {
  const go = Promise.withResolvers<void>();
  const { handler } = upgrading();
  await using fake = fakeEngine(async (request, info) => {
    await go.promise;
    return handler(request, info);
  });
  const client = fake.listener.connect();
  client.send(handshake());
  await settled();
  fake.engine.drain();
  go.resolve();
  await client.until(() => framesOf(client).length > 0);
  assert.equal(codeOf(framesOf(client)), 1001);
});

Deno.test("Sockets that do not go in the graceful timeout are cut", async () => {
  const { told, handler } = upgrading();
  await using fake = fakeEngine(handler, { gracefulTimeoutMs: 3_000 });
  const client = await connect(fake);
  fake.engine.drain();
  await fake.clock.advance(3_500);
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.connectionCounts.cut, 1);
  assert.deepEqual(told.closed.map(({ code }) => code), [1006]);
});

Deno.test("The dump and the access log show messages and bytes of both directions", async () => {
  const lines: string[] = [];
  const { handler } = upgrading({}, (socket) => socket.onmessage = ({ data }) => socket.send(`${data}${data}`));
  let fake: FakeEngine | null = null;
  const now = () => fake?.clock.now() ?? 0;
  const log = accessLog({ format: "short", write: (line) => lines.push(line), now, date: now });
  const json = accessLog({ format: "json", write: (line) => lines.push(line), now, date: now });
  await using running = fakeEngine(handler, {}, { readers: [log, json] });
  fake = running;
  const client = await connect(running);
  client.send(frame({ payload: "abc" }));
  client.send(frame({ payload: "de" }));
  await client.until(() => framesOf(client).length === 2);
  const [connection] = [...running.engine.live];
  const facts = factsOf(connection!, connection!.note, running.clock.now());
  assert.deepEqual([facts.phase, facts.method, facts.path, facts.messages], ["upgraded", "GET", "/", {
    received: 2,
    sent: 2,
  }]);
  assert.deepEqual(facts.body, { received: 9 + 8, size: -1 });
  assert.equal(facts.written, client.bytes.length);
  assert.deepEqual(lines, []);
  await running.clock.advance(2_000);
  client.send(frame({ opcode: OPCODE.close, payload: closing(1000) }));
  await client.closed;
  await settled();
  assert.equal(lines[0], "127.0.0.1 GET / 101 18 2000.0 ms messages=2/2 received=25\n");
  const { status, messages_received, messages_sent, bytes, bytes_received } = JSON.parse(lines[1] ?? "");
  assert.deepEqual([status, messages_received, messages_sent, bytes, bytes_received], [101, 2, 2, 18, 25]);
});

Deno.test("A client that takes nothing is not read any more, and is cut after the write timeout", async () => {
  const { told, handler } = upgrading({ idleTimeout: 0 }, (socket) => {
    socket.onmessage = ({ data }) => socket.send(data);
  });
  await using fake = fakeEngine(handler, { writeTimeoutMs: 60_000 });
  const client = await connect(fake, { window: 1_000 });
  const message = frame({ opcode: OPCODE.binary, payload: new Uint8Array(1_000_000) });
  for (let i = 0; i < 40; i++) {
    client.send(message);
    await settled();
  }
  await settled();
  assert.ok(client.taken < 20_000_000, `${client.taken} bytes were read`);
  assert.ok(itemAt(told.sockets, 0).bufferedAmount < 20_000_000);
  await fake.clock.advance(62_000);
  assert.equal(client.isClosed, true);
  assert.deepEqual(told.closed.map(({ code }) => code), [1006]);
});

Deno.test("An application that sends more than a client takes ends with a close, not with memory gone", async () => {
  const { told, handler } = upgrading();
  await using fake = fakeEngine(handler);
  const client = await connect(fake, { window: 1_000 });
  const socket = itemAt(told.sockets, 0);
  const errors: string[] = [];
  socket.onerror = (event) => errors.push((event as ErrorEvent).message);
  let sent = 0;
  for (; socket.readyState === socket.OPEN && sent < 1_000; sent++) socket.send(new Uint8Array(1_000_000));
  await settled();
  assert.ok(sent < 100 || socket.readyState !== socket.OPEN, `${sent}`);
  assert.equal(client.isClosed, true);
  assert.deepEqual(told.closed.map(({ code, wasClean }) => [code, wasClean]), [[1006, false]]);
  assert.match(itemAt(errors, 0), /more than 67108864 bytes wait for the client/);
});

Deno.test("A flood of pings is answered while the client takes the answers, and the last one afterwards", async () => {
  const { handler } = upgrading({ idleTimeout: 0 });
  await using fake = fakeEngine(handler);
  const client = await connect(fake, { window: 200 });
  for (let i = 0; i < 5_000; i++) client.send(frame({ opcode: OPCODE.ping, payload: `${i}`.padStart(125, "0") }));
  await client.until((client) => client.taken > 5_000 * 131);
  await settled();
  client.allow(10_000_000);
  await client.until(() => framesOf(client).length > 500);
  await settled();
  const pongs = framesOf(client);
  assert.ok(pongs.length < 1_000, `${pongs.length} pongs waited`);
  assert.equal(new TextDecoder().decode(pongs.at(-1)?.payload), "4999".padStart(125, "0"));
});

Deno.test("Blobs count among what waits for a client that takes nothing", async () => {
  const { told, handler } = upgrading();
  await using fake = fakeEngine(handler);
  const client = await connect(fake, { window: 1_000 });
  const socket = itemAt(told.sockets, 0);
  const blob = new Blob([new Uint8Array(1_000_000)]);
  for (let sent = 0; sent < 100; sent++) socket.send(blob);
  await settled();
  assert.equal(client.isClosed, true);
  assert.deepEqual(told.closed.map(({ code, wasClean }) => [code, wasClean]), [[1006, false]]);
});

Deno.test("A client that takes its time over what waits before the Close frame is not cut", async () => {
  const { told, handler } = upgrading({ idleTimeout: 30 });
  await using fake = fakeEngine(handler);
  const client = await connect(fake, { window: 1_000 });
  const socket = itemAt(told.sockets, 0);
  socket.send(new Uint8Array(2_000_000));
  socket.close(4000);
  for (let i = 0; i < 20; i++) {
    await fake.clock.advance(3_000);
    client.allow(100_000);
  }
  await client.until(() => framesOf(client).length === 2);
  assert.equal(codeOf(framesOf(client)), 4000);
  client.send(frame({ opcode: OPCODE.close, payload: closing(4000) }));
  await client.closed;
  assert.deepEqual(told.closed, [{ code: 4000, reason: "", wasClean: true }]);
});

Deno.test("A client that takes a long message slowly is not silent", async () => {
  const { told, handler } = upgrading({ idleTimeout: 30 });
  await using fake = fakeEngine(handler);
  const client = await connect(fake, { window: 1_000 });
  itemAt(told.sockets, 0).send(new Uint8Array(2_000_000));
  for (let i = 0; i < 30; i++) {
    await fake.clock.advance(3_000);
    client.allow(50_000);
  }
  assert.equal(client.isClosed, false);
  assert.deepEqual(told.closed, []);
  // It counts as gone when it takes nothing more.
  await fake.clock.advance(32_000);
  assert.deepEqual(told.closed.map(({ code }) => code), [1001]);
});

Deno.test("A client that speaks at the last moment and leaves later has left without a Close frame", async () => {
  let survived = 0;
  // A sweep that finds a connection overdue looks once more before it cuts. One of these moments is between both.
  for (let moment = 30_000; moment <= 32_000; moment += 50) {
    const { told, handler } = upgrading({ idleTimeout: 30 });
    await using fake = fakeEngine(handler);
    const client = await connect(fake);
    await fake.clock.advance(moment);
    if (client.isClosed) continue;
    client.send(frame({ payload: "here" }));
    await fake.clock.advance(2_000);
    if (client.isClosed) continue;
    survived++;
    client.reset();
    await settled();
    assert.deepEqual(told.closed.map(({ code }) => code), [1006], `${moment}`);
  }
  assert.ok(survived > 0);
});

Deno.test("A connection whose writes fail is closed, also while nothing can be read", async () => {
  const { told, handler } = upgrading();
  await using fake = fakeEngine(handler);
  const client = new Client();
  let areBroken = false;
  fake.listener.put({
    __proto__: client.socket,
    read: (into: Uint8Array) => client.socket.read(into),
    write: (bytes: Uint8Array) => areBroken ? Promise.reject(new Error("timed out")) : client.socket.write(bytes),
    closeWrite: () => client.socket.closeWrite(),
    close: () => client.socket.close(),
  } as unknown as Socket);
  client.send(handshake());
  await client.until(({ text }) => text.includes("\r\n\r\n"));
  await settled();
  areBroken = true;
  itemAt(told.sockets, 0).send("lost");
  await settled();
  assert.deepEqual(told.closed.map(({ code }) => code), [1006]);
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.live.size, 0);
});
