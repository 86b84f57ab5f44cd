// The example with Catalyst, as its author starts it: what Catalyst's own tests judge an engine by.

import assert from "node:assert/strict";
import { browse, findBrowser, makeFile } from "./helpers/browser.ts";
import { catalystTest } from "./helpers/fastcgi_programs.ts";
import { fromFileUrl } from "./helpers/paths.ts";
import { start } from "./helpers/program.ts";
import { RawClient } from "./helpers/raw_client.ts";

const APP = fromFileUrl(new URL("../examples/catalyst/app.psgi", import.meta.url));
const MIB = 1024 * 1024;

/** The application, served for one test. */
class Served implements AsyncDisposable {
  readonly program: ReturnType<typeof start>;
  readonly url: string;
  readonly port: number;

  private constructor(program: ReturnType<typeof start>, url: string) {
    this.program = program;
    this.url = url;
    this.port = Number(new URL(url).port);
  }

  static async start(...args: string[]): Promise<Served> {
    const program = start(["-p", "0", ...args, APP]);
    return new Served(program, await program.url());
  }

  async connect(): Promise<RawClient> {
    return await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port: this.port });
  }

  /** The lines that the page says, which has to be answered with 200. */
  async lines(path: string, init?: RequestInit): Promise<string[]> {
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    assert.equal(response.status, 200, `${text}${this.program.stderr}`);
    return text.trimEnd().split("\n");
  }

  /** What it has seen of a request that is sent as it stands here, without a blank line. */
  async seen(...head: string[]): Promise<string[]> {
    using client = await this.connect();
    await client.send(`${head.join("\r\n")}\r\nHost: shop.example:8080\r\n\r\n`);
    const [response] = await client.responses(1);
    assert.equal(response?.status, 200, `${client.text}${this.program.stderr}`);
    return new TextDecoder().decode(response.body).trimEnd().split("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
  }
}

function has(lines: readonly string[], ...wanted: string[]): void {
  for (const line of wanted) assert.ok(lines.includes(line), `${line} is not among\n${lines.join("\n")}`);
}

function lacks(lines: readonly string[], pattern: RegExp): void {
  assert.deepEqual(lines.filter((line) => pattern.test(line)), []);
}

async function sumOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (octet) => octet.toString(16).padStart(2, "0")).join("");
}

catalystTest("Catalyst sees fields of every shape, and no field passes for a variable", async () => {
  await using served = await Served.start();
  const lines = await served.seen(
    "GET /seen HTTP/1.1",
    "X-Twice: one",
    "x-twice: two",
    "X-Empty:",
    "X_Under: no",
    "X-Comma: a, b",
    "X-Latin: \xe4",
    "Remote-User: root",
    "REMOTE_USER: root",
    "Proxy: evil",
    "X-Forwarded-For: 192.0.2.1",
    "Authorization: Basic cm9vdDp4",
  );
  has(
    lines,
    "method: GET",
    "base: http://shop.example:8080/",
    "field x-twice: one, two",
    "field x-empty: ",
    "field x-comma: a, b",
    "field authorization: Basic cm9vdDp4",
    "protocol: HTTP/1.1",
    "secure: no",
    "address: 127.0.0.1",
    "user: ",
    "length: ",
  );
  lacks(lines, /under|^field proxy:/);
});

catalystTest("Catalyst sees paths and queries of every shape, and the target as it was sent", async () => {
  await using served = await Served.start();
  const shapes: [target: string, ...wanted: string[]][] = [
    ["/seen/a%2Fb", "arg: a", "arg: b"],
    ["/seen/a%20b/c+d", "arg: a b", "arg: c+d"],
    ["/seen/%C3%A4", "arg: \u00e4"],
    ["//seen//x", "arg: x"],
    ["/seen/x?key+word", "keywords: key word", "uri: http://shop.example:8080/seen/x?key+word"],
    ["/seen/x?a=1&a=2", "keywords: ", "uri: http://shop.example:8080/seen/x?a=1&a=2"],
    ["/seen/100%25?q=%26", "arg: 100%"],
  ];
  for (const [target, ...wanted] of shapes) {
    has(await served.seen(`GET ${target} HTTP/1.1`), `raw: ${target}`, ...wanted);
  }
  const values = await served.lines("/parameters?b=2&a=1&a=%C3%A4&c=x+y&d", {
    method: "POST",
    body: new URLSearchParams([["a", "from the body"], ["e", "\u00fc"], ["e", "2"]]),
  });
  assert.deepEqual(values, [
    "query a: 1",
    "query a: \u00e4",
    "query b: 2",
    "query c: x y",
    "query d: ",
    "body a: from the body",
    "body e: \u00fc",
    "body e: 2",
  ]);
});

catalystTest("Cookies, redirects, statuses and fields arrive as Catalyst gave them", async () => {
  await using served = await Served.start();
  using client = await served.connect();
  const cookies = await client.get("/cookies", "Cookie: visits=3\r\nCookie: a=1%262\r\n");
  assert.equal(new TextDecoder().decode(cookies.body), "a: 1&2\nvisits: 3\n");
  assert.match(client.text, /\r\nSet-Cookie: visits=4; path=\/; HttpOnly\r\n/);
  assert.match(client.text, /\r\nSet-Cookie: thread=warp%20%26%20weft; path=\/; expires=[^\r]*\r\n/);
  const redirect = await client.get("/redirect");
  assert.equal(redirect.status, 303);
  assert.match(client.text, /\r\nLocation: http:\/\/test:\d+\/parameters\?from=a\+redirect\r\n/);
  assert.equal((await client.get("/fields")).status, 418);
  // Catalyst itself sorts its fields.
  assert.match(
    client.text,
    /HTTP\/1\.1 418 I'm a teapot\r\nETag: "1"\r\nContent-Type: text\/plain; charset=utf-8\r\nX-Thread: warp\r\nX-Thread: weft\r\ndate: /,
  );
  assert.equal((await client.get("/nothing")).status, 204);
  const missing = await client.get("/no/such/page");
  assert.equal(missing.status, 404);
  assert.equal(new TextDecoder().decode(missing.body), "There is no such page.\n");
});

catalystTest("Behind a trusted proxy Catalyst makes links for the client's address, and knows the client", async () => {
  await using served = await Served.start("--trust-proxy", "127.0.0.1");
  const proxied = (...fields: string[]) =>
    served.seen("GET /seen HTTP/1.1", "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", ...fields);
  const lines = await proxied("X-Forwarded-Host: shop.example");
  has(lines, "base: https://shop.example/", "uri: https://shop.example/seen", "secure: yes", "address: 192.0.2.1");
  has(await proxied("X-Forwarded-Host: shop.example:8443"), "base: https://shop.example:8443/");
});

catalystTest("HEAD has the fields of GET, without a body, and the connection goes on", async () => {
  await using served = await Served.start();
  using client = await served.connect();
  await client.ask("HEAD", "/large/4000000");
  const [head] = await client.responses(1);
  assert.equal(head?.status, 200);
  assert.equal(head.body.length, 0);
  assert.match(client.text, /^HTTP\/1\.1 200 OK\r\nContent-Length: 4000000\r\n/);
  assert.equal((await client.get("/nothing")).status, 204);
});

catalystTest("Bodies of every size reach Catalyst and come from it", async () => {
  await using served = await Served.start();
  for (const size of [0, 1, 65_537, 20 * MIB]) {
    assert.deepEqual(await served.lines("/size", { method: "POST", body: new Uint8Array(size) }), [`${size} bytes`]);
  }
  const pieces = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let i = 0; i < 30; i++) controller.enqueue(new Uint8Array(100_000));
      controller.close();
    },
  });
  assert.deepEqual(await served.lines("/size", { method: "POST", body: pieces }), ["3000000 bytes"]);
  const large = new Uint8Array(await (await fetch(`${served.url}/large/${8 * MIB}`)).arrayBuffer());
  assert.equal(large.length, 8 * MIB);
  assert.equal(await sumOf(large), await sumOf(new TextEncoder().encode("weft".repeat(2 * MIB))));
});

catalystTest("Uploads with one name twice reach Catalyst byte for byte", async () => {
  await using served = await Served.start();
  const contents = [1000, 3 * MIB].map((size) => Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8)));
  const form = new FormData();
  contents.forEach((bytes, i) =>
    form.append("files", new File([bytes], `part ${i} \u00e4.bin`, { type: "image/png" }))
  );
  form.append("alone", new File([], "empty.txt"));
  const lines = await served.lines("/upload", { method: "POST", body: form });
  const sums = await Promise.all(contents.map(sumOf));
  assert.match(lines[0] ?? "", /^alone empty\.txt application\/octet-stream 0 /);
  assert.deepEqual(lines.slice(1), [
    `files part 0 \u00e4.bin image/png 1000 ${sums[0]}`,
    `files part 1 \u00e4.bin image/png ${3 * MIB} ${sums[1]}`,
  ]);
});

catalystTest("A body that Catalyst writes piece by piece arrives piece by piece", async () => {
  await using served = await Served.start();
  using client = await served.connect();
  await client.ask("GET", "/stream?pause=0.3");
  await client.until("line 1\n");
  assert.ok(!client.text.includes("line 3\n"), client.text);
  const [response] = await client.responses(1);
  assert.equal(
    new TextDecoder().decode(response?.body),
    "line 1\nline 2\nline 3\nline 4\nline 5\nend\n",
  );
});

catalystTest("An error is Catalyst's own page, and the log has its words", async () => {
  await using served = await Served.start();
  const response = await fetch(`${served.url}/error`);
  const text = await response.text();
  assert.equal(response.status, 500);
  assert.match(text, /Please come back later/);
  assert.doesNotMatch(text, /a thread broke/);
  await served.program.waitFor(/\[error\] Caught exception in Weave::Controller::Root->error "a thread broke"/);
});

catalystTest("Weft counts an upload before Perl sees any of it, and tells how far it is", async () => {
  await using served = await Served.start("--upload-progress", "--backend-processes", "1");
  using client = await served.connect();
  const body = `--limit\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n${
    "x".repeat(MIB)
  }\r\n--limit--\r\n`;
  await client.send(
    "POST /upload?progress_id=a-name-of-ours HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=limit\r\n" +
      `Content-Length: ${body.length}\r\n\r\n${body.slice(0, MIB / 2)}`,
  );
  client.expect("POST");
  for (;;) {
    const progress = await (await fetch(`${served.url}/?progress_id=a-name-of-ours`)).json();
    assert.notEqual(progress.state, "error");
    if (progress.received < MIB / 2) continue;
    assert.deepEqual([progress.state, progress.size, progress.received], ["uploading", body.length, MIB / 2]);
    break;
  }
  // The one process of the application is free meanwhile.
  assert.equal((await served.lines("/seen"))[0], "method: GET");
  await client.send(body.slice(MIB / 2));
  const [response] = await client.responses(1);
  assert.match(new TextDecoder().decode(response?.body), /^files a\.txt \S* 1048576 [0-9a-f]{64}\n$/);
  const done = await (await fetch(`${served.url}/?progress_id=a-name-of-ours`)).json();
  assert.deepEqual([done.state, done.received, done.status], ["done", body.length, 200]);
});

catalystTest("A client that uploads slowly does not keep the one process from answering others", async () => {
  await using served = await Served.start("--backend-processes", "1", "--body", "whole");
  using slow = await served.connect();
  const size = 20 * MIB;
  slow.expect("POST");
  await slow.send(`POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`);
  for (let sent = 0; sent < size; sent += MIB) {
    await slow.send(new Uint8Array(MIB));
    assert.equal((await served.lines("/seen"))[0], "method: GET");
  }
  const [response] = await slow.responses(1);
  assert.equal(new TextDecoder().decode(response?.body), `${size} bytes\n`);
});

const browser = await findBrowser();

catalystTest("The page shows how far its upload is, in a browser", async () => {
  if (browser === null) return console.log("left out, because this machine has no browser: the page of the upload");
  await using served = await Served.start("--upload-progress");
  await using browsing = await browse(browser);
  const folder = await Deno.makeTempDir();
  try {
    const page = await browsing.open(`${served.url}/upload`);
    await page.setInputFiles("input[type=file]", await makeFile(folder, { name: "film.bin", bytes: 20 * MIB }));
    await page.click("button");
    await page.locator(".weft-upload-detail", { hasText: "arrived" }).waitFor();
    assert.deepEqual(await browsing.closeAll(), []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
