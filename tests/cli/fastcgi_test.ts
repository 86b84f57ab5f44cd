// `weft fcgi:ADDRESS` as a user starts it: one process and several, the dump, the log, uploads, and what is refused.

import assert from "node:assert/strict";
import { answering, type AppRequest, responder } from "../helpers/fastcgi_responder.ts";
import { runToEnd, start, unixTest } from "../helpers/program.ts";
import { onDeno } from "../helpers/runtime.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { supervise } from "../helpers/supervised.ts";

function clientOf(url: string): Promise<RawClient> {
  return RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port: Number(new URL(url).port) });
}

/** Answers what path it was asked for; /hold waits until it is let go. */
function holding(): { app: (request: AppRequest) => Promise<void>; release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const app = async (request: AppRequest) => {
    if (request.variables.PATH_INFO === "/hold") await promise;
    await answering(`${request.variables.REQUEST_METHOD} ${request.variables.PATH_INFO}`)(request);
  };
  return { app, release: resolve };
}

unixTest(
  "The program serves the application behind a Unix socket, and its dump shows how the backends stand",
  async () => {
    const { app, release } = holding();
    await using backend = responder(app);
    await using program = start(["--port", "0", "--access-log", "-", `fcgi:${backend.address}`]);
    const url = await program.url();
    assert.equal(await (await fetch(`${url}/a%20b`)).text(), "GET /a b");
    await program.waitFor(/"GET \/a%20b HTTP\/1\.1" 200 8|GET \/a%20b .*200/);
    const held = fetch(`${url}/hold`);
    while (backend.connections < 2) await (await fetch(`${url}/other`)).body?.cancel();
    await program.waitFor(/other/);
    program.kill("SIGUSR1");
    await program.waitFor(/Active clients: /);
    assert.match(program.stderr, /\nnr +backend +free +busy +waiting\n0 +unix:\/\S+app\.sock +6[23] +[12] +0\n/);
    release();
    assert.equal(await (await held).text(), "GET /hold");
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
  },
);

unixTest("The log has the bytes of an answer that came in parts", async () => {
  await using backend = responder(async (request) => {
    await request.out("A: b\n\n");
    for (let i = 0; i < 20; i++) await request.out("x".repeat(50_000));
    await request.end();
  });
  await using program = start(["--port", "0", "--access-log", "-", "--bench", `fcgi:${backend.address}`]);
  assert.equal((await (await fetch(await program.url())).text()).length, 1_000_000);
  await program.waitFor(/GET \/ 200 1000000 /);
});

unixTest("Several workers serve it, and ctl dump shows the backends of each", async () => {
  await using backend = responder(answering("from workers"), "127.0.0.1:0");
  await using program = await supervise(["-w", "2", `fcgi:${backend.address}`]);
  await program.atStrength(2);
  const url = await program.url();
  const texts = await Promise.all(Array.from({ length: 20 }, async () => await (await fetch(url)).text()));
  assert.deepEqual(new Set(texts), new Set(["from workers"]));
  const { stdout } = await program.ctl("dump");
  const name = backend.address.replaceAll(".", "\\.");
  assert.match(stdout, new RegExp(`\nnr +backend +free +busy +waiting\n1 +${name} +64 +0 +0\n2 +${name} +64 +0 +0\n`));
  assert.equal((await program.stop()).code, 0);
});

onDeno("Node has no such permissions", unixTest)("Workers that may only do what was named reach it", async () => {
  await using backend = responder(answering("permitted"));
  const socket = backend.address.slice("unix:".length);
  const deno = [
    "--unstable-net",
    "--allow-run",
    "--allow-env",
    "--allow-read",
    "--allow-write",
    "--allow-sys",
    "--allow-ffi",
  ];
  const control = socket.replace(/app\.sock$/, "control.sock");
  const nets = `--allow-net=127.0.0.1,unix:${socket},unix:${control}`;
  await using program = start(["--port", "0", "-w", "1", "--control", control, `fcgi:${backend.address}`], {
    deno: [...deno, nets],
  });
  assert.equal(await (await fetch(await program.url())).text(), "permitted");
});

unixTest("The progress of an upload is known before the application sees a byte", async () => {
  let begun = 0;
  await using backend = responder(async (request) => {
    begun++;
    const body = await request.body();
    await answering(`${body.length} bytes`)(request);
  });
  await using program = start(["--port", "0", "--upload-progress", `fcgi:${backend.address}`]);
  const url = await program.url();
  using client = await clientOf(url);
  await client.send("POST /?progress_id=holiday-film HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nhello");
  const progress = async () => await (await fetch(`${url}/?progress_id=holiday-film`)).json();
  let { received, size } = await progress();
  while (received < 5) ({ received, size } = await progress());
  assert.deepEqual([received, size, begun], [5, 10, 0]);
  await client.send("world");
  await client.until("10 bytes");
  assert.equal(begun, 1);
  // The end of the answer may come after its text.
  let { state, status } = await progress();
  while (state === "uploading") ({ state, status } = await progress());
  assert.deepEqual([state, status], ["done", 200]);
});

unixTest("Answers are compressed whole and in parts, and the parts of an endless one are not held back", async () => {
  const next = Promise.withResolvers<void>();
  const text = "a line of text that repeats itself\n".repeat(1_000);
  await using backend = responder(async (request) => {
    const { PATH_INFO } = request.variables;
    const length = PATH_INFO === "/length" ? `Content-Length: ${2 * text.length}\n` : "";
    await request.out(`Content-Type: ${PATH_INFO === "/events" ? "text/event-stream" : "text/plain"}\n${length}\n`);
    if (PATH_INFO === "/events") {
      await request.out("data: first\n\n");
      await next.promise;
      await request.out("data: second\n\n");
    } else {
      for (let at = 0; at < 2 * text.length; at += 1_000) await request.out((text + text).slice(at, at + 1_000));
    }
    await request.end();
  });
  await using program = start(["--port", "0", "--compress", `fcgi:${backend.address}`]);
  const url = await program.url();
  for (const path of ["length", "chunks"]) {
    const response = await fetch(`${url}/${path}`);
    assert.match(response.headers.get("vary") ?? "", /accept-encoding/i);
    assert.equal(await response.text(), text + text);
  }
  const events = (await fetch(`${url}/events`)).body?.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await events?.read())?.value, "data: first\n\n");
  next.resolve();
  assert.equal((await events?.read())?.value, "data: second\n\n");
  assert.equal((await events?.read())?.done, true);
});

unixTest("A trusted proxy tells the application the client, the scheme and the host", async () => {
  await using backend = responder(async (request) => {
    const { REMOTE_ADDR, HTTPS, REQUEST_SCHEME, HTTP_HOST, SERVER_NAME } = request.variables;
    await answering([REMOTE_ADDR, HTTPS, REQUEST_SCHEME, HTTP_HOST, SERVER_NAME].join(" "))(request);
  });
  await using program = start(["--port", "0", "--trust-proxy", "127.0.0.1", `fcgi:${backend.address}`]);
  const headers = { "x-forwarded-for": "192.0.2.7", "x-forwarded-proto": "https", "x-forwarded-host": "shop.example" };
  const response = await fetch(await program.url(), { headers });
  assert.equal(await response.text(), "192.0.2.7 on https shop.example shop.example");
});

unixTest("Limits hold before the application is asked", async () => {
  await using backend = responder(answering("not reached"));
  await using program = start(["--port", "0", "--max-body-size", "10", `fcgi:${backend.address}`]);
  const url = await program.url();
  const response = await fetch(url, { method: "POST", body: "12345678901" });
  await response.body?.cancel();
  assert.deepEqual([response.status, backend.connections], [413, 0]);
});

unixTest("--backend-timeout says how long a backend may take", async () => {
  await using backend = responder((request) => request.gone());
  await using program = start(["--port", "0", "--backend-timeout", "100ms", `fcgi:${backend.address}`]);
  const response = await fetch(await program.url());
  assert.deepEqual([response.status, await response.text()], [504, "504 Gateway Timeout\n"]);
  await program.waitFor(/\[ERROR\] GET \/ answered 504: backend unix:.*: it has not answered within 0\.1 s/);
});

unixTest("--fastcgi-root serves the files of a site beside the application", async () => {
  const site = Deno.makeTempDirSync({ prefix: "weft-test-" });
  Deno.writeTextFileSync(`${site}/a.php`, "<?php");
  Deno.writeTextFileSync(`${site}/a.txt`, "a text");
  await using backend = responder(async (request) => {
    await answering(request.variables.SCRIPT_FILENAME ?? "")(request);
  });
  await using program = start(["--port", "0", "--fastcgi-root", site, `fcgi:${backend.address}`]);
  const url = await program.url();
  assert.equal(await (await fetch(`${url}/a.txt`)).text(), "a text");
  assert.equal(await (await fetch(`${url}/a.php`)).text(), `${Deno.realPathSync(site)}/a.php`);
  assert.equal((await fetch(`${url}/b.txt`, { method: "HEAD" })).status, 404);
  Deno.removeSync(site, { recursive: true });
});

Deno.test("An address or a directory that is none is refused with a line", async () => {
  const address = await runToEnd(["--port", "0", "fcgi:nowhere"]);
  assert.equal(address.code, 4);
  assert.match(address.stderr, /cannot serve fcgi:nowhere: address: expected unix:PATH or HOST:PORT, got "nowhere"\n/);
  const root = await runToEnd(["--port", "0", "--fastcgi-root", "/nowhere/at/all", "fcgi:127.0.0.1:9000"]);
  assert.equal(root.code, 2);
  assert.match(root.stderr, /--fastcgi-root: expected a directory, got \/nowhere\/at\/all\n/);
  const app = await runToEnd(["--port", "0", "--fastcgi-root", ".", "app.ts"]);
  assert.equal(app.code, 2);
  assert.match(app.stderr, /--fastcgi-root: expected an application such as fcgi:HOST:PORT\n/);
});
