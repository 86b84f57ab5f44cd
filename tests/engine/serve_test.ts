// `serve` as a drop-in for Deno.serve, on real sockets.

import assert from "node:assert/strict";
import type { HandlerInfo } from "../../src/message/handler.ts";
import { serve, type Server } from "../../src/engine/serve.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { untilRefused } from "../helpers/refused.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

const hello = () => new Response("hello");
const QUIET = { port: 0, hostname: "127.0.0.1", onListen() {} };

function urlOf(server: Server): string {
  if (server.addr.transport !== "tcp") throw new Error("not TCP");
  return `http://127.0.0.1:${server.addr.port}/`;
}

/** Fetches with a client of its own, so that no pooled connection outlives the test. */
async function ask(server: Server): Promise<string> {
  using client = await RawClient.connect(server.addr);
  return bodyText(await client.get("/", "connection: close\r\n"));
}

Deno.test("serve takes the handler as an argument or as an option", async () => {
  {
    await using server = serve(QUIET, hello);
    assert.equal(await ask(server), "hello");
  }
  await using server = serve({ ...QUIET, handler: hello });
  assert.equal(await ask(server), "hello");
});

Deno.test("serve without a handler throws an error that shows how to call it", () => {
  // deno-lint-ignore no-explicit-any
  const call = serve as any;
  for (const args of [[], [{}], [QUIET], [QUIET, "x"]]) {
    assert.throws(() => call(...args), TypeError, JSON.stringify(args));
  }
});

Deno.test("serve gives its address to onListen and in addr", async () => {
  let told: unknown;
  await using server = serve({ ...QUIET, onListen: (address) => void (told = address) }, hello);
  assert.deepEqual(told, server.addr);
  assert.equal(server.addr.transport, "tcp");
  assert.ok(server.addr.transport === "tcp" && server.addr.port > 0 && server.addr.hostname === "127.0.0.1");
});

Deno.test("serve stops listening if onListen throws", async () => {
  let port = 0;
  const onListen = (address: Server["addr"]) => {
    if (address.transport === "tcp") port = address.port;
    throw new Error("no");
  };
  assert.throws(() => serve({ ...QUIET, onListen }, hello), /^Error: no$/);
  // The system releases the port a few turns later.
  await assert.rejects(async () => {
    for (let i = 0; i < 100; i++) (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  }, /refused|reset/i);
});

Deno.test("serve throws an error with a code if the port is in use", async () => {
  await using server = serve(QUIET, hello);
  const { port } = server.addr as { port: number };
  assert.throws(() => serve({ ...QUIET, port }, hello), { code: "EADDRINUSE" });
});

Deno.test("serve throws if an option is out of range", () => {
  for (const options of [{ port: -1 }, { port: 65_536 }, { maxConnections: -1 }, { keepAliveMs: NaN }]) {
    assert.throws(() => serve({ ...QUIET, ...options }, hello), RangeError, JSON.stringify(options));
  }
  for (
    const limits of [
      { health: "health" },
      { maxHeaderBytes: 0 },
      { maxRequestLineBytes: 0 },
      { maxRequestLineBytes: 65_537 },
      { maxRequestLineBytes: 8192, maxHeaderBytes: 8192 },
    ]
  ) {
    assert.throws(() => serve({ ...QUIET, ...limits }, hello), RangeError, JSON.stringify(limits));
  }
  assert.throws(() => serve({ ...QUIET, body: "lazy" as "auto" }, hello), RangeError);
  assert.throws(() => serve({ ...QUIET, cert: "x" }, hello), TypeError);
});

Deno.test("serve listens on IPv6", async () => {
  await using server = serve({ ...QUIET, hostname: "::1" }, (request) => new Response(request.url));
  const { port } = server.addr as { port: number };
  using client = await RawClient.connect(server.addr);
  await client.send("GET /x HTTP/1.0\r\n\r\n");
  assert.equal(bodyText(itemAt(await client.rest(), 0)), `http://[::1]:${port}/x`);
});

Deno.test("serve listens at a path, and removes the socket at the end", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/weft.sock`;
    let info!: HandlerInfo;
    {
      await using server = serve({ path, onListen() {} }, (_, given) => {
        info = given;
        return new Response("unix");
      });
      assert.deepEqual(server.addr, { transport: "unix", path });
      assert.equal(await ask(server), "unix");
      assert.deepEqual(info.localAddr, { transport: "unix", path });
      assert.deepEqual(info.remoteAddr, { transport: "unix", path }, "as under Deno.serve");
    }
    await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("A handler gets the client's address, its connection, and a promise for the sent answer", async () => {
  const infos: HandlerInfo[] = [];
  await using served = serving((_, info) => {
    infos.push(info);
    return new Response(`${info.connection.id} ${info.connection.requests}`);
  });
  using first = await served.connect();
  using second = await served.connect();
  assert.equal(bodyText(await first.get("/")), "1 1");
  assert.equal(bodyText(await first.get("/")), "1 2");
  assert.equal(bodyText(await second.get("/")), "2 1");
  const { remoteAddr, localAddr, completed, timings } = itemAt(infos, 0);
  assert.ok(remoteAddr.transport === "tcp" && remoteAddr.hostname === "127.0.0.1" && remoteAddr.port > 0);
  assert.deepEqual(localAddr, { ...served.server.addr });
  await completed;
  assert.equal(timings, null);
});

Deno.test("onError answers for a handler that throws or rejects", async () => {
  const failures = [
    () => {
      throw new Error("thrown");
    },
    () => Promise.reject(new Error("rejected")),
    () => undefined as unknown as Response,
  ];
  const answers = [
    (error: unknown) => new Response((error as Error).message, { status: 503 }),
    (error: unknown) => Promise.resolve(new Response((error as Error).message, { status: 503 })),
  ];
  for (const onError of answers) {
    const waiting = [...failures];
    await using served = serving(() => waiting.shift()!(), { onError });
    using client = await served.connect();
    const responses = [await client.get("/"), await client.get("/"), await client.get("/")];
    assert.deepEqual(responses.map(({ status }) => status), [503, 503, 503]);
    assert.deepEqual(responses.slice(0, 2).map(bodyText), ["thrown", "rejected"]);
    assert.match(bodyText(itemAt(responses, 2)), /returned nothing/);
  }
});

Deno.test("shutdown finishes requests, refuses new connections, and resolves like finished", async () => {
  const go = Promise.withResolvers<void>();
  const began = Promise.withResolvers<void>();
  const server = serve(QUIET, async () => {
    began.resolve();
    await go.promise;
    return new Response("finished");
  });
  using client = await RawClient.connect(server.addr);
  await client.ask("GET", "/");
  await began.promise;
  const shutdown = server.shutdown();
  assert.equal(server.addr.transport, "tcp");
  await untilRefused((server.addr as { port: number }).port);
  go.resolve();
  const [response] = firstItems(await client.rest(), 1);
  assert.equal(bodyText(response), "finished");
  assert.equal(fieldOf(response, "connection"), "close");
  await Promise.all([shutdown, server.finished, server.shutdown()]);
});

Deno.test("An aborted signal cuts every connection and stops the server", async () => {
  const stop = new AbortController();
  const began = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  const server = serve({ ...QUIET, signal: stop.signal }, (request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    began.resolve();
    return new Promise(() => {});
  });
  using client = await RawClient.connect(server.addr);
  await client.ask("GET", "/");
  await began.promise;
  stop.abort();
  await server.finished;
  await aborted.promise;
  assert.deepEqual(await client.rest(), []);
  await serve({ ...QUIET, signal: stop.signal }, hello).finished;
});

Deno.test("An unreferenced server lets its process end, a referenced one does not", async () => {
  const front = new URL("../../src/engine/serve.ts", import.meta.url).href;
  const run = async (more: string) => {
    const code = `import { serve } from ${JSON.stringify(front)};
      const server = serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response());
      ${more}`;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", `data:application/typescript,${encodeURIComponent(code)}`],
      stdout: "piped",
      stderr: "piped",
    });
    const { code: status, stdout, stderr } = await command.output();
    return [status, new TextDecoder().decode(stdout), status === 0 ? "" : new TextDecoder().decode(stderr)];
  };
  assert.deepEqual(await run(`server.unref();`), [0, "", ""]);
  const stays = `server.unref(); server.ref();
    const timer = setTimeout(() => { console.log("still here"); server.shutdown(); }, 50); Deno.unrefTimer(timer);`;
  assert.deepEqual(await run(stays), [0, "still here\n", ""]);
});

Deno.test("HTTP/1.0, HEAD, absolute form and OPTIONS * are served on a real socket", async () => {
  await using served = serving((request) => new Response(`${request.method} ${new URL(request.url).pathname}`));
  using client = await served.connect();
  assert.equal(bodyText(await client.get("http://test/abs")), "GET /abs");
  await client.ask("OPTIONS", "*");
  assert.equal(bodyText(itemAt(await client.responses(1), 0)), "OPTIONS /*");
  await client.ask("HEAD", "/x");
  assert.equal(fieldOf(itemAt(await client.responses(1), 0), "content-length"), "7");
  await client.send("GET /old HTTP/1.0\r\n\r\n");
  assert.equal(bodyText(itemAt(await client.rest(), 0)), "GET /old");
});

Deno.test("curl uploads with Expect and gets an answer", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(3_000_000));
    await using server = serve(QUIET, async (request) => {
      let size = 0;
      for await (const piece of request.body!) size += piece.length;
      return new Response(`${request.headers.get("expect")} ${size}`);
    });
    const args = ["-sS", "-T", path, "-H", "expect: 100-continue", "--expect100-timeout", "60", urlOf(server)];
    const { success, stdout, stderr } = await new Deno.Command("curl", { args }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.equal(new TextDecoder().decode(stdout), "100-continue 3000000");
  } finally {
    await Deno.remove(path);
  }
});
