// A real PSGI application behind plackup: what a Perl programmer relies on.

import assert from "node:assert/strict";
import type { Limits } from "../../src/engine/settings.ts";
import { type Front, front } from "../helpers/fastcgi_front.ts";
import { plackTest, plackup, type RealApp } from "../helpers/fastcgi_programs.ts";
import { bodyText } from "../helpers/responses.ts";

async function withPlack(
  use: (server: Front, app: RealApp) => Promise<void>,
  limits: Limits = { body: "whole" },
): Promise<void> {
  await using app = await plackup();
  await using server = front({ address: app.address }, limits);
  await use(server, app);
}

/** The variables that the application sees. */
async function envOf(server: Front, target: string, fields = "", method = "GET"): Promise<Record<string, string>> {
  using client = await server.connect();
  await client.send(`${method} ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n${fields}\r\n`);
  while (await client.read());
  const [, body = ""] = client.text.split("\r\n\r\n");
  return Object.fromEntries(body.split("\n").filter((line) => line.includes("=")).map((line) => line.split(/=(.*)/s)));
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

plackTest("A PSGI application answers", () =>
  withPlack(async (server) => {
    using client = await server.connect();
    assert.equal((await client.get("/hello")).status, 200);
    assert.match(
      client.text,
      /^HTTP\/1\.1 200 OK\r\nContent-Type: text\/plain\r\ndate: .*\r\ncontent-length: 6\r\n\r\nhello\n$/,
    );
  }));

plackTest("Its status, its fields and their order reach the client", () =>
  withPlack(async (server) => {
    using client = await server.connect();
    await client.get("/fields");
    assert.match(
      client.text,
      /^HTTP\/1\.1 201 Created\r\nX-B: 1\r\nSet-Cookie: a=1; Path=\/\r\nX-A: 2\r\nSet-Cookie: b=2\r\ndate: /,
    );
    assert.equal((await client.get("/redirect")).status, 302);
    assert.match(client.text, /\r\nLocation: http:\/\/elsewhere\.example\/\r\n/);
    assert.equal((await client.get("/not-modified")).status, 304);
    await client.ask("HEAD", "/hello");
    assert.equal((await client.responses(1))[0]?.status, 200);
    assert.ok(client.text.endsWith("\r\n\r\n"), "HEAD has no body");
  }));

plackTest("Paths, queries and request fields of every shape reach it", () =>
  withPlack(async (server) => {
    const paths: [target: string, path: string, query: string][] = [
      ["/a%2Fb", "/a/b", ""],
      ["/a%20b+c", "/a b+c", ""],
      ["/%C3%A4", "/\xc3\xa4", ""],
      ["//a//b", "//a//b", ""],
      ["/x?keyword+two", "/x", "keyword+two"],
      ["/x?a=1&a=2;b=%zz", "/x", "a=1&a=2;b=%zz"],
    ];
    for (const [target, path, query] of paths) {
      const { PATH_INFO, QUERY_STRING, REQUEST_URI, SCRIPT_NAME } = await envOf(server, target);
      assert.deepEqual([PATH_INFO, QUERY_STRING, REQUEST_URI, SCRIPT_NAME], [path, query, target, ""]);
    }
    const env = await envOf(
      server,
      "/",
      "X-A: 1\r\nx-a: 2\r\nX_A: 3\r\nX-Empty:\r\nCookie: a=1\r\nCookie: b=2\r\nProxy: p\r\n",
    );
    assert.deepEqual(
      [
        env.HTTP_X_A,
        env.HTTP_X_EMPTY,
        env.HTTP_COOKIE,
        env.HTTP_PROXY,
        env.HTTP_HOST,
        env.SERVER_NAME,
        env.REMOTE_ADDR,
      ],
      ["1, 2", "", "a=1; b=2", undefined, "shop.example", "shop.example", "127.0.0.1"],
    );
    const user = await envOf(server, "/", "Remote-User: root\r\nREMOTE_USER: root\r\n");
    assert.equal(user.REMOTE_USER, undefined);
    assert.equal((await envOf(server, "/", "Content-Length: 0\r\n", "POST")).CONTENT_LENGTH, "0");
  }));

plackTest("A form with two files of one name, fields and cookies reaches it", () =>
  withPlack(async (server) => {
    const part = (name: string, value: string, more = "") =>
      `--limit\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
    const response = await fetch(`${server.url}/form?q=1`, {
      method: "POST",
      headers: { cookie: "c=3; d=4", "content-type": "multipart/form-data; boundary=limit" },
      body: part("title", "holiday") + part("tag", "a") + part("tag", "b") +
        part("file", "x".repeat(1000), `; filename="one.txt"`) +
        part("file", "y".repeat(70_000), `; filename="two.txt"`) + "--limit--\r\n",
    });
    assert.equal(
      await response.text(),
      "q=1\ntag=a,b\ntitle=holiday\nfile:one.txt:1000\nfile:two.txt:70000\nc~3\nd~4\n",
    );
  }));

for (const body of ["whole", "auto", "stream"] as const) {
  plackTest(
    `A body reaches it byte for byte, with a length and in chunks, when the policy is ${body}`,
    () =>
      withPlack(async (server) => {
        for (const size of [0, 1, 65_535, 65_536, 5_000_000]) {
          const bytes = Uint8Array.from({ length: size }, (_, i) => i * 13 + (i >> 9));
          const expected = `${size} ${size} ${await digestOf(bytes)}\n`;
          const url = `${server.url}/digest`;
          assert.equal(
            await (await fetch(url, { method: "POST", body: bytes })).text(),
            expected,
            `${size} with a length`,
          );
          const stream = new ReadableStream<Uint8Array>({
            start(controller) {
              for (let at = 0; at < size; at += 100_000) controller.enqueue(bytes.slice(at, at + 100_000));
              controller.close();
            },
          });
          assert.equal(
            await (await fetch(url, { method: "POST", body: stream })).text(),
            expected,
            `${size} in chunks`,
          );
        }
      }, { body }),
  );
}

plackTest("An answer of many megabytes arrives whole", () =>
  withPlack(async (server) => {
    const response = await fetch(`${server.url}/download?320`);
    let size = 0;
    for await (const piece of response.body ?? []) {
      assert.ok(piece.every((octet) => octet === 0x78));
      size += piece.length;
    }
    assert.equal(size, 320 * 65_536);
  }));

plackTest("A part that it has written arrives before the next is written", () =>
  withPlack(async (server, app) => {
    using client = await server.connect();
    await client.ask("GET", "/stream");
    await client.until("first\n");
    Deno.writeTextFileSync(app.gate, "");
    await client.until("second\n\r\n0\r\n\r\n");
  }));

plackTest("An error is its own answer, and what it warns is in the log", () =>
  withPlack(async (server) => {
    const died = await fetch(`${server.url}/die`);
    await died.body?.cancel();
    assert.equal(died.status, 500);
    assert.equal(await (await fetch(`${server.url}/warn`)).text(), "warned\n");
    assert.match(await server.heard(/a warning for the log/), /^WARN backend unix:.*: a warning for the log$/);
  }));

plackTest("More clients than processes are all answered", () =>
  withPlack(async (server) => {
    const texts = await Promise.all(
      Array.from({ length: 200 }, async () => await (await fetch(`${server.url}/hello`)).text()),
    );
    assert.deepEqual(new Set(texts), new Set(["hello\n"]));
    assert.deepEqual(server.said, []);
  }));

plackTest("A client that uploads slowly does not keep the one process from answering others", async () => {
  await using app = await plackup(1);
  await using server = front({ address: app.address }, { body: "whole" });
  using slow = await server.connect();
  await slow.send("POST /digest HTTP/1.1\r\nhost: h\r\ncontent-length: 1000000\r\n\r\n");
  await slow.send(new Uint8Array(600_000));
  for (let i = 0; i < 10; i++) assert.equal(await (await fetch(`${server.url}/hello`)).text(), "hello\n");
  await slow.send(new Uint8Array(400_000));
  await slow.until("1000000 1000000 ");
});

plackTest("Kept connections up to the number of processes serve everyone", async () => {
  await using app = await plackup(2);
  await using server = front({ address: app.address, keepConnections: true, maxConnections: 2 }, { body: "whole" });
  for (let round = 0; round < 3; round++) {
    const texts = await Promise.all(
      Array.from({ length: 60 }, async () => await (await fetch(`${server.url}/hello`)).text()),
    );
    assert.deepEqual(new Set(texts), new Set(["hello\n"]));
  }
  assert.deepEqual(server.said, []);
});

plackTest("A kept connection serves requests whose body is not read to its end", async () => {
  await using app = await plackup(1);
  await using server = front({ address: app.address, keepConnections: true, maxConnections: 1 }, { body: "whole" });
  using client = await server.connect();
  const answers: string[] = [];
  const sizes = Array.from(
    { length: 300 },
    (_, i) => i % 3 === 0 ? i * 997 % 20_000 : i % 3 === 1 ? 270_000 + i * 997 : i,
  );
  for (const size of sizes) {
    await client.send(`POST /exact HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n${"x".repeat(size)}`);
    const [response] = await client.responses(1);
    answers.push(bodyText(response!).trim());
  }
  assert.deepEqual(answers, sizes.map(String));
});

plackTest("A body that it has not read does not cost a later request its kept connection", async () => {
  await using app = await plackup(1);
  await using server = front({ address: app.address, keepConnections: true, maxConnections: 1 }, { body: "whole" });
  for (const size of [0, 1, 7_000, 9_000, 100_000, 300_000]) {
    using client = await server.connect();
    // The next request follows at once.
    const request = `POST /hello HTTP/1.1\r\nhost: h\r\ncontent-length: ${size}\r\n\r\n${"x".repeat(size)}`;
    const sent = client.send(request.repeat(10));
    for (let i = 0; i < 10; i++) client.expect("POST");
    const responses = await client.responses(10);
    assert.deepEqual(responses.map(({ status }) => status), Array(10).fill(200), `${size} bytes`);
    await sent;
  }
  assert.deepEqual(server.said, []);
});
