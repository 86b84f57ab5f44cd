// The program as its user meets it: a real process, real sockets, what it prints and how it ends.

import assert from "node:assert/strict";
import { itemAt } from "../helpers/items.ts";
import { hasProgram, runToEnd, start, unixTest } from "../helpers/program.ts";
import { fixture, onDeno, runtime } from "../helpers/runtime.ts";

const APP = fixture("app");
const hasCurl = await hasProgram("curl");

async function text(url: string, init?: RequestInit): Promise<string> {
  return await (await fetch(url, init)).text();
}

Deno.test("The first line on stdout tells where to connect, and the demo answers there", async () => {
  await using program = start(["-p", "0"]);
  const url = await program.url();
  assert.match(program.stdout, /^You can connect to your server at http:\/\/127\.0\.0\.1:\d+\n/);
  assert.match(await text(url), /<h1>Weft is running<\/h1>/);
  assert.match(
    await text(`${url}/echo?q=1`, { method: "POST", body: "warp" }),
    /^POST http:.*\/echo\?q=1\n[\s\S]*\n\nwarp$/,
  );
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
});

Deno.test("The demo's stream comes line by line", async () => {
  await using program = start(["-p", "0"]);
  const response = await fetch(`${await program.url()}/stream`);
  const pieces = await Array.fromAsync(response.body!.pipeThrough(new TextDecoderStream()));
  assert.match(itemAt(pieces, 0), /^line 1 of 50/);
  assert.ok(pieces.length >= 20, `came in ${pieces.length} pieces`);
  assert.equal(pieces.join("").split("\n").length, 51);
});

Deno.test({
  name: "curl gets an answer, uploads with Expect: 100-continue, and sees HTTP/1.1",
  ignore: !hasCurl,
  async fn() {
    await using program = start(["-p", "0", APP]);
    const url = await program.url();
    const run = async (...args: string[]) => {
      const { stdout } = await new Deno.Command("curl", { args: ["-s", "-S", "-m", "10", ...args] }).output();
      return new TextDecoder().decode(stdout);
    };
    assert.match(await run("-i", `${url}/x`), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nhello from \/x\n$/);
    const file = await Deno.makeTempFile();
    await Deno.writeTextFile(file, "x".repeat(2_000_000));
    const big = ["--data-binary", `@${file}`];
    assert.equal(await run("-H", "Expect: 100-continue", ...big, `${url}/count`), "2000000\n");
    assert.equal(await run("-H", "Transfer-Encoding: chunked", ...big, `${url}/count`), "2000000\n");
    assert.equal(await run("-H", "Expect: 100-continue", ...big, `${url}/refused`), "not you\n");
    await Deno.remove(file);
    assert.equal(await run("-0", `${url}/old`), "hello from /old\n");
    assert.equal(await run(`${url}/a`, `${url}/b`), "hello from /a\nhello from /b\n");
  },
});

unixTest("An application gets its own arguments, its hooks are called, and it may import the package", async () => {
  await using program = start(["-p", "0", APP, "--", "--color", "blue"]);
  const url = await program.url();
  assert.deepEqual(JSON.parse(await text(`${url}/args`)), ["--color", "blue"]);
  assert.equal(await text(`${url}/error-class`), "ProtocolError\n");
  await program.waitFor(/the application knows that it is listened for/);
  program.kill("SIGTERM");
  const { code, stdout } = await program.ended;
  assert.equal(code, 0);
  assert.match(stdout, /the application was shut down/);
});

Deno.test("A handler that throws gets 500 without details, and the log its stack; --debug shows them", async () => {
  await using program = start(["-p", "0", APP]);
  const response = await fetch(`${await program.url()}/throw`);
  assert.equal(response.status, 500);
  assert.equal(await response.text(), "500 Internal Server Error\n");
  await program.waitFor(/\[ERROR\] GET \/throw failed: Error: thrown on purpose\n\s+at .*app\.m?[jt]s:\d+/);
  await using debugging = start(["-p", "0", "--debug", APP]);
  assert.match(await text(`${await debugging.url()}/throw`), /thrown on purpose/);
});

Deno.test("An application's rejection that is not caught is logged, and the process lives", async () => {
  await using program = start(["-p", "0", APP]);
  const url = await program.url();
  await text(`${url}/reject-later`);
  await program.waitFor(/\[ERROR\] uncaught error: Error: rejected on purpose/);
  assert.equal(await text(`${url}/still`), "hello from /still\n");
});

Deno.test("A stream that fails is cut, so that the client sees it, and is logged", async () => {
  await using program = start(["-p", "0", APP]);
  const url = await program.url();
  await assert.rejects(() => text(`${url}/broken-stream`));
  await program.waitFor(/\[ERROR\] GET \/broken-stream was cut off, its answer is not complete/);
  assert.equal(await text(`${url}/after`), "hello from /after\n");
});

Deno.test("An error of the application is logged with the application's own frames only, with all under --debug", async () => {
  const source = new URL("src/", runtime.packageName).href;
  for (const isDebug of [false, true]) {
    await using program = start(["-p", "0", ...(isDebug ? ["--debug"] : []), APP]);
    const url = await program.url();
    assert.equal((await fetch(`${url}/throw`)).status, 500);
    await program.waitFor(/\[ERROR\] GET \/throw failed: Error: .*\n +at [^\n]*fixtures\/app\.m?[jt]s/);
    // The line after the stack has come: the stack is complete.
    assert.equal((await fetch(`${url}/throw`)).status, 500);
    await program.waitForCount(/\[ERROR\]/, 2);
    assert.equal(program.stderr.includes(source), isDebug, program.stderr);
  }
});

Deno.test("A port in use ends with 1 and one line that says what to do", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { code, stderr, stdout } = await runToEnd(["-p", `${port}`]);
  assert.equal(code, 1);
  assert.equal(
    stderr,
    `weft: cannot listen on 127.0.0.1:${port}: another process listens there (EADDRINUSE); stop it or choose another --port\n`,
  );
  assert.equal(stdout, "");
});

Deno.test("A bad flag ends with 2 and one line", async () => {
  assert.deepEqual(await runToEnd(["--prot", "80"]), {
    code: 2,
    stdout: "",
    stderr: "weft: unknown flag --prot; did you mean --port? (--help shows all)\n",
  });
  const tls = await runToEnd(["--cert", "cert.pem"]);
  assert.equal(tls.code, 2);
  assert.equal(tls.stderr, "weft: TLS needs both --cert and --key\n");
});

Deno.test("A certificate and a key that were mixed up are named by their flags", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft-test-" });
  try {
    const pem = (name: string, label: string) => {
      Deno.writeTextFileSync(`${directory}/${name}`, `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`);
    };
    pem("cert.pem", "CERTIFICATE");
    pem("key.pem", "PRIVATE KEY");
    pem("encrypted.pem", "ENCRYPTED PRIVATE KEY");
    Deno.writeTextFileSync(`${directory}/text.pem`, "no PEM\n");
    for (
      const [cert, key, message] of [
        ["key.pem", "cert.pem", "--cert: expected a PEM file with a certificate, got key.pem"],
        ["text.pem", "key.pem", "--cert: expected a PEM file with a certificate, got text.pem"],
        ["cert.pem", "cert.pem", "--key: expected a PEM file with a private key, got cert.pem"],
        ["cert.pem", "encrypted.pem", "--key: expected a private key without a passphrase, got encrypted.pem"],
      ] as const
    ) {
      const { code, stderr } = await runToEnd(["-p", "0", "--cert", cert, "--key", key], { cwd: directory });
      assert.deepEqual([code, stderr], [2, `weft: ${message}\n`]);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("--help and --version print and end with 0", async () => {
  const help = await runToEnd(["--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Weft, an HTTP\/1\.1 application server\.[\s\S]*--max-body-size SIZE/);
  const version = await runToEnd(["--version"]);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^weft \d+\.\d+\.\d+ \((deno|node) \d/);
});

Deno.test("PORT opens the server to all addresses, as platforms expect", async () => {
  await using program = start([], { env: { PORT: "0" } });
  assert.match(await program.url(), /^http:\/\/0\.0\.0\.0:\d+$/);
  const [, first, second] =
    /^You can connect to your server at http:\/\/0\.0\.0\.0:(\d+) \(http:\/\/localhost:(\d+)\)\n/.exec(
      program.stdout,
    ) ?? [];
  assert.ok(first !== undefined && first === second, program.stdout);
});

onDeno("Node has no such permissions")(
  "The program runs with the least permissions that the README names",
  async () => {
    await using program = start(["-p", "0", APP], {
      deno: ["--allow-net=127.0.0.1", `--allow-read=${runtime.fixtures}`, "--no-prompt"],
    });
    assert.equal(await text(`${await program.url()}/x`), "hello from /x\n");
  },
);
