// TLS connections, made in the native way and in the portable one.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { TlsUpgrade } from "../../src/platform/deno_tls.ts";
import type { Socket } from "../../src/platform/ports.ts";
import { certificates } from "../helpers/certificates.ts";
import { settled } from "../helpers/duplex.ts";

const LARGE = new Uint8Array(3_000_000).map((_, i) => i % 251);

interface Pair {
  socket: Socket;
  /** The client's side, before its handshake. */
  client: Deno.TcpConn;
  ca: string;
}

async function withPair(isPortable: boolean, handshakeTimeoutMs: number, test: (pair: Pair) => Promise<void>) {
  const { ca, cert, key } = await certificates();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const client = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const connection = await accepted;
  const socket = new TlsUpgrade({ cert, key, handshakeTimeoutMs }).start(connection, { isPortable });
  assert.deepEqual(socket.remoteAddr, client.localAddr);
  await test({ socket, client, ca });
}

async function writeAll(to: { write(bytes: Uint8Array): Promise<number> | number }, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

async function readAll(from: { read(into: Uint8Array): Promise<number | null> }): Promise<Uint8Array> {
  const all = new Uint8Array(LARGE.length);
  let at = 0;
  while (at < all.length) {
    const count = await from.read(all.subarray(at));
    assert.notEqual(count, null);
    at += count!;
  }
  return all;
}

for (const isPortable of [false, true]) {
  const way = isPortable ? "portable" : "native";

  Deno.test(`A TLS connection (${way}) carries large data in both directions, and sends a close_notify`, async () => {
    await withPair(isPortable, 10_000, async ({ socket, client, ca }) => {
      const secure = await Deno.startTls(client, { hostname: "localhost", caCerts: [ca] });
      const [taken] = await Promise.all([readAll(socket), writeAll(secure, LARGE)]);
      assert.deepEqual(taken, LARGE);
      const [given] = await Promise.all([readAll(secure), writeAll(socket, LARGE)]);
      assert.deepEqual(given, LARGE);
      socket.close();
      // Without a close_notify this read would fail.
      assert.equal(await secure.read(new Uint8Array(1)), null);
      secure.close();
    });
  });

  Deno.test(`A TLS connection (${way}) that is reset in the middle of a body fails the read`, async () => {
    const { ca, cert, key } = await certificates();
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = listener.accept();
    const raw = connectTcp(listener.addr.port, "127.0.0.1");
    raw.on("error", () => {});
    const socket = new TlsUpgrade({ cert, key, handshakeTimeoutMs: 10_000 }).start(await accepted, { isPortable });
    const secure = connectTls({ socket: raw, servername: "localhost", ca });
    secure.on("error", () => {});
    const into = new Uint8Array(16 * 1024);
    const first = socket.read(into);
    await once(secure, "secureConnect");
    secure.write(LARGE.subarray(0, 300_000));
    await first;
    raw.resetAndDestroy();
    await once(raw, "close");
    await assert.rejects(async () => {
      for (;;) {
        await socket.read(into);
        // The stream is paused for a turn, as it is while an application works on a piece.
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    socket.close();
  });

  Deno.test(`A TLS handshake (${way}) that does not end is closed in time, and a waiting read fails`, async () => {
    await withPair(isPortable, 50, async ({ socket, client }) => {
      await assert.rejects(socket.read(new Uint8Array(1)), /the TLS handshake took more than 50 ms/);
      assert.equal(await client.read(new Uint8Array(1)).catch(() => null), null);
      socket.close();
      client.close();
    });
  });

  Deno.test(`A TLS connection (${way}) that is closed during its handshake is closed for the client`, async () => {
    await withPair(isPortable, 0, async ({ socket, client }) => {
      const reading = assert.rejects(socket.read(new Uint8Array(1)));
      socket.close();
      assert.equal(await client.read(new Uint8Array(1)).catch(() => null), null);
      await reading;
      client.close();
    });
  });

  Deno.test(`A TLS connection (${way}) is closed during a write that its client does not read`, async () => {
    await withPair(isPortable, 10_000, async ({ socket, client, ca }) => {
      const secure = await Deno.startTls(client, { hostname: "localhost", caCerts: [ca] });
      await secure.handshake();
      // More bytes than the system's buffers hold. A write without progress waits for the client.
      let written = 0;
      const broken = assert.rejects(async () => {
        for (;;) written += await socket.write(LARGE);
      });
      for (let seen = -1; seen !== written; await turns(1_000)) seen = written;
      socket.close();
      await broken;
      secure.close();
    });
  });
}

/** Waits for a turn of the event loop. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await settled();
}
