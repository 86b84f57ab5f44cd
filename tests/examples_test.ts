// What the README and the examples tell a user is so.

import assert from "node:assert/strict";
import { run } from "./helpers/building.ts";
import { fromFileUrl } from "./helpers/paths.ts";
import { start, unixTest } from "./helpers/program.ts";
import { project } from "./helpers/projects.ts";
import { Chatter } from "./helpers/web_sockets.ts";

const example = (name: string) => fromFileUrl(new URL(`../examples/${name}`, import.meta.url));

Deno.test("Every command with npx names the major version of Deno", async () => {
  let count = 0;
  for (
    const name of [
      "README.md",
      "CONTRIBUTING.md",
      ".ci/run",
      ".github/workflows/ci.yml",
      ".github/workflows/release.yml",
    ]
  ) {
    const text = await Deno.readTextFile(new URL(`../${name}`, import.meta.url));
    for (const [command] of text.matchAll(/\bnpx [^\n`]*\bdeno\b[^\n`]*/g)) {
      count++;
      assert.match(command, /^npx -y deno@2(\.9\.0)?( |$)/, name);
    }
  }
  assert.ok(count > 10, `${count} commands were found`);
});

Deno.test("examples/hello.ts says hello", async () => {
  await using program = start(["-p", "0", example("hello.ts")]);
  assert.equal(await (await fetch(await program.url())).text(), "hello\n");
});

Deno.test("examples/hono.ts is a Hono application from npm", async () => {
  await using program = start(["-p", "0", example("hono.ts")]);
  const url = await program.url();
  assert.equal(await (await fetch(url)).text(), "hello from Hono\n");
  const user = await fetch(`${url}/users/42`, { headers: { "user-agent": "weft test" } });
  assert.deepEqual(await user.json(), { id: "42", agent: "weft test" });
  const echo = await fetch(`${url}/echo`, { method: "POST", body: JSON.stringify({ warp: ["weft"] }) });
  assert.deepEqual(await echo.json(), { warp: ["weft"] });
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
});

Deno.test("examples/chat.ts says to a room what is said in it, here and under Deno.serve", async () => {
  const talk = async (url: string) => {
    assert.match(await (await fetch(url)).text(), /<title>Chat<\/title>/);
    const none = await fetch(`${url}/rooms/none`);
    assert.deepEqual([none.status, await none.text()], [404, "no such room\n"]);
    const [ada, bob, other] = [
      await Chatter.to(`${url}/rooms/warp`),
      await Chatter.to(`${url}/rooms/warp`),
      await Chatter.to(`${url}/rooms/weft`),
    ] as const;
    assert.deepEqual([await ada.next(), await ada.next(), await bob.next()], [
      "1 in this room",
      "2 in this room",
      "2 in this room",
    ]);
    bob.socket.send("hello");
    assert.deepEqual([await ada.next(), await bob.next(), await other.next()], ["hello", "hello", "1 in this room"]);
    for (const chatter of [ada, bob, other]) await chatter[Symbol.asyncDispose]();
    assert.deepEqual([ada.messages.at(-1) ?? "", other.messages], ["", []]);
  };
  await using program = start(["-p", "0", example("chat.ts")]);
  await talk(await program.url());
  const { default: app } = await import("../examples/chat.ts");
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, app.fetch);
  await talk(`http://127.0.0.1:${server.addr.port}`);
  await server.shutdown();
});

Deno.test("examples/upload.ts takes files and says what it got", async () => {
  await using program = start(["-p", "0", example("upload.ts")]);
  const url = await program.url();
  assert.match(await (await fetch(url)).text(), /<form method="post" enctype="multipart\/form-data">/);
  const form = new FormData();
  form.append("note", "two of them");
  form.append("files", new File(["warp"], "../warp.txt", { type: "text/plain" }));
  form.append("files", new File(["weft!"], "weft.txt"));
  const response = await fetch(url, { method: "POST", body: form });
  assert.deepEqual(await response.json(), {
    note: "two of them",
    files: [
      { name: "warp.txt", type: "text/plain", size: 4 },
      { name: "weft.txt", type: "application/octet-stream", size: 5 },
    ],
  });
  assert.equal((await fetch(url, { method: "POST", body: "no form" })).status, 415);
});

Deno.test("examples/streaming.ts sends its first pieces at once", async () => {
  await using program = start(["-p", "0", example("streaming.ts")]);
  const url = await program.url();
  for (const [path, first] of [["/text", "line 1\n"], ["/events", "event: tick\ndata: 1\n\n"]]) {
    const response = await fetch(url + path);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, first);
    await reader.cancel();
  }
});

/** Tells whether JSR, or the mirror that Deno would ask, answers within three seconds; if not, prints why a test is skipped. */
async function jsrAnswers(name: string): Promise<boolean> {
  const url = new URL(`${name}/meta.json`, Deno.env.get("JSR_URL") ?? "https://jsr.io/");
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
    await response.body?.cancel();
    if (response.ok) return true;
    console.log(`skipped, JSR answers ${response.status} for ${name}`);
  } catch (error) {
    console.log(`skipped, JSR does not answer: ${error}`);
  }
  return false;
}

Deno.test("examples/static.ts, which the types' check of the others leaves out, has no error and serves files", async () => {
  if (!await jsrAnswers("@std/http")) return;
  const { imports } = JSON.parse(await Deno.readTextFile(example("../deno.json")));
  await using own = await project({
    "deno.json": JSON.stringify({ imports }),
    "static.ts": await Deno.readTextFile(example("static.ts")),
    "files/page.html": "<p>a page",
  });
  await run(own.directory, Deno.execPath(), "check", "static.ts");
  await using program = start(["-p", "0", example("static.ts"), "--", own.path("files")]);
  const url = await program.url();
  const page = await fetch(`${url}/page.html`);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  assert.equal(await page.text(), "<p>a page");
  const part = await fetch(`${url}/page.html`, { headers: { range: "bytes=3-8" } });
  assert.deepEqual([part.status, await part.text()], [206, "a page"]);
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
});

unixTest("examples/streaming.ts ends its streams when a client ends its side, and when the process stops", async () => {
  await using program = start(["-p", "0", example("streaming.ts")]);
  const url = await program.url();
  const port = Number(new URL(url).port);
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
  await conn.closeWrite();
  assert.match(await new Response(conn.readable).text(), /event: tick\ndata: 1\n\n[^]*\r\n0\r\n\r\n$/);
  const { body } = await fetch(`${url}/text`);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "line 1\n");
  program.kill("SIGTERM");
  while (!(await reader.read()).done);
  assert.equal((await program.ended).code, 0);
});

unixTest("examples/library.ts serves without the program", async () => {
  const source = (await Deno.readTextFile(example("library.ts"))).replace("port: 8000", "port: 0");
  const copy = example("library_on_a_free_port.ts");
  await Deno.writeTextFile(copy, source);
  try {
    const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", copy], stderr: "piped" }).spawn();
    const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
    const [, url] = /^Listening on (http:\/\/127\.0\.0\.1:\d+\/)\n$/.exec((await reader.read()).value!)!;
    assert.equal(await (await fetch(`${url}x`)).text(), `GET ${url}x from 127.0.0.1\n`);
    child.kill("SIGINT");
    assert.equal((await child.status).code, 0);
    await reader.cancel();
  } finally {
    await Deno.remove(copy);
  }
});
