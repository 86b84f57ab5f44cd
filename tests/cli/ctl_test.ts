// How an operator looks at workers that run, and changes how many there are: `weft ctl` and signals.

import assert from "node:assert/strict";
import { firstItems, itemAt } from "../helpers/items.ts";
import { runToEnd, start, unixTest } from "../helpers/program.ts";
import { supervise, WORKERS_APP } from "../helpers/supervised.ts";

unixTest(
  "ctl status tells how it stands, for people and for programs, and ends with 0 only where it serves",
  async () => {
    await using program = await supervise(["-w", "2", WORKERS_APP]);
    const url = await program.url();
    const pids = (await program.atStrength(2)).map(({ pid }) => pid);
    const { code, stdout } = await program.ctl("status");
    assert.equal(code, 0);
    assert.ok(stdout.startsWith(`serving at ${url}: 2 of 2 workers ready, generation 1\nweft `), stdout);
    assert.match(
      stdout,
      /\nworker +generation +pid +state +age +requests +connections +rss +restarts\n1 +1 +\d+ +ready /,
    );
    const json = JSON.parse((await program.ctl("status", "--json")).stdout);
    assert.deepEqual([json.state, json.url, json.pid, json.generation], ["serving", url, program.pid, 1]);
    assert.deepEqual(json.workers.map(({ pid }: { pid: number }) => pid), pids);
    assert.equal((await program.ctl("stop")).stdout, "stopping\n");
    const { code: atEnd, stderr } = await program.ended;
    assert.equal(atEnd, 0);
    assert.match(stderr, /\[INFO\] ctl: stopping; connections open: \d+; SIGTERM stops now\n/);
  },
);

unixTest("ctl status ends with 1 while it drains", async () => {
  await using program = await supervise(["-w", "1", "--drain-delay", "1h", WORKERS_APP]);
  await program.atStrength(1);
  program.kill("SIGTERM");
  await program.waitFor(/SIGTERM: stopping/);
  const { code, stdout } = await program.ctl("status");
  assert.equal(code, 1);
  assert.match(stdout, /^draining at /);
  program.kill("SIGTERM");
  await program.ended;
});

unixTest("Workers come and go by TTIN, TTOU and ctl scale, and never the last", async () => {
  await using program = await supervise(["-w", "1", WORKERS_APP]);
  await program.atStrength(1);
  program.kill("SIGTTIN");
  await program.atStrength(2);
  program.kill("SIGTTOU");
  await program.waitFor(/worker=2 gen=1 pid=\d+ left \(scale\)/);
  program.kill("SIGTTOU");
  assert.deepEqual(await program.ctl("scale", "+2"), { code: 0, stdout: "workers: 3\n", stderr: "" });
  await program.atStrength(3);
  assert.equal((await program.ctl("scale", "-1")).stdout, "workers: 2\n");
  assert.equal((await program.ctl("scale", "0", "--json")).stdout, '{"text":"workers: 1"}\n');
  await program.waitForCount(/left \(scale\)/, 3);
  assert.equal(itemAt(await program.atStrength(1), 0).nr, 1);
});

unixTest("A dump shows all processes at once, by USR1, ctl dump and ctl top", async () => {
  await using program = await supervise(["-w", "2", "--graceful-timeout", "1", WORKERS_APP]);
  const port = await program.port();
  await program.atStrength(2);
  const connections = await Promise.all(Array.from({ length: 6 }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("GET /never?token=secret HTTP/1.1\r\nhost: x\r\n\r\n"));
    return connection;
  }));
  const dump = async () => (await program.ask({ ask: "dump" }) as { text: string }).text;
  while ([...(await dump()).matchAll(/GET +\/never/g)].length < 6);
  const expected = new RegExp(
    "^-- weft engine state --\\nversion: .*\\nuptime: .*\\n" +
      `configuration: supervisor=${program.pid} control=\\S+ .*\\naccepted: 6 connections, 0 pauses\\n` +
      "nr +generation +pid +ready .*\\n1 +1 +\\d+ +yes .*\\n2 +1 +\\d+ +yes .*\\n" +
      "id +peer .*\\n([12]\\.\\d+ +127\\.0\\.0\\.1:\\d+ +dispatch .* GET +/never .*\\n){6}Active clients: 6\\n$",
  );
  assert.match((await program.ctl("dump")).stdout, expected);
  assert.match((await program.ctl("top")).stdout, expected);
  program.kill("SIGUSR1");
  await program.waitFor(/Active clients: 6\n/);
  // The runtime says a line of its own when it opens its debugger.
  assert.match(/-- weft engine state --[^]*Active clients: 6\n/.exec(program.stderr)![0], expected);
  assert.equal([...program.stderr.matchAll(/-- weft engine state --/g)].length, 1, "one for all processes");
  assert.doesNotMatch(program.stderr, /secret/);
  for (const connection of connections) connection.close();
});

unixTest("ctl finds the only supervisor, names several, and says where there is none", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const env = { XDG_RUNTIME_DIR: directory, TMPDIR: directory };
  const ctl = (...args: string[]) => runToEnd(["ctl", ...args], { env });
  try {
    const none = await ctl("status");
    assert.equal(none.code, 1);
    assert.equal(
      none.stderr,
      `weft: no supervisor runs (looked in ${directory}/weft and ${directory}/weft-${Deno.uid()}). ` +
        "Only a program with --workers, --max-proc or --restart has one; kill -USR1 PID shows the state of one without. " +
        "If it was started with --control PATH, give ctl the same\n",
    );
    const named = await ctl("status", "--control", `${directory}/none.sock`);
    assert.equal(named.code, 1);
    assert.match(named.stderr, /^weft: no supervisor answers at \S+none\.sock: (No such file|connect ENOENT)/);
    await using first = start(["-w", "1", "-p", "0", WORKERS_APP], { env });
    await first.url();
    const own = `${directory}/weft/${first.pid}.sock`;
    const socket = await Deno.lstat(own);
    assert.deepEqual([socket.isSocket, socket.mode! & 0o777], [true, 0o600]);
    assert.equal((await Deno.lstat(`${directory}/weft`)).mode! & 0o777, 0o700);
    assert.equal((await ctl("status")).code, 0);
    {
      await using second = start(["-w", "1", "-p", "0", WORKERS_APP], { env });
      await second.url();
      const several = await ctl("status");
      assert.equal(several.code, 1);
      const lines = [first, second].map(({ pid }) => `  --control ${directory}/weft/${pid}.sock  # pid ${pid}`);
      assert.deepEqual(several.stderr.trimEnd().split("\n").toSorted(), [
        ...lines.toSorted(),
        "weft: several supervisors run; name one:",
      ]);
      assert.equal((await ctl("status", `--control=${own}`)).code, 0);
    }
    // The second was killed and has left its socket, which misleads no command.
    assert.equal((await ctl("status")).code, 0);
    first.kill("SIGTERM");
    assert.equal((await first.ended).code, 0);
    await assert.rejects(() => Deno.lstat(own), Deno.errors.NotFound);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

unixTest("A --control that is not a socket, or is another process's, is left alone", async () => {
  await using program = await supervise(["-w", "1", WORKERS_APP]);
  await program.atStrength(1);
  const file = `${program.directory}/notes.txt`;
  await Deno.writeTextFile(file, "precious");
  for (
    const [path, message] of [
      [file, "the path exists and is not a socket but a file"],
      [program.control, "another process listens there"],
    ] as const
  ) {
    assert.deepEqual(await runToEnd(["-w", "1", "-p", "0", "--control", path, WORKERS_APP]), {
      code: 1,
      stdout: "",
      stderr: `weft: cannot open the control socket ${path}: ${message}; choose another --control\n`,
    });
  }
  assert.equal(await Deno.readTextFile(file), "precious");
});

unixTest("Very long paths are cut in a dump, and cost no worker its place", async () => {
  await using program = await supervise(["-w", "1", "--graceful-timeout", "1", WORKERS_APP]);
  const port = await program.port();
  const [{ pid }] = firstItems(await program.atStrength(1), 1);
  const request = new TextEncoder().encode(`GET /never/${"x".repeat(7_900)} HTTP/1.1\r\nhost: a\r\n\r\n`);
  const connections = await Promise.all(Array.from({ length: 1_200 }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(request);
    return connection;
  }));
  try {
    let shown = "";
    while ((shown.match(/ GET +\/never\/x{193}\.\.\. /g)?.length ?? 0) < connections.length) {
      const reply = await program.ask({ ask: "dump" });
      assert.ok(reply.ok && "text" in reply);
      shown = reply.text;
    }
    assert.deepEqual((await program.atStrength(1)).map((worker) => worker.pid), [pid]);
  } finally {
    for (const connection of connections) connection.close();
  }
});

unixTest(
  "ctl does not trust a directory that others can write to: any user could have made a socket there",
  async () => {
    const directory = await Deno.makeTempDir();
    try {
      await Deno.mkdir(`${directory}/weft`);
      await Deno.chmod(`${directory}/weft`, 0o777);
      const env = { XDG_RUNTIME_DIR: directory, TMPDIR: directory };
      const { code, stderr } = await runToEnd(["ctl", "status"], { env });
      assert.equal(code, 1);
      assert.match(
        stderr,
        /; \/.*\/weft is not trusted: .* is open to others; expected mode 0700\)\. Only a program with .* give ctl the same\n$/,
      );
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);
