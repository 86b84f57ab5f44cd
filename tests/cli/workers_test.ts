// The program with several processes, as its operator meets it: which answer, which die, which are replaced.

import assert from "node:assert/strict";
import { firstItems, itemAt } from "../helpers/items.ts";
import { Load } from "../helpers/load.ts";
import { linuxTest, runToEnd, unixTest } from "../helpers/program.ts";
import { onDeno, runtime } from "../helpers/runtime.ts";
import { supervise, WORKERS_APP } from "../helpers/supervised.ts";

/** An application of one line, in the supervisor's own directory. */
async function appSaying(source: string): Promise<{ directory: string; app: string }> {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const app = `${directory}/app.${runtime.ending}`;
  await Deno.writeTextFile(app, source);
  return { directory, app };
}

linuxTest(
  "CATALYST_POE_MAX_PROC=6 is a parent and five workers, each with its number, who share the port",
  async () => {
    await using program = await supervise([WORKERS_APP], { env: { CATALYST_POE_MAX_PROC: "6" } });
    const url = await program.url();
    assert.match(program.stdout, /^You can connect to your server at http:\/\/127\.0\.0\.1:\d+\n$/);
    const workers = await program.atStrength(5);
    const seen = new Map<number, { worker: string; generation: string }>();
    while (seen.size < 3) {
      const response = await fetch(`${url}/who`, { headers: { connection: "close" } });
      const { pid, ...who } = await response.json();
      seen.set(pid, who);
    }
    for (const [pid, { worker, generation }] of seen) {
      assert.equal(workers.find(({ nr }) => nr === Number(worker))?.pid, pid);
      assert.equal(generation, "1");
    }
    const { code, stderr } = await program.stop();
    assert.equal(code, 0);
    assert.match(stderr, /\[\d{4}-\d\d-\d\dT[\d:.]+Z\] \[\d+\] \[INFO\] worker=2 gen=1 pid=\d+ ready in \d+ ms\n/);
    assert.match(stderr, /\[INFO\] stopped; connections finished: \d+, cut: 0, refused: 0\n$/);
  },
);

linuxTest("Workers that are killed are replaced, and only what they were answering is lost", async () => {
  await using program = await supervise(["-w", "5", WORKERS_APP]);
  const port = await program.port();
  let workers = await program.atStrength(5);
  const killed = new Set<string>();
  await using load = new Load(port, { clients: 10, isKeptAlive: true });
  // Two at a time, each place in its turn, so that none is killed often enough to wait for long.
  for (let round = 0; round < 10; round++) {
    await load.more(50);
    for (const nr of [round % 5, (round + 2) % 5]) {
      killed.add(`${itemAt(workers, nr).pid}`);
      Deno.kill(itemAt(workers, nr).pid, "SIGKILL");
    }
    await program.waitForCount(/ended: signal SIGKILL/, killed.size);
    workers = (await program.atStrength(5)).sort((a, b) => a.nr - b.nr);
  }
  await load.more(200);
  await load.stop();
  assert.equal(killed.size, 20);
  for (const { last, reason } of load.failed) {
    assert.ok(last === null || killed.has(last), `worker ${last} was not killed, but: ${reason}`);
  }
  assert.ok(load.failed.length <= 20 * 10, load.rate);
  for (const { pid } of workers) assert.ok(!killed.has(`${pid}`));
});

/** How V8 was told to work in a process. */
async function v8FlagsOf(pid: number): Promise<string[]> {
  const words = (await Deno.readTextFile(`/proc/${pid}/cmdline`)).split("\0");
  return words.filter((word) => word.startsWith("--v8-flags"));
}

onDeno("only Deno's workers are given flags of V8", linuxTest)(
  "A worker that is waited for has room for its start, unless the user says how much; its successors have not",
  async () => {
    await using program = await supervise(["-w", "1", WORKERS_APP]);
    const [first] = firstItems(await program.atStrength(1), 1);
    assert.deepEqual(await v8FlagsOf(first.pid), ["--v8-flags=--min-semi-space-size=8"]);
    assert.ok((await program.ask({ ask: "reload" })).ok);
    const [second] = firstItems(await program.atStrength(1), 1);
    assert.notEqual(second.pid, first.pid);
    assert.deepEqual(await v8FlagsOf(second.pid), []);
    assert.equal((await program.stop()).code, 0);

    const other = "--v8-flags=--stack-size=900";
    const own = "--v8-flags=--max-semi-space-size=4";
    for (
      const { flag, env, expected } of [
        { flag: other, expected: [`${other},--min-semi-space-size=8`] },
        { flag: own, expected: [own] },
        { flag: other, env: { DENO_V8_FLAGS: "--semi-space-growth-factor=3" }, expected: [other] },
      ]
    ) {
      await using told = await supervise(["-w", "1", WORKERS_APP], { deno: ["-A", flag], env });
      const [worker] = firstItems(await told.atStrength(1), 1);
      assert.deepEqual(await v8FlagsOf(worker.pid), expected);
      assert.equal((await told.stop()).code, 0);
    }
  },
);

unixTest("A worker whose loop hangs is replaced, and its request stands in the log before it is killed", async () => {
  await using program = await supervise(["-w", "1", "--worker-timeout", "2", WORKERS_APP]);
  const url = await program.url();
  const [{ pid }] = firstItems(await program.atStrength(1), 1);
  await assert.rejects(() => fetch(`${url}/loop`));
  await program.waitFor(/worker=1 gen=1 pid=\d+ hangs; requests in flight: GET \/loop\n/);
  await program.waitFor(/hangs[^]*worker=1 gen=1 pid=\d+ ended: timeout: its loop has not answered for 2 s\n/);
  const [successor] = firstItems(await program.atStrength(1), 1);
  assert.notEqual(successor.pid, pid);
  assert.equal(successor.restarts, 1);
});

unixTest(
  "A worker that dies young for ever is given up after five boots, with the waits that the log states",
  async () => {
    const { app, directory } = await appSaying("globalThis.process.exit(7);");
    await using program = await supervise(["-w", "1", app], { directory });
    const { code, stderr, stdout } = await program.ended;
    assert.equal(code, 3);
    assert.equal(stdout, "");
    assert.equal([...stderr.matchAll(/pid=\d+ ended: exit code 7\n/g)].length, 5);
    const waits = [...stderr.matchAll(/\[([^\]]+)\] \[\d+\] \[WARN\] worker=1 is started again in (\d+) ms/g)];
    assert.equal(waits.length, 3);
    waits.forEach(([, , ms], i) => assert.ok(Math.abs(Number(ms) - 100 * 2 ** i) <= 21 * 2 ** i, `${ms} ms`));
    assert.match(stderr, /weft: no worker has booted in 5 attempts; the last one ended: exit code 7\n$/);
  },
);

unixTest(
  "An application that does not load at first start ends with 4 and one message, however many workers",
  async () => {
    const { app, directory } = await appSaying('const a = 1;\nthrow new Error("no database");\n');
    await using program = await supervise(["-w", "3", app], { directory });
    const { code, stderr } = await program.ended;
    assert.equal(code, 4);
    assert.equal([...stderr.matchAll(/cannot load the application/g)].length, 1);
    assert.match(stderr, /weft: cannot load the application \S+\nError: no database\n[^]*app\.m?[jt]s:2:/);
    assert.doesNotMatch(stderr, /\[ERROR\]/);
  },
);

unixTest("A port in use ends with 1 and one message, also if its owner would share it", async () => {
  await using first = await supervise(["-w", "2", WORKERS_APP]);
  const port = await first.port();
  await using second = await supervise(["-w", "2", WORKERS_APP], { port: ["-p", `${port}`] });
  const { code, stderr } = await second.ended;
  assert.equal(code, 1);
  assert.equal([...stderr.matchAll(/another process listens there \(EADDRINUSE\)/g)].length, 1);
});

linuxTest("A worker leaves after --max-requests, its successor ready first, and breaks no connection", async () => {
  await using program = await supervise(["-w", "2", "--max-requests", "200", WORKERS_APP]);
  const port = await program.port();
  await program.atStrength(2);
  await using load = new Load(port, { clients: 4, isKeptAlive: true });
  await program.waitForCount(/left \(max-requests\), requests: \d+\n/, 2);
  await load.stop();
  // A connection that waits in the queue of a socket that closes may be reset; one that was answered is never.
  assert.deepEqual(load.failed.filter(({ last }) => last !== null), []);
  assert.ok(load.failed.length <= 5, load.rate);
  for (const [, nr, pid] of program.stderr.matchAll(/worker=(\d) gen=1 pid=(\d+) left \(max-requests\)/g)) {
    const before = program.stderr.slice(0, program.stderr.indexOf(`pid=${pid} left`));
    const times = (what: string) => [...before.matchAll(new RegExp(`worker=${nr} gen=1 pid=\\d+ ${what}`, "g"))].length;
    // Each worker that left before had a successor, and so has this one.
    assert.ok(times("ready") >= times("left") + 2);
  }
  assert.doesNotMatch(program.stderr, /\[ERROR\]/);
});

unixTest("A worker that holds more than --max-rss leaves likewise", async () => {
  await using program = await supervise(["-w", "1", "--max-rss", "150m", WORKERS_APP]);
  const url = await program.url();
  for (let i = 0; i < 3; i++) await (await fetch(`${url}/hoard`)).text();
  await program.waitFor(/left \(max-rss\)/);
  assert.doesNotMatch(program.stderr, /\[ERROR\]/);
  assert.equal(await (await fetch(`${url}/count`, { method: "POST", body: "123" })).text(), "3\n");
});

unixTest("A supervisor that is killed leaves no worker behind: they finish what they have, and go", async () => {
  await using program = await supervise(["-w", "2", WORKERS_APP]);
  const port = await program.port();
  await program.atStrength(2);
  using uploading = await Deno.connect({ hostname: "127.0.0.1", port });
  await uploading.write(new TextEncoder().encode("POST /count HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n1"));
  while (!/POST +\/count/.test((await program.ask({ ask: "dump" }) as { text: string }).text));
  program.kill("SIGKILL");
  await program.waitForCount(/the supervisor is gone: stopping/, 2);
  await uploading.write(new Uint8Array(99_999));
  assert.match(await new Response(uploading.readable).text(), /\r\n\r\n100000\n$/);
  // Its stdout and stderr are its workers' too: they end when the last of them does.
  await program.ended;
});

unixTest("What does not fit together is refused with 2 and one line", async () => {
  for (
    const [args, message] of [
      [["--max-proc", "0"], "--max-proc: expected 1 or more, or auto, got 0"],
      [
        ["--max-proc", "3", "--workers", "2"],
        "--max-proc and --workers exclude each other: --max-proc counts the parent too",
      ],
      [
        ["--workers", "2", "--unix", "/tmp/x.sock"],
        "--unix: several processes cannot listen on one path; use a port, or have the socket made by systemd (--fd)",
      ],
      [
        ["--workers", "2", "--port", "0", "--fd", "3"],
        "--port and --fd exclude each other: the socket listens already",
      ],
      [
        ["--workers", "1000"],
        `1000 workers are too many for ${navigator.hardwareConcurrency} processors; at most ${
          16 * navigator.hardwareConcurrency
        }`,
      ],
      [
        ["--fd", "3", "--cert", "c.pem", "--key", "k.pem"],
        "--cert and --fd exclude each other: the socket listens already",
      ],
      [["ctl", "scale", "many"], 'ctl scale: expected a number of workers, or +1 or -1, got "many"'],
      [["ctl", "scale"], "ctl scale: expected a number of workers, or +1 or -1"],
      [["ctl", "sing"], "ctl: expected status, top, dump, reload, scale or stop, got sing"],
    ] as const
  ) assert.deepEqual(await runToEnd([...args]), { code: 2, stdout: "", stderr: `weft: ${message}\n` });
});
