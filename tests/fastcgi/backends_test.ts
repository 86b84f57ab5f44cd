// What becomes of a request if a FastCGI backend does not do its part. The client's side stays open.

import assert from "node:assert/strict";
import type { Limits } from "../../src/engine/settings.ts";
import { answering, type App, record, type Responder, responder, STDOUT } from "../helpers/fastcgi_responder.ts";
import { type Front, front } from "../helpers/fastcgi_front.ts";
import { unixTest } from "../helpers/program.ts";

const OK = answering("fine");

/** A path for a Unix socket on which nothing listens yet. */
function freshPath(): string {
  return `${Deno.makeTempDirSync({ prefix: "weft-test-" })}/app.sock`;
}

async function statusOf(server: Front, target = "/", fields = ""): Promise<number> {
  using client = await server.connect();
  return (await client.get(target, fields)).status;
}

/** Waits until all backends are free again. */
async function allFree(server: Front): Promise<void> {
  while (server.handler.backends.busy > 0) await statusOf(server, "/%zz");
}

unixTest("A backend that is absent is answered 502 at once, and used again when it is there", async () => {
  const path = freshPath();
  await using server = front({ address: `unix:${path}` });
  for (let i = 0; i < 20; i++) assert.equal(await statusOf(server), 502);
  // Deno and Node each word the error of the system.
  assert.match(
    server.said[0] ?? "",
    /^ERROR backend unix:.*app\.sock cannot be reached: (?:No such file|connect ENOENT) .*answered 502 until it can$/,
  );
  await using _app = responder(OK, `unix:${path}`);
  while (await statusOf(server) === 502);
  assert.equal(await statusOf(server), 200);
  assert.match(server.said.at(-1) ?? "", /^INFO backend .* can be reached again$/);
  assert.equal(server.said.filter((line) => line.includes("until it can")).length, 1);
  assert.deepEqual(server.lines, []);
});

Deno.test("A backend that is absent is not asked for each request", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await using server = front({ address: `127.0.0.1:${port}` });
  for (let i = 0; i < 50; i++) assert.equal(await statusOf(server), 502);
  const asked = server.said.filter((line) => line.includes("refused")).length;
  const spared = server.said.filter((line) => line.includes("could not be reached a moment ago")).length;
  assert.ok(spared > asked, `asked for ${asked}, spared ${spared}`);
});

const EARLY: [name: string, app: App, said: RegExp][] = [
  ["closes at once", (request) => Promise.resolve(request.close()), /closed the connection before the head/],
  ["answers nothing", (request) => request.end(), /ended the request before the head of its answer was complete$/],
  [
    "closes in the head",
    async (request) => {
      await request.out("Content-Type: text/");
      request.close();
    },
    /closed the connection before the head/,
  ],
  [
    "ends in the head",
    async (request) => {
      await request.out("Content-Type: text/plain\r\n");
      await request.end();
    },
    /ended the request before the head/,
  ],
  [
    "speaks HTTP",
    (request) => request.send(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n")),
    /expected a FastCGI record/,
  ],
  [
    "answers for another request",
    (request) => request.send(record(STDOUT, "A: b\n\n", { id: 7 })),
    /request id 1, got 7/,
  ],
  [
    "answers without a head",
    (request) => request.out("<p>hello\n\n"),
    /expected a field and its value, got "<p>hello"/,
  ],
  ["answers with a field that cannot be sent", (request) => request.out("A b: c\n\n"), /got "A b: c"/],
  ["answers with too long a head", (request) => request.out(`A: ${"x".repeat(70_000)}\n\n`), /more than 65536 bytes/],
  ["does not know its role", (request) => request.end(3), /\(unknown role\)/],
  [
    "ends before the length that it promised",
    async (request) => {
      await request.out("Content-Length: 10\n\nbody");
      await request.end();
    },
    /sent 4 bytes of a body of which it promised 10/,
  ],
  [
    "sends more than the length that it promised",
    async (request) => {
      await request.out("Content-Length: 2\n\nbody");
      await request.end();
    },
    /sent 4 bytes of a body of which it promised 2/,
  ],
];

for (const [name, app, said] of EARLY) {
  Deno.test(`A backend that ${name} is answered 502`, async () => {
    const requests: string[] = [];
    await using backend = responder(async (request) => {
      requests.push(request.variables.PATH_INFO ?? "");
      if (requests.length > 1) await OK(request);
      else {
        // All in one write: what is wrong must be seen before the client has the head.
        const parts: Uint8Array[] = [];
        const send = request.send.bind(request);
        request.send = (...more) => Promise.resolve(void parts.push(...more));
        const close = request.close.bind(request);
        request.close = () => {};
        await app(request);
        await send(Uint8Array.from(parts.flatMap((part) => [...part])));
        close();
      }
    });
    await using server = front({ address: backend.address });
    using client = await server.connect();
    const response = await client.get("/bad");
    assert.equal(response.status, 502);
    assert.match(client.text, /\r\n\r\n502 Bad Gateway\n$/);
    const line = server.said.find((line) => line.startsWith("ERROR")) ?? "";
    assert.match(line, /^ERROR GET \/bad answered 502: backend .*app\.sock: /);
    assert.match(line, said);
    // The client's connection goes on, and so does the backend.
    assert.equal((await client.get("/good")).status, 200);
    assert.deepEqual(requests, ["/bad", "/good"]);
    assert.deepEqual(server.lines, []);
  });
}

Deno.test("A backend that says it is overloaded is answered 503, with the time to try again", async () => {
  await using backend = responder((request) => request.end(2));
  await using server = front({ address: backend.address });
  using client = await server.connect();
  assert.equal((await client.get("/")).status, 503);
  assert.match(client.text, /\r\nretry-after: 1\r\n/);
});

const LATE: [name: string, head: string, end: (request: Parameters<App>[0]) => Promise<void> | void][] = [
  ["closes", "A: b\n\n", (request) => request.close()],
  ["closes before the length that it promised", "Content-Length: 100\n\n", (request) => request.close()],
  ["ends before the length that it promised", "Content-Length: 100\n\n", (request) => request.end()],
  ["sends what is not FastCGI", "A: b\n\n", (request) => request.send(new Uint8Array([7, 7, 7, 7, 7, 7, 7, 7]))],
];

for (const [name, head, end] of LATE) {
  Deno.test(`A backend that ${name} in the middle of an answer cuts the client off, which is logged`, async () => {
    const arrived = Promise.withResolvers<void>();
    await using backend = responder(async (request) => {
      await request.out(`${head}some of the body`);
      await arrived.promise;
      await end(request);
    });
    await using server = front({ address: backend.address });
    using client = await server.connect();
    await client.ask("GET", "/late");
    await client.until("some of the body");
    arrived.resolve();
    while (await client.read());
    assert.ok(!client.text.endsWith("\r\n0\r\n\r\n"));
    assert.match(server.lines.join(), /^ERROR GET \/late was cut off, its answer is not complete: /);
    assert.equal(server.handler.backends.busy, 0);
  });
}

Deno.test("A backend that never answers is answered 504 at the timeout, and its connection is closed", async () => {
  const gone = Promise.withResolvers<void>();
  await using backend = responder(async (request) => {
    await request.body();
    await request.gone();
    gone.resolve();
  });
  await using server = front({ address: backend.address, timeoutMs: 100 });
  using client = await server.connect();
  assert.equal((await client.get("/slow")).status, 504);
  assert.match(client.text, /504 Gateway Timeout\n$/);
  assert.match(
    server.said.join(),
    /^ERROR GET \/slow answered 504: backend .*: it has not answered within 0\.1 s \(--backend-timeout, or timeoutMs\)$/,
  );
  await gone.promise;
});

Deno.test("A backend that never ends an answer whose rest is not sent is given up at the timeout", async () => {
  for (const [method, head] of [["HEAD", ""], ["GET", "Content-Length: 4\r\n"]] as const) {
    const stopped = Promise.withResolvers<unknown>();
    await using app = responder(async (request) => {
      await request.out(`Content-Type: text/plain\r\n${head}\r\nbody`);
      try {
        for (let sent = 0; sent < 2 ** 32; sent += 1_000) {
          if (method === "HEAD") await request.out("x".repeat(1_000));
          else await request.err(`${"x".repeat(999)}\n`);
        }
        stopped.reject(new Error("all of it was read"));
      } catch (error) {
        stopped.resolve(error);
      }
    });
    await using server = front({ address: app.address, timeoutMs: 100 });
    using client = await server.connect();
    await client.ask(method, "/");
    await client.until("\r\n\r\n");
    await stopped.promise;
    assert.equal(server.handler.backends.busy, 0);
    assert.match(client.text, /^HTTP\/1\.1 200 /);
  }
});

Deno.test("A backend that does not take the body is answered 504 at the timeout", async () => {
  const ending = Promise.withResolvers<void>();
  await using backend = responder(() => ending.promise);
  await using server = front({ address: backend.address, timeoutMs: 100 }, { body: "stream" });
  using _end = { [Symbol.dispose]: () => ending.resolve() };
  const response = await fetch(server.url, { method: "POST", body: new Uint8Array(20_000_000) });
  await response.body?.cancel();
  assert.equal(response.status, 504);
});

Deno.test("A backend that stops in the middle of an answer cuts the client off at the timeout", async () => {
  await using backend = responder(async (request) => {
    await request.out("A: b\n\nsome");
    await request.gone();
  });
  await using server = front({ address: backend.address, timeoutMs: 100 });
  using client = await server.connect();
  await client.ask("GET", "/");
  while (await client.read());
  assert.match(client.text, /some\r\n$/);
  assert.match(server.lines.join(), /was cut off.*it has not answered within 0\.1 s/s);
});

Deno.test("A client that sends slowly is not the backend's fault", async () => {
  await using backend = responder(async (request) => {
    const body = await request.body();
    await request.out(`A: b\n\n${body}`);
    await request.end();
  });
  await using server = front({ address: backend.address, timeoutMs: 40 }, { body: "stream" });
  using slow = await server.connect();
  await slow.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nab");
  // Another request of the same time does time out, twice over.
  await using silent = responder((request) => request.gone());
  await using other = front({ address: silent.address, timeoutMs: 120 });
  assert.equal(await statusOf(other), 504);
  await slow.send("cd");
  await slow.until("\r\n\r\nabcd");
});

unixTest("More requests than connections wait, and beyond the limit they are answered 503", async () => {
  const release = Promise.withResolvers<void>();
  let most = 0;
  let now = 0;
  await using backend = responder(async (request) => {
    most = Math.max(most, ++now);
    await release.promise;
    now--;
    await OK(request);
  });
  await using server = front({ address: backend.address, maxConnections: 2, maxWaiting: 3 });
  const statuses = Array.from({ length: 5 }, () => statusOf(server));
  while (server.handler.backends.waiting < 3) await statusOf(server, "/%zz");
  assert.deepEqual({ ...server.handler.backends, address: "" }, { address: "", free: 0, busy: 2, waiting: 3 });
  using client = await server.connect();
  assert.equal((await client.get("/")).status, 503);
  assert.match(client.text, /\r\nretry-after: 1\r\n/);
  assert.match(server.said.join(), /answered 503: .*3 requests wait/);
  release.resolve();
  assert.deepEqual(await Promise.all(statuses), [200, 200, 200, 200, 200]);
  assert.equal(most, 2);
  await allFree(server);
  assert.deepEqual({ ...server.handler.backends, address: "" }, { address: "", free: 2, busy: 0, waiting: 0 });
});

Deno.test("A request that waits for a connection too long is answered 503", async () => {
  await using backend = responder((request) => request.gone());
  await using server = front({ address: backend.address, maxConnections: 1, timeoutMs: 200 });
  const statuses = await Promise.all([statusOf(server), statusOf(server)]);
  assert.ok(statuses.includes(504), `${statuses}`);
  assert.ok(statuses.every((status) => status === 503 || status === 504), `${statuses}`);
});

unixTest("A backend whose queue is full is asked again until it accepts", async () => {
  const { WouldBlock } = Deno.errors;
  const path = freshPath();
  const listener = Deno.listen({ transport: "unix", path });
  const filling: Deno.Conn[] = [];
  try {
    for (;;) filling.push(await Deno.connect({ transport: "unix", path }));
  } catch (error) {
    assert.ok(error instanceof WouldBlock);
  }
  await using server = front({ address: `unix:${path}` });
  const status = statusOf(server);
  while (server.handler.backends.busy === 0) await statusOf(server, "/%zz");
  for (const conn of filling) conn.close();
  // Closed connections stay in the queue until they are accepted.
  let served = 0;
  const accepting = (async () => {
    for await (const conn of listener) {
      const bytes = new Uint8Array(4096);
      if (await conn.read(bytes) !== null) {
        served++;
        await conn.write(record(STDOUT, "A: b\n\nok"));
        await conn.write(record(3, "\0\0\0\0\0\0\0\0"));
      }
      conn.close();
    }
  })();
  assert.equal(await status, 200);
  assert.equal(served, 1);
  listener.close();
  await accepting;
});

Deno.test("A client that is cut off ends its request to the backend", async () => {
  const gone = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  await using backend = responder(async (request) => {
    begun.resolve();
    await request.gone();
    gone.resolve();
  });
  await using server = front({ address: backend.address });
  using client = await server.connect();
  await client.ask("GET", "/");
  await begun.promise;
  server.engine.abort();
  await gone.promise;
  assert.equal(server.handler.backends.busy, 0);
  assert.deepEqual([server.lines, server.said], [[], []]);
});

Deno.test("A client that leaves in the middle of an answer ends its request to the backend", async () => {
  const gone = Promise.withResolvers<void>();
  await using backend = responder(async (request) => {
    await request.out("A: b\n\n");
    try {
      for (;;) await request.out(new Uint8Array(10_000));
    } catch {
      gone.resolve();
    }
  });
  await using server = front({ address: backend.address });
  const client = await server.connect();
  await client.ask("GET", "/");
  await client.until("A: b");
  client.close();
  await gone.promise;
  assert.deepEqual([server.lines, server.said], [[], []]);
});

Deno.test("A client that leaves in the middle of a body ends its request to the backend, which gets no end of it", async () => {
  const ended = Promise.withResolvers<unknown>();
  await using backend = responder(async (request) => {
    assert.equal(new TextDecoder().decode(await request.piece() ?? undefined), "abc");
    ended.resolve(await request.piece().catch((error) => error));
  });
  await using server = front({ address: backend.address }, { body: "stream" });
  const client = await server.connect();
  await client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\nabc");
  client.close();
  assert.match(String(await ended.promise), /the connection ended before the body/);
  assert.deepEqual(server.said, []);
});

Deno.test("A client that ended only its own side still gets its answer", async () => {
  const begun = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<void>();
  await using backend = responder(async (request) => {
    begun.resolve();
    await ending.promise;
    await OK(request);
  });
  await using server = front({ address: backend.address });
  using client = await server.connect();
  await client.ask("GET", "/");
  await begun.promise;
  await client.end();
  ending.resolve();
  await client.until("fine");
});

Deno.test("A request that waits for a connection leaves the queue when its client is cut off", async () => {
  let count = 0;
  await using backend = responder(async (request) => {
    count++;
    await request.gone();
  });
  await using server = front({ address: backend.address, maxConnections: 1 });
  using first = await server.connect();
  await first.ask("GET", "/");
  while (count === 0) await statusOf(server, "/%zz");
  using second = await server.connect();
  await second.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello");
  while (server.handler.backends.waiting === 0) await statusOf(server, "/%zz");
  server.engine.abort();
  assert.equal(server.handler.backends.waiting, 0);
  // The connection that was free for a moment was on its way to the second request.
  while (server.handler.backends.busy > 0) await Deno.lstat(".");
  assert.equal(count, 1);
  assert.deepEqual([server.lines, server.said], [[], []]);
});

/** Serves with connections that are kept. */
async function kept(
  app: App,
  use: (server: Front, backend: Responder) => Promise<void>,
  { address, limits }: { address?: string | undefined; limits?: Limits } = {},
): Promise<void> {
  await using backend = responder(app, address);
  await using server = front({ address: backend.address, keepConnections: true, maxConnections: 2 }, limits);
  await use(server, backend);
}

Deno.test("A connection that is kept serves request after request", async () => {
  await kept(async (request) => {
    assert.equal(request.keepConnection, true);
    await OK(request);
  }, async (server, backend) => {
    for (let i = 0; i < 10; i++) assert.equal(await statusOf(server), 200);
    assert.equal(backend.connections, 1);
  });
});

Deno.test("A connection is not kept after a request of which a program may have left something unread", async () => {
  // libfcgi reads 8 KiB at a time. Before the next request it closes a connection on which something of the last one is left.
  await kept(answering("ok"), async (server, backend) => {
    const connectionsAfter = async (size: number, headers: Record<string, string> = {}) => {
      const response = await fetch(server.url, { method: "POST", body: new Uint8Array(size), headers });
      assert.equal(response.status, 200);
      await response.body?.cancel();
      return backend.connections;
    };
    assert.equal(await connectionsAfter(0), 1);
    assert.equal(await connectionsAfter(6_000), 1);
    assert.equal(await connectionsAfter(9_000), 1);
    assert.equal(await connectionsAfter(0), 2, "9000 bytes of a body are too many");
    assert.equal(await connectionsAfter(300_000), 2);
    assert.equal(await connectionsAfter(0), 3, "a body that is streamed is too long");
    assert.equal(await connectionsAfter(0, { "x-long": "x".repeat(9_000) }), 3);
    assert.equal(await connectionsAfter(0), 4, "the fields are too long");
  }, { limits: { body: "whole" } });
});

Deno.test("There are never more connections than permits, kept ones included", async () => {
  await kept(OK, async (server, backend) => {
    const statuses = await Promise.all(Array.from({ length: 40 }, () => statusOf(server)));
    assert.ok(statuses.every((status) => status === 200));
    assert.ok(backend.connections <= 2, `${backend.connections} connections`);
  });
});

Deno.test("A kept connection with an answer that was not clean is not used again", async () => {
  await kept(async (request) => {
    await OK(request);
    if (request.connection === 1) await request.send(new Uint8Array([1]));
  }, async (server, backend) => {
    assert.equal(await statusOf(server), 200);
    while (backend.connections < 2) assert.equal(await statusOf(server), 200);
    assert.equal(await statusOf(server), 200);
  });
});

for (const address of [undefined, "127.0.0.1:0"]) {
  const over = address === undefined ? "a Unix socket" : "TCP";
  Deno.test(`A kept connection over ${over} that the backend closes between requests costs no request`, async () => {
    await kept(async (request) => {
      await OK(request);
      request.close();
    }, async (server, backend) => {
      for (let i = 0; i < 20; i++) assert.equal(await statusOf(server), 200);
      assert.equal(backend.connections, 20);
      assert.deepEqual(server.said, []);
    }, { address });
  });
}

Deno.test("A kept connection that closes under a request is tried again once, if the method allows it", async () => {
  const seen: string[] = [];
  await kept(async (request) => {
    const { REQUEST_METHOD } = request.variables;
    seen.push(`${REQUEST_METHOD} ${request.connection}`);
    if (seen.length % 2 === 1) await OK(request);
    else request.close();
  }, async (server) => {
    assert.equal(await statusOf(server), 200);
    assert.equal(await statusOf(server), 200);
    assert.deepEqual(seen, ["GET 1", "GET 1", "GET 2"]);
    using client = await server.connect();
    await client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nhi");
    await client.until("502 Bad Gateway\n");
    assert.deepEqual(seen.slice(3), ["POST 2"]);
  });
});

Deno.test("A new connection that closes is not tried again", async () => {
  let count = 0;
  await kept((request) => {
    count++;
    return Promise.resolve(request.close());
  }, async (server) => {
    assert.equal(await statusOf(server), 502);
    assert.equal(count, 1);
  });
});
