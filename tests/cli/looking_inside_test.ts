// What the program shows of itself: dump, trace, stopwatch, access log.

import assert from "node:assert/strict";
import { start, unixTest } from "../helpers/program.ts";
import { fixture, onDeno } from "../helpers/runtime.ts";

const APP = fixture("app");

unixTest("USR1 prints the state with one line per client, and nothing secret", async () => {
  await using program = start(["-p", "0", "--keep-alive", "2m", "--debug", APP]);
  const url = await program.url();
  const aborter = new AbortController();
  const never = fetch(`${url}/never?token=secret`, { headers: { cookie: "secret" }, signal: aborter.signal });
  never.catch(() => {});
  await program.waitFor(/dispatch GET \/never/);
  const uploading = await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
  await uploading.write(
    new TextEncoder().encode("PUT /count HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n12345"),
  );
  await program.waitFor(/dispatch PUT \/count/);
  program.kill("SIGUSR1");
  await program.waitFor(/Active clients: 2\n/);
  const dump = program.stderr.slice(program.stderr.indexOf("-- weft"));
  assert.match(
    dump,
    /^-- weft engine state --\nversion: \d.* on (deno|node) .*\nuptime: [\d.]+s\nconfiguration: .*keepAliveMs=120000/,
  );
  assert.match(
    dump,
    /nr +generation +pid +ready +age +requests +rss +restarts\n0 +1 +\d+ +yes +[\d.]+s +2 +[\d.]+MiB +0\n/,
  );
  assert.match(dump, /id +peer +phase +age +requests +METHOD +path +body received\/size +written +idle\n/);
  assert.match(dump, /\d+ +127\.0\.0\.1:\d+ +dispatch +[\d.]+s +1 +GET +\/never +0\/0 +0 +[\d.]+s\n/);
  assert.match(dump, /\d+ +127\.0\.0\.1:\d+ +dispatch +[\d.]+s +1 +PUT +\/count +5\/100000 +0 +[\d.]+s\n/);
  assert.doesNotMatch(dump, /secret/);
  uploading.close();
  aborter.abort();
});

unixTest("--debug traces every phase of a request", async () => {
  await using program = start(["-p", "0", "--debug", APP]);
  await (await fetch(`${await program.url()}/x`)).text();
  const [lines] = await program.waitFor(/\[1\] \[\d+\] idle\n(\[1\] .*\n){3}\[1\] \[\d+\] idle\n/);
  const pid = program.pid;
  assert.equal(
    lines,
    [
      `[1] [${pid}] idle`,
      `[1] [${pid}] header request 1`,
      `[1] [${pid}] dispatch GET /x`,
      `[1] [${pid}] write 200`,
      `[1] [${pid}] idle`,
      "",
    ].join("\n"),
  );
});

unixTest("--bench prints the milliseconds of every phase", async () => {
  await using program = start(["-p", "0", "--bench", APP]);
  await (await fetch(`${await program.url()}/x`, { method: "POST", body: "12345" })).text();
  await program.waitFor(
    /\[1\] \[\d+\] POST \/x 200 wait [\d.]+, header [\d.]+, body [\d.]+, dispatch [\d.]+, first byte [\d.]+, write [\d.]+ ms\n/,
  );
});

unixTest("The access log goes to a file in the format that was asked for", async () => {
  const directory = await Deno.makeTempDir();
  try {
    for (
      const [format, line] of [
        ["short", /^127\.0\.0\.1 GET \/x\?y 200 14 [\d.]+ ms\n127\.0\.0\.1 POST \/throw 500 26 [\d.]+ ms\n$/],
        [
          "combined",
          /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:[\d:]{8} \+0000\] "GET \/x\?y HTTP\/1\.1" 200 14 "-" "agent \\x22x\\x22" [\d.]+\n/,
        ],
        [
          "json",
          /^\{"time":"[^"]+Z","remote":"127\.0\.0\.1","method":"GET","target":"\/x\?y","version":"HTTP\/1\.1","status":200,/,
        ],
      ] as const
    ) {
      const file = `${directory}/${format}.log`;
      await using program = start(["-p", "0", "--access-log", file, "--log-format", format, APP]);
      const url = await program.url();
      await (await fetch(`${url}/x?y`, { headers: { "user-agent": 'agent "x"' } })).text();
      await (await fetch(`${url}/throw`, { method: "POST", body: "x" })).text();
      program.kill("SIGTERM");
      assert.equal((await program.ended).code, 0);
      assert.match(await Deno.readTextFile(file), line);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

unixTest("A refused request and a client that left stand in the access log too", async () => {
  // A client that closes its side still gets its answer. It has left when the write timeout is over.
  await using program = start(["-p", "0", "--access-log", "-", "--debug", "--write-timeout", "1", APP]);
  const port = Number(new URL(await program.url()).port);
  const bad = await Deno.connect({ hostname: "127.0.0.1", port });
  await bad.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
  assert.match(await new Response(bad.readable).text(), /^HTTP\/1\.1 400 Bad Request\r\n/);
  await program.waitFor(/127\.0\.0\.1 - - 400 0 /);
  const gone = await Deno.connect({ hostname: "127.0.0.1", port });
  await gone.write(new TextEncoder().encode("GET /never HTTP/1.1\r\nHost: x\r\n\r\n"));
  await program.waitFor(/dispatch GET \/never/);
  gone.close();
  await program.waitFor(/127\.0\.0\.1 GET \/never 499 0 /);
});

onDeno("Weft opens no debugger on Node", unixTest)("The debugger that Deno opens on USR1 is closed again", async () => {
  if (/^2\.9\.[01]$/.test(Deno.version.deno)) return console.log("skipped, Deno opens none on USR1 before 2.9.2");
  await using program = start(["-p", "0", APP]);
  await program.url();
  // Deno listens for USR1 only after a while; until then there is nothing to close.
  while (!program.stderr.includes("Debugger listening")) {
    const { length } = program.stdout + program.stderr;
    program.kill("SIGUSR1");
    await program.waitFor(new RegExp(`^[^]{${length + 1},}$`));
  }
  const [, port] = await program.waitFor(/Debugger listening on ws:\/\/127\.0\.0\.1:(\d+)/);
  await program.waitFor(/\[INFO\] the debugger that the runtime opens on USR1 is closed again/);
  // Signals that were still on their way open it again, and it is closed again with a line for each.
  for (;;) {
    const { length } = program.stdout + program.stderr;
    const isOpen = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }).then(
      (connection) => (connection.close(), true),
      () => false,
    );
    if (!isOpen) break;
    await program.waitFor(new RegExp(`^[^]{${length + 1},}$`));
  }
});
