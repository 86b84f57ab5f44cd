// `weft app.psgi`: the processes of an application in Perl, from their start to their end.

import assert from "node:assert/strict";
import { plackTest } from "../helpers/fastcgi_programs.ts";
import { Load } from "../helpers/load.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { type Running, runToEnd, start, unixTest } from "../helpers/program.ts";
import { supervise, type Supervised } from "../helpers/supervised.ts";

const APP = fromFileUrl(new URL("../fixtures/processes.psgi", import.meta.url));

/** The number of the newest process group of the application. */
function groupOf(program: Running): number {
  const groups = [...program.stderr.matchAll(/processes: \d+, group=(\d+), ready/g)];
  return Number(groups.at(-1)?.[1]);
}

/** Tells whether a process of a group runs. One that has ended may still have its number, if no parent asks how it ended. */
async function isThere(group: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("ps", { args: ["-A", "-o", "pgid=,stat="] }).output();
  return new RegExp(`^ *${group} +[^Z]`, "m").test(new TextDecoder().decode(stdout));
}

/** Waits for what the system does not tell of. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** Asks for the process that answers. */
async function ask(url: string, path = "/"): Promise<{ pid: number; parent: number; text: string }> {
  const response = await fetch(new URL(path, url));
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { pid: Number(response.headers.get("x-pid")), parent: Number(response.headers.get("x-parent")), text };
}

/** A directory of its own for a program's temporary files. */
class Temporary implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "weft-test-" });
  readonly env = { TMPDIR: this.path };

  names(): string[] {
    return Array.from(Deno.readDirSync(this.path), ({ name }) => name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** An application with a module of its own, as its author has it. */
class Project implements AsyncDisposable {
  readonly path = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "weft-test-" }));
  readonly app = `${this.path}/script/app.psgi`;

  constructor() {
    Deno.mkdirSync(`${this.path}/script`);
    Deno.mkdirSync(`${this.path}/lib`);
    Deno.copyFileSync(APP, this.app);
    this.save("old");
  }

  save(word: string): void {
    this.write(`package Word;\nuse strict;\nsub word { "${word}" }\n1;\n`);
  }

  write(text: string): void {
    Deno.writeTextFileSync(`${this.path}/lib/Word.pm`, text);
  }

  async supervise(...args: string[]): Promise<Supervised> {
    return await supervise([...args, this.app], { env: { WEFT_WORD: "1" } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

plackTest(
  "weft app.psgi answers from as many processes as were asked for, and keeps a connection to each",
  async () => {
    await using program = start(["-p", "0", "--backend-processes", "3", APP]);
    const url = await program.url();
    const answers = await Promise.all(Array.from({ length: 60 }, () => ask(url)));
    const group = groupOf(program);
    assert.deepEqual(new Set(answers.map(({ parent }) => parent)), new Set([group]));
    const pids = new Set(answers.map(({ pid }) => pid));
    assert.ok(pids.size >= 1 && pids.size <= 3, [...pids].join());
    if (Deno.build.os !== "linux") return;
    // The last column is the path, the sixth the state; 03 is connected.
    const sockets = Deno.readTextFileSync("/proc/net/unix").split("\n").map((line) => line.trim().split(/\s+/));
    const path = await socketOf(group);
    assert.ok(path !== undefined);
    const kept = sockets.filter((columns) => columns[7] === path && columns[5] === "03");
    assert.ok(kept.length >= 1 && kept.length <= 3, `${kept.length} connections are kept`);
  },
);

/** The path that a plackup listens at. Its name was changed by FCGI::ProcManager, so that of a socket that listens is looked for. */
async function socketOf(group: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for await (const { name } of Deno.readDir(`/proc/${group}/fd`)) {
    const target = await Deno.readLink(`/proc/${group}/fd/${name}`).catch(() => "");
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  const lines = Deno.readTextFileSync("/proc/net/unix").split("\n").map((line) => line.trim().split(/\s+/));
  return lines.find((columns) => inodes.has(columns[6] ?? "") && columns[7] !== undefined)?.[7];
}

plackTest("What it writes to stderr is in the log", async () => {
  await using program = start(["-p", "0", APP]);
  await ask(await program.url(), "/log");
  await program.waitFor(/\[WARN\] .*processes\.psgi: a line for the log\n/);
});

plackTest("What follows -- is for plackup", async () => {
  await using project = new Project();
  await using program = start(["-p", "0", APP, "--", "-I", `${project.path}/lib`], { env: { WEFT_WORD: "1" } });
  assert.equal((await ask(await program.url())).text, "old\n");
});

for (const args of [[], ["-w", "1"]]) {
  const how = args.length === 0 ? "" : " by a supervisor";
  plackTest(`An application that is still loading${how} is ended too`, async () => {
    using temporary = new Temporary();
    const told = `${temporary.path}/loading`;
    await using program = start(["-p", "0", ...args, APP], { env: { WEFT_LOADING: told } });
    await until(() => temporary.names().includes("loading"));
    const group = Number(Deno.readTextFileSync(told));
    assert.ok(await isThere(group));
    program.kill("SIGTERM");
    await program.ended;
    await until(async () => !await isThere(group));
  });
}

plackTest("A stop ends its processes before the program ends, and leaves no file", async () => {
  using temporary = new Temporary();
  await using program = start(["-p", "0", APP], { env: temporary.env });
  await ask(await program.url());
  const group = groupOf(program);
  assert.ok(await isThere(group));
  const startedAt = performance.now();
  program.kill("SIGTERM");
  assert.equal((await program.ended).code, 0, program.stderr);
  assert.ok(!await isThere(group));
  assert.deepEqual(temporary.names(), []);
  // A process that a kept connection holds does not hear TERM, and would be killed after 5 s.
  assert.ok(performance.now() - startedAt < 4_000, "no process had to be killed");
});

plackTest("A request that is being answered is finished before the stop", async () => {
  using temporary = new Temporary();
  const [gate, told] = [`${temporary.path}/gate`, `${temporary.path}/told`];
  await using program = start(["-p", "0", APP], { env: { WEFT_GATE: gate, WEFT_TOLD: told } });
  const answer = ask(await program.url(), "/wait");
  await until(() => temporary.names().includes("told"));
  program.kill("SIGTERM");
  await program.waitFor(/SIGTERM: stopping/);
  Deno.writeTextFileSync(gate, "");
  assert.equal((await answer).text, "word\n");
  assert.equal((await program.ended).code, 0);
});

for (const args of [[], ["-w", "2"]]) {
  const how = args.length === 0 ? "" : " as a supervisor";
  plackTest(`If the program is killed${how}, the processes end and no file is left`, async () => {
    using temporary = new Temporary();
    await using program = start(["-p", "0", ...args, APP], { env: { ...temporary.env, XDG_RUNTIME_DIR: "" } });
    await ask(await program.url());
    const group = groupOf(program);
    program.kill("SIGKILL");
    await until(async () => !await isThere(group));
    await until(() => temporary.names().every((name) => !/^weft-[0-9a-f]{16}$/.test(name)));
    await program.ended;
  });
}

plackTest("A process that dies is replaced, and so is the first process with all others", async () => {
  await using program = start(["-p", "0", "--backend-processes", "1", APP]);
  const url = await program.url();
  const { pid } = await ask(url);
  const died = await fetch(new URL("/die", url));
  assert.equal(died.status, 502);
  await died.body?.cancel();
  await program.waitFor(/server \(pid \d+\) exited with status 9/);
  assert.notEqual((await ask(url)).pid, pid);
  const group = groupOf(program);
  Deno.kill(group, "SIGKILL");
  await program.waitFor(/\[ERROR\] .*: plackup ended: exit code 137; starting it again in 0 ms/);
  await program.waitForCount(/processes: 1, group=/, 2);
  assert.ok(!await isThere(group));
  // The address is refused for a moment after a failure to connect.
  await until(async () => {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status === 200;
  });
  assert.equal((await ask(url)).parent, groupOf(program));
});

plackTest("If what guards the processes is killed, they are ended, and others are started", async () => {
  await using program = start(["-p", "0", "--backend-processes", "1", APP]);
  const url = await program.url();
  const group = groupOf(program);
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "ppid=", "-p", `${group}`] }).output();
  Deno.kill(Number(new TextDecoder().decode(stdout)), "SIGKILL");
  await program.waitFor(/\[ERROR\] .*: plackup ended: SIGKILL; starting it again/);
  await program.waitForCount(/processes: 1, group=/, 2);
  assert.ok(!await isThere(group));
  await until(async () => {
    const response = await fetch(url);
    await response.body?.cancel();
    return response.status === 200;
  });
});

plackTest("All workers use the processes of their supervisor, which loads the application once", async () => {
  await using program = await supervise(["-w", "2", APP]);
  const url = await program.url();
  await program.atStrength(2);
  const answers = await Promise.all(
    Array.from({ length: 40 }, async () => {
      const response = await fetch(url, { headers: { connection: "close" } });
      await response.body?.cancel();
      return Number(response.headers.get("x-parent"));
    }),
  );
  assert.deepEqual(new Set(answers), new Set([groupOf(program)]));
  assert.match(program.stderr, /processes: 2, group=/);
  const dump = (await program.ctl("dump")).stdout;
  for (const nr of [1, 2]) assert.match(dump, new RegExp(`^${nr} +\\S+/processes\\.psgi +1 +0 +0$`, "m"));
  assert.equal((await program.stop()).code, 0);
  assert.ok(!await isThere(groupOf(program)));
});

plackTest("A worker that is added later gets a process of its own, which goes with it", async () => {
  await using program = await supervise(["-w", "1", "--backend-processes", "2", APP]);
  await program.atStrength(1);
  const first = groupOf(program);
  program.kill("SIGTTIN");
  await program.waitForCount(/processes: 2, group=/, 2);
  await program.atStrength(2);
  const second = groupOf(program);
  program.kill("SIGTTOU");
  await until(async () => !await isThere(second));
  assert.ok(await isThere(first));
});

plackTest("HUP reloads it: the new processes answer, and the old ones are gone", async () => {
  await using project = new Project();
  await using program = await project.supervise("-w", "1");
  const url = await program.url();
  await program.atStrength(1);
  const old = groupOf(program);
  assert.equal((await ask(url)).text, "old\n");
  project.save("new");
  program.kill("SIGHUP");
  await program.waitFor(/reloaded: gen=2/);
  const answer = await ask(url);
  assert.deepEqual([answer.text, answer.parent], ["new\n", groupOf(program)]);
  await until(async () => !await isThere(old));
});

plackTest("Ten reloads under load lose no request on a connection that is kept alive", async () => {
  await using project = new Project();
  await using program = await project.supervise("-w", "2");
  const port = await program.port();
  await program.atStrength(2);
  await using load = new Load(port, { clients: 4, isKeptAlive: true });
  for (let i = 0; i < 10; i++) {
    await load.more(20);
    const reply = await program.ask({ ask: "reload" });
    assert.ok(reply.ok, JSON.stringify(reply));
  }
  await load.more(20);
  await load.stop();
  assert.deepEqual(load.failed.filter(({ last }) => last !== null), []);
  assert.doesNotMatch(program.stderr, /\[ERROR\]/);
});

plackTest("With --restart a saved module is served, and one with an error is told of with its line", async () => {
  await using project = new Project();
  await using program = await project.supervise("-r", "--restart-delay", "50ms");
  const url = await program.url();
  await program.atStrength(1);
  project.save("new");
  await program.waitFor(/restarted: gen=2 in \d+ ms \(changed: \S*lib\/Word\.pm\)/);
  assert.equal((await ask(url)).text, "new\n");
  project.write('package Word;\nsub word { "broken" ;\n1;\n');
  await program.waitFor(/not restarted: gen=2 goes on serving; cannot load the application .*app\.psgi\n/);
  await program.waitFor(/Missing right curly or square bracket at .*Word\.pm line 3/);
  assert.equal((await ask(url)).text, "new\n");
  project.save("mended");
  await program.waitFor(/restarted: gen=4/);
  assert.equal((await ask(url)).text, "mended\n");
  Deno.writeTextFileSync(`${project.path}/lib/page.tt`, "[% title %]\n");
  await program.waitFor(/restarted: gen=5 in \d+ ms \(changed: \S*lib\/page\.tt\)/);
});

plackTest("An application with an error at the start ends the program with 4 and the line of the error", async () => {
  await using project = new Project();
  Deno.writeTextFileSync(project.app, "use strict;\nmy $x = ;\n");
  for (const args of [[], ["-w", "2"]]) {
    const { code, stderr } = await runToEnd(["-p", "0", ...args, project.app]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /cannot load the application .*app\.psgi\n.*syntax error at .*app\.psgi line 2, near "= ;"/);
  }
});

unixTest("A plackup that is missing is told of in one line that names the packages", async () => {
  using temporary = new Temporary();
  const path = (await new Deno.Command("sh", { args: ["-c", "command -v perl || true"] }).output()).stdout;
  const perl = new TextDecoder().decode(path).trim();
  if (perl === "") return console.log("left out, because this machine has no perl: a plackup that is missing");
  Deno.symlinkSync(perl, `${temporary.path}/perl`);
  const expected =
    /^weft: cannot serve .*processes\.psgi: plackup is missing; in Debian: apt-get install libplack-perl libfcgi-perl libfcgi-procmanager-perl\n$/;
  for (const args of [[], ["-w", "1"]]) {
    const { code, stderr } = await runToEnd(["-p", "0", ...args, APP], {
      env: { PATH: temporary.path },
      command: [Deno.execPath(), "run", "-A", fromFileUrl(new URL("../../mod.ts", import.meta.url))],
    });
    assert.equal(code, 4, stderr);
    assert.match(stderr.replace(/^\[.*\n/gm, ""), expected);
  }
});

unixTest("An application in Perl that is not there, and counts that mean nothing, are refused", async () => {
  const missing = await runToEnd(["-p", "0", "nothing.psgi"]);
  assert.equal(missing.code, 4);
  assert.match(
    missing.stderr,
    /^weft: cannot load the application nothing\.psgi\nthere is no file \/.*\/nothing\.psgi\n$/,
  );
  const none = await runToEnd(["-p", "0", "--backend-processes", "0", APP]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /^weft: --backend-processes: expected 1 or more, got 0\n$/);
  const other = await runToEnd(["-p", "0", "--backend-processes", "2", "app.ts"]);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /^weft: --backend-processes means nothing without an application such as app\.psgi\n$/);
  const late = await runToEnd(["-p", "0", "--backend-timeout", "2", "app.ts"]);
  assert.equal(late.code, 2);
  assert.match(late.stderr, /^weft: --backend-timeout means nothing without an application such as fcgi:HOST:PORT or /);
});
