// Requests and answers over FastCGI, record by record. The client's side stays open.

import assert from "node:assert/strict";
import { fastcgi } from "../../src/fastcgi/fastcgi.ts";
import { answering, record, responder, STDOUT } from "../helpers/fastcgi_responder.ts";
import { front } from "../helpers/fastcgi_front.ts";
import { bodyText } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

Deno.test("A request reaches the application with its variables, and the answer reaches the client", async () => {
  let seen: Readonly<Record<string, string>> = {};
  await using app = responder(async (request) => {
    seen = request.variables;
    assert.equal(request.keepConnection, false);
    await answering("hello")(request);
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  const response = await client.get("/a%20b?c=d", "x-thing: 1\r\n");
  assert.equal(response.status, 200);
  assert.match(
    client.text,
    /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\ndate: .*\r\ncontent-length: 5\r\n\r\nhello$/,
  );
  const { PATH_INFO, QUERY_STRING, REQUEST_METHOD, HTTP_X_THING, SERVER_NAME, REMOTE_ADDR } = seen;
  assert.deepEqual([PATH_INFO, QUERY_STRING, REQUEST_METHOD, HTTP_X_THING, SERVER_NAME, REMOTE_ADDR], [
    "/a b",
    "c=d",
    "GET",
    "1",
    "test",
    "127.0.0.1",
  ]);
  assert.equal("CONTENT_LENGTH" in seen, false);
});

Deno.test("An application is reached over TCP too", async () => {
  await using app = responder(answering("over TCP"), "127.0.0.1:0");
  await using server = front({ address: app.address });
  assert.equal(await (await fetch(server.url)).text(), "over TCP");
});

Deno.test("Status, reason, order and case of the fields are those of the application", async () => {
  const head = "Status: 404 Not Here\r\nX-B: 1\r\nset-cookie: a=1\r\nX-A: 2\r\nSet-Cookie: b=2\r\n";
  await using app = responder(answering("", head));
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.get("/");
  assert.match(
    client.text,
    /^HTTP\/1\.1 404 Not Here\r\nX-B: 1\r\nset-cookie: a=1\r\nX-A: 2\r\nSet-Cookie: b=2\r\ndate: .*\r\ncontent-length: 0\r\n\r\n$/,
  );
});

Deno.test("A Location alone sends the client there", async () => {
  await using app = responder(answering("", "Location: /there\r\n"));
  await using server = front({ address: app.address });
  const response = await fetch(server.url, { redirect: "manual" });
  await response.body?.cancel();
  assert.deepEqual([response.status, response.headers.get("location")], [302, "/there"]);
});

Deno.test("A head of 64 KiB reaches the client", async () => {
  const head = Array.from({ length: 60 }, (_, i) => `X-${i}: ${"v".repeat(1000)}\r\n`).join("");
  await using app = responder(answering("body", head));
  await using server = front({ address: app.address });
  using client = await server.connect();
  const response = await client.get("/");
  const long = response.fields.filter(([_, value]) => value === "v".repeat(1000));
  assert.deepEqual([response.status, long.length, bodyText(response)], [200, 60, "body"]);
});

Deno.test("An answer in records of one byte, with padding, is one answer", async () => {
  const text = "Status: 201 Created\r\nX: y\r\n\r\nsome body";
  await using app = responder(async (request) => {
    for (const sign of text) await request.out(sign, 5);
    await request.end();
  });
  await using server = front({ address: app.address });
  const response = await fetch(server.url);
  assert.deepEqual([response.status, response.headers.get("x"), await response.text()], [201, "y", "some body"]);
});

Deno.test("Bytes of records that come one by one are one answer", async () => {
  await using app = responder(async (request) => {
    const bytes = record(STDOUT, "A: b\n\nbody", { padding: 3 });
    for (let i = 0; i < bytes.length; i++) await request.send(bytes.subarray(i, i + 1));
    await request.end();
  });
  await using server = front({ address: app.address });
  assert.equal(await (await fetch(server.url)).text(), "body");
});

Deno.test("A body with a length and one without go along, and the application is told their length", async () => {
  const lengths: (string | undefined)[] = [];
  await using app = responder(async (request) => {
    lengths.push(request.variables.CONTENT_LENGTH);
    const body = await request.body();
    await request.out(`Content-Type: text/plain\n\n${request.variables.CONTENT_TYPE}: ${body}`);
    await request.end();
  });
  for (const body of ["stream", "auto", "whole"] as const) {
    await using server = front({ address: app.address }, { body });
    using client = await server.connect();
    await client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-type: a/b\r\ncontent-length: 5\r\n\r\nhello");
    await client.until("a/b: hello");
    await client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-type: c/d\r\ntransfer-encoding: chunked\r\n\r\n");
    await client.send("2\r\nhe\r\n");
    await client.send("4\r\nllo!\r\n0\r\n\r\n");
    await client.until("c/d: hello!");
    await client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-type: e/f\r\ncontent-length: 0\r\n\r\n");
    await client.until("e/f: ");
  }
  assert.deepEqual(lengths, Array(3).fill(["5", "6", "0"]).flat());
});

Deno.test("A long body in chunks is stored first, and the application gets all of it", async () => {
  const size = 3_000_000;
  let told = "";
  let sum = 0;
  await using app = responder(async (request) => {
    told = request.variables.CONTENT_LENGTH ?? "";
    for (let piece = await request.piece(); piece !== null; piece = await request.piece()) {
      for (const octet of piece) sum = (sum * 31 + octet) % 1_000_003;
    }
    await answering("stored")(request);
  });
  const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
  let expected = 0;
  for (const octet of bytes) expected = (expected * 31 + octet) % 1_000_003;
  for (const policy of ["stream", "whole"] as const) {
    await using server = front({ address: app.address }, { body: policy });
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= size) controller.close();
        else controller.enqueue(bytes.slice(at, at += 50_000));
      },
    });
    sum = 0;
    const response = await fetch(server.url, { method: "POST", body, ...{ duplex: "half" } });
    assert.deepEqual([await response.text(), told, sum], ["stored", String(size), expected]);
  }
});

Deno.test("An application may answer while the body still comes", async () => {
  await using app = responder(async (request) => {
    await request.out("X: early\n\n");
    for (let piece = await request.piece(); piece !== null; piece = await request.piece()) await request.out(piece);
    await request.end();
  });
  await using server = front({ address: app.address }, { body: "stream" });
  using client = await server.connect();
  await client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 6\r\n\r\n");
  await client.until("X: early");
  await client.send("abc");
  await client.until("3\r\nabc\r\n");
  await client.send("def");
  await client.until("3\r\ndef\r\n0\r\n\r\n");
});

Deno.test("An application that writes a long answer before it reads the request gets both done", async () => {
  const answer = new Uint8Array(1_000_000).fill(97);
  let isEndRead = false;
  await using app = responder(async (request) => {
    // Longer than any socket buffer, as the body is. If both sides wrote first and read later, neither would ever read.
    await request.out("Content-Length: 1000000\r\n\r\n");
    await request.out(answer);
    assert.equal((await request.body()).length, 250_000);
    isEndRead = true;
    await request.end();
  });
  await using server = front({ address: app.address, timeoutMs: 2_000 }, { body: "whole" });
  const response = await fetch(server.url, { method: "POST", body: new Uint8Array(250_000) });
  assert.equal((await response.bytes()).length, 1_000_000);
  while (server.handler.backends.busy > 0) await Deno.lstat(".");
  assert.deepEqual([isEndRead, server.said], [true, []]);
});

Deno.test("An application that ends without reading the request is answered with what it wrote", async () => {
  await using app = responder(async (request) => {
    await request.out("Content-Length: 5\r\n\r\nhello");
    await request.end();
  });
  await using server = front({ address: app.address, timeoutMs: 2_000, maxConnections: 1 }, { body: "whole" });
  for (let round = 0; round < 3; round++) {
    const response = await fetch(server.url, { method: "POST", body: new Uint8Array(250_000) });
    assert.equal(await response.text(), "hello");
    while (server.handler.backends.busy > 0) await Deno.lstat(".");
  }
  assert.deepEqual(server.said, []);
});

Deno.test("A client that waits for 100 (Continue) gets it when the body is passed on", async () => {
  await using app = responder(async (request) => {
    const body = await request.body();
    await answering(`got ${body}`)(request);
  });
  for (const body of ["stream", "auto", "whole"] as const) {
    await using server = front({ address: app.address }, { body });
    using client = await server.connect();
    await client.send("POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
    await client.until("HTTP/1.1 100 Continue\r\n\r\n");
    await client.send("hello");
    await client.until("got hello");
  }
});

Deno.test("Requests that come together are answered in their order", async () => {
  const first = Promise.withResolvers<void>();
  await using app = responder(async (request) => {
    if (request.variables.PATH_INFO === "/1") await first.promise;
    await answering(`path ${request.variables.PATH_INFO}`)(request);
    if (request.variables.PATH_INFO === "/other") first.resolve();
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.send(["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`).join(""));
  assert.equal(await (await fetch(`${server.url}/other`)).text(), "path /other");
  await client.until("path /3");
  assert.match(client.text, /path \/1[^]*path \/2[^]*path \/3$/);
});

Deno.test("A client of HTTP/1.0 gets a body of unknown length up to the close", async () => {
  const arrived = Promise.withResolvers<void>();
  await using app = responder(async (request) => {
    await request.out("A: b\n\nsome ");
    await arrived.promise;
    await request.out("body");
    await request.end();
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.send("GET / HTTP/1.0\r\n\r\n");
  await client.until("some ");
  arrived.resolve();
  while (await client.read());
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\nA: b\r\ndate: [^\r]*\r\nconnection: close\r\n\r\nsome body$/);
});

Deno.test("Parts of every size arrive as they were written, with a length, in chunks and up to the close", async () => {
  const sizes = [1, 4095, 4097, 16_000, 20_000, 65_535, 70_000, 300_000, 3];
  const bytes = Uint8Array.from({ length: sizes.reduce((sum, size) => sum + size, 0) }, (_, i) => i * 11 + (i >> 10));
  await using app = responder(async (request) => {
    const length = request.variables.PATH_INFO === "/length" ? `Content-Length: ${bytes.length}\n` : "";
    await request.out(`A: b\n${length}\n`);
    let at = 0;
    for (const size of sizes) await request.out(bytes.subarray(at, at += size), size % 8);
    await request.end();
  });
  await using server = front({ address: app.address });
  for (const path of ["/length", "/chunks"]) {
    for (let i = 0; i < 20; i++) assert.deepEqual(await (await fetch(server.url + path)).bytes(), bytes, path);
  }
  using client = await server.connect();
  await client.send("GET /close HTTP/1.0\r\n\r\n");
  while (await client.read());
  assert.deepEqual(client.bytes.slice(-bytes.length), bytes);
});

Deno.test("Each part of an answer reaches the client when the application has written it", async () => {
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await using app = responder(async (request) => {
    await request.out("Content-Type: text/event-stream\n\n");
    for (const { promise } of steps) {
      await promise;
      await request.out("data: x\n\n");
    }
    await request.end();
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.ask("GET", "/");
  await client.until("\r\n\r\n");
  for (const [i, step] of steps.entries()) {
    step.resolve();
    while (client.text.split("data: x").length < i + 2) await client.read();
  }
  await client.until("\r\n0\r\n\r\n");
});

Deno.test("A client that reads slowly slows the application down", async () => {
  let sent = 0;
  await using app = responder(async (request) => {
    if (request.variables.PATH_INFO === "/ping") return await answering("pong")(request);
    await request.out("Content-Length: 60000000\n\n");
    const piece = new Uint8Array(60_000);
    for (; sent < 60_000_000; sent += piece.length) await request.out(piece);
    await request.end();
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.ask("GET", "/");
  // While others are answered again and again, the application comes to a stop: nothing takes more of what it writes.
  for (let before = -1; before !== sent;) {
    before = sent;
    for (let i = 0; i < 50; i++) assert.equal(await (await fetch(`${server.url}/ping`)).text(), "pong");
  }
  assert.ok(sent < 20_000_000, `${sent} bytes were taken for a client that reads none`);
  let received = 0;
  while (received < 60_000_000 && await client.read()) received = client.received;
  assert.ok(received >= 60_000_000);
});

Deno.test("HEAD, 204 and 304 have no body, and the length that the application told", async () => {
  let status = "200";
  const ended: string[] = [];
  await using app = responder(async (request) => {
    await request.out(`Status: ${status}\r\nContent-Length: 5\r\nETag: "a"\r\n\r\n`);
    if (request.variables.REQUEST_METHOD === "HEAD") await request.out("hello");
    await request.end();
    ended.push(status);
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.ask("HEAD", "/");
  await client.responses(1);
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\nETag: "a"\r\ndate: [^\r]*\r\n\r\n$/);
  status = "304";
  assert.equal((await client.get("/")).status, 304);
  assert.match(client.text, /304 Not Modified\r\nContent-Length: 5\r\nETag: "a"\r\ndate: [^\r]*\r\n\r\n$/);
  status = "204";
  assert.equal((await client.get("/")).status, 204);
  assert.match(client.text, /204 No Content\r\nETag: "a"\r\ndate: [^\r]*\r\n\r\n$/);
  assert.deepEqual(ended, ["200", "304", "204"]);
});

Deno.test("A client with the whole body does not wait for what the application does afterwards", async () => {
  const ending = Promise.withResolvers<void>();
  await using app = responder(async (request) => {
    await request.out("Content-Length: 4\n\nbody");
    await ending.promise;
    await request.end();
  });
  await using server = front({ address: app.address });
  using client = await server.connect();
  await client.get("/");
  assert.equal(server.handler.backends.busy, 1);
  ending.resolve();
});

Deno.test("What the application writes to its stderr is in the log, line by line", async () => {
  await using app = responder(async (request) => {
    await request.err("first line\nsecond ");
    await request.out("A: b\n\n");
    await request.err("half\x1b[31m of it\n\n");
    await request.out("body");
    await request.err("no end: \xe4");
    await request.end();
  });
  await using server = front({ address: app.address });
  assert.equal(await (await fetch(server.url)).text(), "body");
  assert.deepEqual(
    server.said,
    ["first line", "second half\\x1b[31m of it", "no end: \xe4"].map((line) => `WARN backend ${app.address}: ${line}`),
  );
});

Deno.test("A path that cannot be decoded is the client's mistake", async () => {
  await using app = responder(answering("not reached"));
  await using server = front({ address: app.address });
  using client = await server.connect();
  assert.equal((await client.get("/%zz")).status, 400);
  assert.equal(app.connections, 0);
  assert.deepEqual([server.lines, server.said], [[], []]);
});

Deno.test("Options that make no sense are refused when the handler is made", () => {
  for (const address of ["", "unix:", "nowhere", "host:0", "host:99999", "[::1]", "http://h:1"]) {
    assert.throws(() => fastcgi({ address }), /expected unix:PATH or HOST:PORT/, address);
  }
  assert.throws(
    () => fastcgi({ address: "h:1", maxConnections: 0 }),
    /maxConnections: expected a number from 1, got 0/,
  );
  assert.throws(() => fastcgi({ address: "h:1", timeoutMs: -1 }), RangeError);
});

Deno.test("A framework may pass the request on alone, but a copy needs what came beside it", async () => {
  await using app = responder(answering("passed on"));
  const inner = fastcgi({ address: app.address });
  await using server = serving((request, info) => {
    if (request.url.endsWith("/alone")) return inner(request);
    const copy = new Request(request);
    if (request.url.endsWith("/beside")) return inner(copy, info);
    assert.throws(() => inner(copy), /expected the request that Weft gave to its handler/);
    return new Response("refused");
  });
  const texts = await Promise.all(
    ["alone", "beside", "copy"].map(async (path) => (await fetch(`${server.url}/${path}`)).text()),
  );
  assert.deepEqual(texts, ["passed on", "passed on", "refused"]);
});

Deno.test("A handler can be wrapped like any other", async () => {
  await using app = responder(answering("wrapped", "X-App: a\r\n"));
  const inner = fastcgi({ address: app.address });
  await using server = serving(async (request, info) => {
    const response = await inner(request, info);
    response.headers.append("x-wrapper", "b");
    return response;
  });
  const response = await fetch(server.url);
  assert.deepEqual([response.headers.get("x-app"), response.headers.get("x-wrapper"), await response.text()], [
    "a",
    "b",
    "wrapped",
  ]);
});
