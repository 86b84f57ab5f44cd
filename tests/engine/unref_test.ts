// A server that is unreferenced does not keep its process alive, as under Deno.serve.

import assert from "node:assert/strict";
import { certificates } from "../helpers/certificates.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText } from "../helpers/responses.ts";

const front = new URL("../../src/engine/serve.ts", import.meta.url).href;

/** A program that unreferences its server once its first answer was sent. */
function program(serve: string, options: string): string {
  return `import { serve } from ${JSON.stringify(front)};
    let served = 0;
    const server = ${serve}({
      port: 0, hostname: "127.0.0.1", ${options}
      onListen: ({ port }) => console.log(port ?? ""),
    }, (_request, info) => {
      if (++served === 1) info.completed.then(() => server.unref());
      return new Response("hello");
    });`;
}

/** Starts it and waits for its first line. It is killed if it does not end by itself. */
async function start(code: string) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", `data:application/javascript,${encodeURIComponent(code)}`],
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(20_000),
  }).spawn();
  const reader = child.stdout.getReader();
  const port = Number(new TextDecoder().decode((await reader.read()).value));
  return { child, reader, port };
}

const KEEP = "keepAliveMs: 3_600_000,";

for (const [name, serve, options] of [["Deno.serve", "Deno.serve", ""], ["Weft", "serve", KEEP]] as const) {
  Deno.test(`A process with an idle keep-alive connection ends when its server is unreferenced: ${name}`, async () => {
    const { child, reader, port } = await start(program(serve, options));
    using client = await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port });
    assert.equal(bodyText(await client.get("/")), "hello");
    assert.equal((await child.status).code, 0);
    await reader.cancel();
  });
}

Deno.test("A process with an idle connection of a Unix socket ends when its server is unreferenced", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/weft.sock`;
    const code = program("serve", KEEP).replace(/port: 0, hostname: "127.0.0.1"/, `path: ${JSON.stringify(path)}`);
    const { child, reader } = await start(code);
    using client = await RawClient.connect({ transport: "unix", path });
    assert.equal(bodyText(await client.get("/")), "hello");
    assert.equal((await child.status).code, 0);
    await reader.cancel();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("A process with an idle TLS connection ends when its server is unreferenced", async () => {
  const { ca, cert, key } = await certificates();
  const { child, reader, port } = await start(program("serve", `${KEEP} ...${JSON.stringify({ cert, key })},`));
  using conn = await Deno.connectTls({ hostname: "localhost", port, caCerts: [ca] });
  await conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  await conn.read(new Uint8Array(1000));
  assert.equal((await child.status).code, 0);
  await reader.cancel();
});

Deno.test("A connection that is accepted by an unreferenced server does not keep the process, one of a referenced does", async () => {
  const code = `import { serve } from ${JSON.stringify(front)};
    const server = serve({
      port: 0, hostname: "127.0.0.1", ${KEEP} onListen: ({ port }) => console.log(port),
    }, async (request) => {
      if (request.url.endsWith("/ref")) server.ref();
      if (request.url.endsWith("/unref")) server.unref();
      await new Promise((resolve) => setTimeout(resolve, 1));
      return new Response(request.url.slice(-4));
    });
    server.unref();
    const timer = setInterval(() => {}, 1_000_000);
    server.finished.then(() => clearInterval(timer));
    const { serve: other } = Deno;
    other({ port: 0, hostname: "127.0.0.1", onListen: ({ port }) => console.log(port) }, () => {
      clearInterval(timer);
      return new Response("stopped");
    }).unref();`;
  const { child, reader, port } = await start(code);
  const second = Number(new TextDecoder().decode((await reader.read()).value));
  using client = await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port });
  assert.equal(bodyText(await client.get("/ref")), "/ref");
  using stopper = await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port: second });
  assert.equal(bodyText(await stopper.get("/")), "stopped");
  // Only the server keeps the process now. It goes on to answer, also the request that lets it go.
  assert.equal(bodyText(await client.get("/more")), "more");
  assert.equal(bodyText(await client.get("/unref")), "nref");
  assert.equal((await child.status).code, 0);
  await reader.cancel();
});
