// `serve` with a certificate, over real TLS.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { serve } from "../../src/engine/serve.ts";
import type { ServeOptions } from "../../src/engine/serve_options.ts";
import type { Handler } from "../../src/message/handler.ts";
import { certificates } from "../helpers/certificates.ts";

async function withTls(handler: Handler, test: (port: number, ca: string) => Promise<void>, more: ServeOptions = {}) {
  const { ca, cert, key } = await certificates();
  const stop = new AbortController();
  const options = { port: 0, hostname: "127.0.0.1", onListen() {}, signal: stop.signal, cert, key, ...more };
  const server = serve(options, handler);
  try {
    await test((server.addr as { port: number }).port, ca);
  } finally {
    stop.abort();
    await server.finished;
  }
}

Deno.test("TLS: fetch sends large uploads and gets large answers, and handlers see https URLs", async () => {
  await withTls(async (request) => {
    const body = await request.bytes();
    return new Response(`${request.url} ${body.length} ${"x".repeat(200_000)}`);
  }, async (port, ca) => {
    using client = Deno.createHttpClient({ caCerts: [ca] });
    for (const size of [0, 10, 1_000_000]) {
      const response = await fetch(`https://localhost:${port}/x`, {
        method: "POST",
        body: new Uint8Array(size),
        client,
      });
      const text = await response.text();
      assert.ok(text.startsWith(`https://localhost:${port}/x ${size} xxx`), text.slice(0, 80));
      assert.ok(text.length > 200_000);
    }
  });
});

Deno.test("TLS: the client gets a close_notify at the end of a connection", async () => {
  await withTls(() => new Response("bye"), async (port, ca) => {
    using conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [ca] });
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
    const text = await new Response(conn.readable).text();
    assert.match(text, /\r\n\r\nbye$/);
  });
});

Deno.test("TLS: a client with a malformed request gets an answer and a close", async () => {
  await withTls(() => new Response("no"), async (port, ca) => {
    using conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [ca] });
    await conn.write(new TextEncoder().encode("nonsense\r\n\r\n"));
    const text = await new Response(conn.readable).text();
    assert.match(text, /^HTTP\/1\.1 400 /);
  });
});

Deno.test("TLS: a client that sends plain text, or nothing, does not disturb other clients", async () => {
  await withTls(() => new Response("fine"), async (port, ca) => {
    const plain = await Deno.connect({ hostname: "127.0.0.1", port });
    await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    const silent = await Deno.connect({ hostname: "127.0.0.1", port });
    const gone = await Deno.connect({ hostname: "127.0.0.1", port });
    gone.close();
    using client = Deno.createHttpClient({ caCerts: [ca] });
    const response = await fetch(`https://localhost:${port}/`, { client });
    assert.equal(await response.text(), "fine");
    // A client that sends plain text gets a TLS alert and a close.
    const buffer = new Uint8Array(1_000);
    while (await plain.read(buffer).catch(() => null) !== null);
    plain.close();
    silent.close();
  });
});

/** A handler that never answers, and promises that are kept when it is called and when its request is aborted. */
function waiting() {
  const began = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const handler = (request: Request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    began.resolve();
    return new Promise<Response>(() => {});
  };
  return { began: began.promise, aborted: aborted.promise, handler };
}

Deno.test("TLS: a client that leaves during a request aborts the request's signal", async () => {
  const { began, aborted, handler } = waiting();
  await withTls(handler, async (port, ca) => {
    const conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [ca] });
    await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: a\r\n\r\n"));
    await began;
    conn.close();
    await aborted;
  });
});

Deno.test("TLS: a record that cannot be decrypted ends the connection", async () => {
  const { began, aborted, handler } = waiting();
  await withTls(handler, async (port, ca) => {
    const raw = connectTcp(port, "127.0.0.1");
    const closed = once(raw, "close");
    // The bytes pass by here, so that other ones can be put between them.
    const between = new Duplex({
      read() {},
      write: (bytes, _encoding, done) => void raw.write(bytes, () => done()),
    });
    raw.on("data", (bytes) => between.push(bytes)).on("end", () => between.push(null)).on("error", () => {});
    const secure = connectTls({ socket: between, servername: "localhost", ca });
    secure.on("error", () => {});
    secure.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await began;
    const length = 40;
    raw.write(Uint8Array.of(23, 3, 3, 0, length, ...new Uint8Array(length)));
    await aborted;
    await closed;
  });
});

Deno.test("TLS: a client that has reset the connection with its first request is let go of", async () => {
  const completed = Promise.withResolvers<void>();
  await withTls(async ({ signal }, info) => {
    info.completed.then(completed.resolve, completed.reject);
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
    return new Response("words");
  }, async (port, ca) => {
    const raw = connectTcp(port, "127.0.0.1");
    raw.on("error", () => {});
    // The end of the handshake is held back, and comes together with the request and the reset.
    const held: Uint8Array[] = [];
    let isFirst = true;
    const between = new Duplex({
      read() {},
      write(bytes, _encoding, done) {
        if (isFirst) raw.write(bytes);
        else held.push(bytes);
        isFirst = false;
        done();
      },
    });
    raw.on("data", (bytes) => between.push(bytes));
    const secure = connectTls({ socket: between, servername: "localhost", ca });
    secure.on("error", () => {});
    await once(secure, "secureConnect");
    secure.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
    raw.write(Buffer.concat(held));
    raw.resetAndDestroy();
    await assert.rejects(completed.promise);
  });
});

Deno.test("TLS: serve throws for a bad certificate, a bad key, or the key of another certificate", async () => {
  const { cert, key, otherKey } = await certificates();
  const block = (name: string) => `-----BEGIN ${name}-----\nAAAA\n-----END ${name}-----\n`;
  for (
    const [pair, message] of [
      [{ cert: block("CERTIFICATE"), key }, /certificate/],
      [{ cert, key: block("PRIVATE KEY") }, /private key/],
      [{ cert, key: otherKey }, /KeyMismatch|the private key does not belong to the certificate/],
    ] as const
  ) {
    assert.throws(
      () => serve({ port: 0, hostname: "127.0.0.1", onListen() {}, ...pair }, () => new Response()),
      message,
    );
  }
});
