// The PROXY protocol over real sockets: plain, before TLS, and at a Unix socket.

import assert from "node:assert/strict";
import { serve } from "../../src/engine/serve.ts";
import type { Handler } from "../../src/message/handler.ts";
import { certificates } from "../helpers/certificates.ts";
import { headerV2 } from "../helpers/proxy_headers.ts";
import { bodyText } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";
import { latin1 } from "../helpers/wire.ts";

const V1 = latin1("PROXY TCP4 203.0.113.9 192.0.2.2 56324 443\r\n");

const seen: Handler = ({ url }, { remoteAddr }) => {
  const from = remoteAddr.transport === "tcp" ? `${remoteAddr.hostname}:${remoteAddr.port}` : "unix";
  return new Response(`${new URL(url).protocol} ${from}`);
};

/** A proxy that passes bytes on, and puts a header before them. */
function passing(header: Uint8Array, port: number): AsyncDisposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const passed: Promise<void>[] = [];
  const pass = async (client: Deno.TcpConn) => {
    const upstream = await Deno.connect({ hostname: "127.0.0.1", port });
    await upstream.write(header);
    // An end of either side may be a reset, when the other has closed already.
    const ends = [client.readable.pipeTo(upstream.writable), upstream.readable.pipeTo(client.writable)];
    await Promise.allSettled(ends);
  };
  const accepting = (async () => {
    for await (const client of listener) passed.push(pass(client));
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(passed);
    },
  };
}

Deno.test("A header over TCP tells the client", async () => {
  for (const header of [V1, headerV2()]) {
    await using server = serving(seen, { trustProxy: "127.0.0.1", proxyProtocol: true });
    using client = await server.connect();
    await client.send(header);
    assert.equal(bodyText(await client.get("/")), "http: 203.0.113.9:56324");
    assert.equal(bodyText(await client.get("/")), "http: 203.0.113.9:56324");
  }
});

Deno.test("A header over a Unix socket tells the client", async () => {
  const directory = await Deno.makeTempDir();
  {
    await using server = serving(seen, { path: `${directory}/s`, trustProxy: "unix", proxyProtocol: true });
    using client = await server.connect();
    await client.send(V1);
    assert.equal(bodyText(await client.get("/")), "http: 203.0.113.9:56324");
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("The header comes before the TLS handshake", async () => {
  const { ca, cert, key } = await certificates();
  for (const header of [V1, headerV2()]) {
    const options = { trustProxy: "127.0.0.1", proxyProtocol: true, cert, key };
    await using server = serving(async (request, info) => {
      const bytes = await request.bytes();
      return new Response(`${await (await seen(request, info)).text()} ${bytes.length} ${"x".repeat(100_000)}`);
    }, options);
    await using proxy = passing(header, (server.server.addr as { port: number }).port);
    {
      using client = Deno.createHttpClient({ caCerts: [ca] });
      for (const size of [0, 10, 300_000]) {
        const response = await fetch(`https://localhost:${proxy.port}/`, {
          method: "POST",
          body: new Uint8Array(size),
          client,
        });
        assert.ok((await response.text()).startsWith(`https: 203.0.113.9:56324 ${size} xxx`));
      }
    }
  }
});

Deno.test("A peer that is not trusted speaks TLS at once", async () => {
  const { ca, cert, key } = await certificates();
  await using server = serving(seen, { trustProxy: "10.0.0.1", proxyProtocol: true, cert, key });
  const { port } = server.server.addr as { port: number };
  using client = Deno.createHttpClient({ caCerts: [ca] });
  const response = await fetch(`https://localhost:${port}/`, { client });
  assert.match(await response.text(), /^https: 127\.0\.0\.1:\d+$/);
});

Deno.test("A trusted peer without a header is refused before TLS begins", async () => {
  const { ca, cert, key } = await certificates();
  await using server = serving(seen, { trustProxy: "127.0.0.1", proxyProtocol: true, cert, key });
  const { port } = server.server.addr as { port: number };
  using client = Deno.createHttpClient({ caCerts: [ca] });
  await assert.rejects(fetch(`https://localhost:${port}/`, { client }), TypeError);
});

Deno.test("proxyProtocol without trustProxy is refused", () => {
  assert.throws(() => serve({ port: 0, proxyProtocol: true, onListen() {} }, () => new Response()), {
    name: "TypeError",
    message: /^proxyProtocol needs trustProxy/,
  });
});
