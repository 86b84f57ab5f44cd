// Writes and reads of a connection that Node's listening handle has accepted, and Deno's for the npm package.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket as NodeSocket } from "node:net";
import { listen } from "../../src/platform/node_listen.ts";
import type { Socket } from "../../src/platform/ports.ts";

/** More than the buffers of both ends hold, so that the system does not take it at once. */
const LARGE = Uint8Array.from({ length: 16 * 1024 * 1024 }, (_, at) => at * 31 >> 3);

/** Runs with both ends of a connection. The first write of a process differs from the others, so one is written before. */
async function withPair(use: (ends: { near: Socket; far: NodeSocket }) => Promise<void>): Promise<void> {
  const listener = listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  if (listener.addr.transport !== "tcp") throw new Error("not reached");
  const far = connect({ port: listener.addr.port, host: "127.0.0.1", allowHalfOpen: true });
  const closed = once(far, "close");
  far.on("error", () => {}); // Some tests reset the connection.
  try {
    const near = await listener.accept();
    assert.equal(await near.write(Uint8Array.of(1)), 1);
    const [first] = await once(far, "data");
    assert.deepEqual([...first], [1]);
    far.pause();
    await use({ near, far });
    near.close();
  } finally {
    far.destroy();
    await closed;
    listener.close();
  }
}

async function writeAll(socket: Socket, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await socket.write(bytes.subarray(at));
}

Deno.test("A socket of Node writes all to a client that reads late", async () => {
  await withPair(async ({ near, far }) => {
    const writing = writeAll(near, LARGE).then(() => near.closeWrite());
    const pieces: Uint8Array[] = [];
    far.on("data", (piece: Uint8Array) => pieces.push(piece)).resume();
    await Promise.all([writing, once(far, "end")]);
    const all = new Uint8Array(LARGE.length);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    assert.equal(at, LARGE.length);
    assert.deepEqual(all, LARGE);
  });
});

Deno.test("A write of a socket of Node that is under way is rejected by the close", async () => {
  await withPair(async ({ near }) => {
    const writing = writeAll(near, LARGE);
    const failed = assert.rejects(writing);
    near.close();
    await failed;
  });
});

Deno.test("A socket of Node does not write after its close", async () => {
  await withPair(async ({ near }) => {
    near.close();
    await assert.rejects(async () => await near.write(Uint8Array.of(2)));
  });
});

Deno.test("A client of a socket of Node that resets the connection fails the read and the write under way", async () => {
  await withPair(async ({ near, far }) => {
    const reading = assert.rejects(near.read(new Uint8Array(1)));
    const writing = assert.rejects(writeAll(near, LARGE));
    far.resetAndDestroy();
    await Promise.all([reading, writing]);
    await assert.rejects(async () => await near.write(Uint8Array.of(2)));
  });
});

Deno.test("A socket of Node gives arrays of their own, also after reads into other arrays", async () => {
  await withPair(async ({ near, far }) => {
    if (near.readOwn === undefined) return;
    const sent = LARGE.subarray(0, 1_000_000);
    far.write(sent.subarray(0, 100_000));
    const all = new Uint8Array(sent.length);
    const kept: Uint8Array[] = [];
    let at = 0;
    for (let turn = 0; at < sent.length; turn++) {
      if (turn === 1) far.end(sent.subarray(100_000));
      let bytes: Uint8Array | null;
      if (turn % 5 > 0) bytes = await near.readOwn();
      else {
        const into = new Uint8Array(turn + 1);
        const count = await near.read(into);
        bytes = count === null ? null : into.subarray(0, count);
      }
      assert.ok(bytes !== null && bytes.length > 0);
      if (turn % 5 > 0) assert.equal(bytes.buffer.byteLength, bytes.length);
      kept.push(bytes);
      at += bytes.length;
      // What comes while nothing reads is kept, and reading pauses.
      if (turn % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    at = 0;
    for (const bytes of kept) {
      all.set(bytes, at);
      at += bytes.length;
    }
    assert.deepEqual(all, sent);
    assert.equal(await near.readOwn(), null);
  });
});

Deno.test("A read of a socket of Node into an array of its own fails if the client resets the connection", async () => {
  await withPair(async ({ near, far }) => {
    if (near.readOwn === undefined) return;
    const reading = assert.rejects(near.readOwn());
    far.resetAndDestroy();
    await reading;
    await assert.rejects(near.readOwn());
  });
});

Deno.test("A socket of Node gives what came before it was read, in pieces of any size", async () => {
  await withPair(async ({ near, far }) => {
    const sent = LARGE.subarray(0, 300_000);
    far.end(sent);
    const all = new Uint8Array(sent.length);
    let at = 0;
    for (let size = 1;; size = size * 3 % 70_001) {
      const into = new Uint8Array(size);
      const count = await near.read(into);
      if (count === null) break;
      assert.ok(count > 0);
      all.set(into.subarray(0, count), at);
      at += count;
    }
    assert.equal(at, sent.length);
    assert.deepEqual(all, sent);
    assert.equal(await near.read(new Uint8Array(1)), null);
  });
});
