// Rules of HTTP/1.1 as clients and handlers see them, on real sockets. The clients leave their side open.

import assert from "node:assert/strict";
import { firstItems } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { type RealEngine, realEngine, serving } from "../helpers/serving.ts";
import { latin1 } from "../helpers/wire.ts";

const HOST = "host: test\r\n";
const POLICIES = ["stream", "auto", "whole"] as const;

/** What handlers do with a request: the first touches nothing but the parsed text, the others need the real Request. */
const TOUCHES: Record<string, (request: Request) => unknown> = {
  "looks at it": ({ method, url, headers }) => [method, url, headers.get("host")],
  "clones it": (request) => request.clone(),
  "copies it": (request) => new Request(request),
  "reads its body": (request) => request.text(),
  "changes a copy of its headers": ({ headers }) => new Headers(headers).set("x-a", "1"),
};

/** Sends a request, and gives the status of its answer and its body. */
async function ask(engine: RealEngine, bytes: string): Promise<[status: number, body: string]> {
  using client = await engine.connect();
  await client.send(latin1(bytes));
  const [response] = firstItems(await client.responses(1), 1);
  return [response.status, bodyText(response)];
}

Deno.test("A method gives one answer, whatever the handler touches, and never an error in the log", async () => {
  const served = ["GET", "DELETE", "PATCH", "patch", "M-SEARCH", "QUERY", "PROPFIND", "tracer", "!#$%&'*+-.^_`|~"];
  const refused = ["TRACE", "trace", "TRACK", "CONNECT", "Connect", "get", "head", "Post", "put", "dELETE", "options"];
  for (const [name, touch] of Object.entries(TOUCHES)) {
    const handler = async (request: Request) => {
      await touch(request);
      return new Response(request.method);
    };
    await using engine = realEngine(handler, { health: "/health" }, { accept: ({ method }) => void method });
    for (const method of served) {
      assert.deepEqual(await ask(engine, `${method} / HTTP/1.1\r\n${HOST}\r\n`), [200, method], `${method}: ${name}`);
    }
    for (const method of refused) {
      for (const target of ["/", "/health", "*", "test:80"]) {
        const [status, body] = await ask(engine, `${method} ${target} HTTP/1.1\r\n${HOST}content-length: 0\r\n\r\n`);
        assert.equal(status, 501, `${method} ${target}: ${name}`);
        assert.doesNotMatch(body, /\bat /);
      }
    }
    assert.deepEqual(engine.lines.filter((line) => line.startsWith("ERROR")), []);
  }
});

Deno.test("A GET with a body has none for the handler, and the next request is found after it", async () => {
  for (const body of POLICIES) {
    for (
      const framing of ["content-length: 5\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]
    ) {
      await using server = serving(async (request) => {
        const seen = [request.body, await request.clone().text(), await request.text(), request.bodyUsed];
        return Response.json({ method: request.method, seen });
      }, { body });
      using client = await server.connect();
      await client.send(`GET /a HTTP/1.1\r\n${HOST}${framing}GET /b HTTP/1.1\r\n${HOST}\r\n`);
      for (const response of await client.responses(2)) {
        assert.deepEqual(JSON.parse(bodyText(response)), { method: "GET", seen: [null, "", "", false] });
        assert.equal(fieldOf(response, "connection"), null);
      }
    }
  }
});

Deno.test("A HEAD with a body has none for the handler, and the next request is found after it", async () => {
  for (const body of POLICIES) {
    const seen: unknown[] = [];
    await using server = serving(async (request) => {
      seen.push([request.method, request.body, await request.text()]);
      return new Response("x");
    }, { body });
    using client = await server.connect();
    await client.ask("HEAD", "/", "content-length: 5\r\n");
    await client.send("hello");
    await client.ask("GET", "/");
    const [head, get] = firstItems(await client.responses(2), 2);
    assert.deepEqual([head.status, head.body.length, bodyText(get)], [200, 0, "x"]);
    assert.deepEqual(seen, [["HEAD", null, ""], ["GET", null, ""]]);
  }
});

Deno.test("A GET whose body is malformed or too long is answered once, and nothing after it is taken for a request", async () => {
  const smuggled = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n`;
  const bodies = [
    `transfer-encoding: chunked\r\n\r\n5\r\nhello${smuggled}`,
    `transfer-encoding: chunked\r\n\r\nx\r\n${smuggled}`,
    `content-length: 300000\r\n\r\n${smuggled}${"x".repeat(300_000 - smuggled.length)}${smuggled}`,
  ];
  for (const rest of bodies) {
    const urls: string[] = [];
    await using server = serving(({ url }) => {
      urls.push(url);
      return new Response("ok");
    });
    using client = await server.connect();
    await client.send(`GET /a HTTP/1.1\r\n${HOST}${rest}`);
    const responses = await client.rest();
    assert.deepEqual(responses.map(({ status }) => status), [200]);
    assert.deepEqual(urls, ["http://test/a"]);
  }
});

Deno.test("Cookie lines and equal lengths reach the handler as one value, by every way to read headers", async () => {
  await using server = serving((request) => {
    const copies = [
      request.headers,
      new Headers(request.headers),
      request.clone().headers,
      new Request(request).headers,
    ];
    return Response.json(copies.map((headers) => ["cookie", "content-length"].map((name) => headers.get(name))));
  });
  using client = await server.connect();
  const fields = "cookie: a=1\r\ncontent-length: 2\r\nCookie: b=2\r\nContent-Length: 2\r\n";
  await client.send(`POST / HTTP/1.1\r\n${HOST}${fields}\r\nok`);
  const [response] = firstItems(await client.responses(1), 1);
  assert.deepEqual(JSON.parse(bodyText(response)), Array(4).fill(["a=1; b=2", "2"]));
});

Deno.test("A raw UTF-8 target reaches the handler percent-encoded, and logs show nothing else", async () => {
  const fails = () => {
    throw new Error("thrown on purpose");
  };
  await using engine = realEngine((request) => request.url.endsWith("?throw") ? fails() : new Response(request.url));
  const target = "/caf\xc3\xa9/\xc2\x9b31m";
  assert.deepEqual(await ask(engine, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`), [
    200,
    "http://test/caf%C3%A9/%C2%9B31m",
  ]);
  assert.deepEqual(await ask(engine, `GET ${target}?throw HTTP/1.1\r\n${HOST}\r\n`), [
    500,
    "500 Internal Server Error\n",
  ]);
  assert.match(engine.lines.join("\n"), /^ERROR GET \/caf%C3%A9\/%C2%9B31m\?throw failed: /);
  assert.equal((await ask(engine, `GET /caf\xe9 HTTP/1.1\r\n${HOST}\r\n`))[0], 400);
});

Deno.test("A health path past ASCII is found, raw and percent-encoded", async () => {
  await using engine = realEngine(() => new Response("handler"), { health: "/zustand/\u00fc ber" });
  for (const target of ["/zustand/\xc3\xbc%20ber", "/zustand/%C3%BC%20ber", "http://test/zustand/%C3%BC%20ber?x"]) {
    assert.deepEqual(await ask(engine, `GET ${target} HTTP/1.1\r\n${HOST}\r\n`), [200, "serving\n"], target);
  }
});

Deno.test("A request line has the limit that was asked for: 414 for a target, 501 for a method", async () => {
  const lineOf = (bytes: number) => `GET /${"x".repeat(bytes - "GET / HTTP/1.1".length)} HTTP/1.1\r\n${HOST}\r\n`;
  const fields = `x-a: ${"a".repeat(20_000)}\r\n`;
  for (
    const [limits, most] of [[{}, 8192], [{ maxRequestLineBytes: 65_536 }, 65_536], [
      { maxHeaderBytes: 500 },
      450,
    ]] as const
  ) {
    await using engine = realEngine(({ url }) => new Response(`${url.length}`), limits);
    assert.equal((await ask(engine, lineOf(most)))[0], 200);
    assert.equal((await ask(engine, lineOf(Math.max(most + 1, 600))))[0], 414);
    assert.equal((await ask(engine, `${"M".repeat(70_000)} / HTTP/1.1\r\n${HOST}\r\n`))[0], 501);
    assert.equal((await ask(engine, `GET / HTTP/1.1\r\n${HOST}${fields.repeat(5)}\r\n`))[0], 431);
  }
  // The default limit of a head grows with that of its request line.
  await using engine = realEngine(() => new Response("ok"), { maxRequestLineBytes: 65_536 });
  assert.equal((await ask(engine, lineOf(65_536).replace(HOST, HOST + fields)))[0], 200);
});

Deno.test("HTTP/1.2 to 1.9 are served as HTTP/1.1, with its keep-alive", async () => {
  await using server = serving(({ url }) => new Response(url));
  using client = await server.connect();
  for (let minor = 2; minor <= 9; minor++) {
    await client.send(`GET /${minor} HTTP/1.${minor}\r\n${HOST}\r\n`);
    const [response] = firstItems(await client.responses(1), 1);
    assert.deepEqual([response.version, bodyText(response)], ["HTTP/1.1", `http://test/${minor}`]);
  }
});
