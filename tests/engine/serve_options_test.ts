// The options of `serve`, and its types, are those of Deno.serve.

import assert from "node:assert/strict";
import { serve, type Server } from "../../src/engine/serve.ts";
import type { ServeOptions } from "../../src/engine/serve_options.ts";
import type { Handler } from "../../src/message/handler.ts";
import { certificates } from "../helpers/certificates.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText } from "../helpers/responses.ts";

const hello = () => new Response("hello");
const QUIET = { hostname: "127.0.0.1", onListen() {} };

/** Without types, as JavaScript calls it. */
const loose = serve as unknown as (...args: unknown[]) => Server;
const looseDeno = Deno.serve as unknown as (...args: unknown[]) => Deno.HttpServer;

async function answerOf(server: Server): Promise<string> {
  using client = await RawClient.connect(server.addr);
  return bodyText(await client.get("/", "connection: close\r\n"));
}

/** The port, or the class of the error. */
async function outcomeOf(call: typeof loose | typeof looseDeno, ...args: unknown[]): Promise<unknown> {
  try {
    const server = call(...args);
    await server.shutdown();
    return (server.addr as Deno.NetAddr).port;
  } catch (error) {
    return (error as Error).name;
  }
}

/** A port that was free a moment ago. */
function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

Deno.test("serve takes and refuses the same ports as Deno.serve", async () => {
  const free = freePort();
  for (const port of [`${free}`, ` ${free} `, `0x${free.toString(16)}`, free]) {
    assert.equal(await outcomeOf(loose, { ...QUIET, port }, hello), free, JSON.stringify(port));
    assert.equal(await outcomeOf(looseDeno, { ...QUIET, port }, hello), free, JSON.stringify(port));
  }
  for (const port of ["", "abc", 1.5, NaN, true, {}, 70_000, -1, "70000"]) {
    const expected = await outcomeOf(looseDeno, { ...QUIET, port }, hello);
    assert.match(`${expected}`, /Error$/);
    assert.equal(await outcomeOf(loose, { ...QUIET, port }, hello), expected, JSON.stringify(port));
  }
});

Deno.test("serve takes null and undefined for what is not given, as Deno.serve does", async () => {
  // Port 8000 may be in use, so the default port is read from the error or from the address.
  const defaultPort = (call: () => Server): number | string => {
    try {
      const server = call();
      server.shutdown();
      return (server.addr as Deno.NetAddr).port;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  for (const port of [null, undefined]) {
    assert.ok([8000, "EADDRINUSE"].includes(defaultPort(() => loose({ ...QUIET, port }, hello))));
  }
  assert.ok([8000, "EADDRINUSE"].includes(defaultPort(() => serve(undefined, hello))));
  for (const name of ["signal", "onError", "accept", "hostname", "path", "cert", "key", "keyFormat", "transport"]) {
    for (const value of [null, undefined]) {
      await using server = loose({ ...QUIET, port: 0, [name]: value }, hello);
      assert.equal(await answerOf(server), "hello", name);
    }
  }
});

Deno.test("serve refuses what it cannot honour with a TypeError that names the option", () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ certFile: "cert.pem", keyFile: "key.pem" }, /certFile.*pass the text of the file, as cert/],
    [{ keyFile: "key.pem" }, /keyFile/],
    [{ transport: "udp" }, /transport: expected "tcp" .*got "udp"/],
    [{ transport: "unix" }, /transport: expected "tcp" without a path/],
    [{ transport: "tcp", path: "/tmp/x.sock" }, /transport: expected "unix" with a path/],
    [{ transport: "vsock", cid: 1 }, /cid/],
    [{ keyFormat: "der", cert: "c", key: "k" }, /keyFormat: expected "pem"/],
    [{ alpnProtocols: ["h2"] }, /alpnProtocols/],
    [{ cert: "only" }, /cert and key/],
    [{ tcpBacklog: "many" }, /tcpBacklog/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => loose({ ...QUIET, port: 0, ...options }, hello), { name: "TypeError", message });
  }
  assert.throws(() => loose({ ...QUIET, port: 0, tcpBacklog: 0 }, hello), RangeError);
});

Deno.test("serve takes transport and keyFormat that say what is the case", async () => {
  await using server = serve(
    { ...QUIET, port: 0, transport: "tcp", keyFormat: "pem", tcpBacklog: 128 },
    hello,
  );
  assert.equal(await answerOf(server), "hello");
});

if (Deno.build.os === "linux") {
  Deno.test("tcpBacklog is the length of the queue of connections that wait to be accepted", async () => {
    for (const tcpBacklog of [3, 700]) {
      await using server = serve({ ...QUIET, port: 0, tcpBacklog }, hello);
      const args = ["-ltnH", `sport = :${server.addr.port}`];
      let listing: string;
      try {
        listing = new TextDecoder().decode((await new Deno.Command("ss", { args }).output()).stdout);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        console.log("skipped, there is no program ss");
        return;
      }
      const most = Number(await Deno.readTextFile("/proc/sys/net/core/somaxconn"));
      assert.equal(Number(listing.trim().split(/\s+/)[2]), Math.min(tcpBacklog, most), listing);
    }
  });
}

Deno.test("serve prints to stderr where it listens, with a URL that can be used, as Deno.serve does", async () => {
  const front = new URL("../../src/engine/serve.ts", import.meta.url).href;
  for (const hostname of ["0.0.0.0", "127.0.0.1", "::", "::1"]) {
    const printed: string[] = [];
    for (const serve of ["serve", "Deno.serve"]) {
      const code = `import { serve } from ${JSON.stringify(front)};
        ${serve}({ port: 0, hostname: "${hostname}" }, () => new Response()).unref();`;
      const args = ["run", "-A", "--no-lock", `data:application/javascript,${encodeURIComponent(code)}`];
      const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } })
        .output();
      assert.ok(success);
      assert.equal(stdout.length, 0);
      printed.push(new TextDecoder().decode(stderr).replaceAll(/:\d+\//g, ":PORT/"));
    }
    assert.match(printed[0]!, /^Listening on http:/);
    assert.equal(printed[0], printed[1]);
  }
});

// What follows is checked by the compiler as much as by its run: it is what programs for Deno.serve contain.

Deno.test("The types of serve are those of Deno.serve, for a port", async () => {
  const told: string[] = [];
  const options: Deno.ServeTcpOptions = {
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ hostname }) => void told.push(hostname),
  };
  const typed: Deno.ServeHandler = (_request, info) => new Response(info.remoteAddr.transport);
  const forPort: Deno.ServeHandler<Deno.NetAddr> = (_request, info) => new Response(info.remoteAddr.hostname);
  for (const handler of [typed, forPort]) {
    await using server = serve(options, handler);
    const { port }: Deno.NetAddr = server.addr;
    assert.ok(port > 0);
    const asDeno: Deno.HttpServer<Deno.NetAddr> = { ...server, [Symbol.asyncDispose]: server[Symbol.asyncDispose] };
    assert.equal(asDeno.addr.port, port);
    assert.equal(await answerOf(server), handler === typed ? "tcp" : "127.0.0.1");
  }
  assert.deepEqual(told, ["127.0.0.1", "127.0.0.1"]);
  await using server = serve({
    port: 0,
    hostname: "127.0.0.1",
    onListen: ({ hostname, port }) => void told.push(`${hostname}:${port}`),
    handler: (_request, { remoteAddr }) => new Response(`${remoteAddr.port > 0}`),
  });
  assert.equal(told.at(-1), `127.0.0.1:${server.addr.port}`);
  assert.equal(await answerOf(server), "true");
});

Deno.test("The types of serve are those of Deno.serve, for a Unix socket, and for options that may be either", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/a.sock`;
    const told: string[] = [];
    const onListen = ({ path }: Deno.UnixAddr) => void told.push(path);
    const handler: Deno.ServeHandler<Deno.UnixAddr> = (_request, info) => new Response(info.remoteAddr.transport);
    {
      await using server = serve({ path, onListen }, handler);
      const { path: bound }: { path: string } = server.addr;
      assert.equal(bound, path);
      assert.equal(await answerOf(server), "unix");
    }
    const either: ServeOptions = told.length > 0 ? { path, onListen() {} } : { port: 0, onListen() {} };
    const plain: Handler = hello;
    await using server = serve(either, plain);
    assert.equal(await answerOf(server), "hello");
    assert.deepEqual(told, [path]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Options, handlers and servers that are typed as those of Deno.serve need no cast", async () => {
  const { cert, key } = await certificates();
  const directory = await Deno.makeTempDir();
  try {
    const typed: Deno.ServeHandler = hello;
    const tcp: Deno.ServeTcpOptions = { ...QUIET, port: 0 };
    const tls: Deno.ServeTcpOptions & Deno.TlsCertifiedKeyPem = { ...tcp, cert, key };
    const unix: Deno.ServeUnixOptions = { path: `${directory}/a.sock`, onListen() {} };
    const withTcp: Deno.ServeTcpOptions & Deno.ServeInit<Deno.NetAddr> = { ...tcp, handler: typed };
    const withUnix: Deno.ServeUnixOptions & Deno.ServeInit<Deno.UnixAddr> = {
      path: `${directory}/b.sock`,
      onListen() {},
      handler: typed,
    };
    const onPorts: Deno.HttpServer<Deno.NetAddr>[] = [serve(tcp, typed), serve(tls, typed), serve(withTcp)];
    const onPaths: Deno.HttpServer<Deno.UnixAddr>[] = [serve(unix, typed), serve(withUnix)];
    assert.ok(onPorts.every(({ addr }) => addr.port > 0));
    assert.deepEqual(onPaths.map(({ addr }) => addr.path), [unix.path, withUnix.path]);
    await Promise.all([...onPorts, ...onPaths].map((server) => server.shutdown()));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
