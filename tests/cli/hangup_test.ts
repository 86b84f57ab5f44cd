// What HUP does, with a real terminal that is closed, with nohup, and from an operator.

import assert from "node:assert/strict";
import { noteHangup } from "../../src/cli/hangup.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { itemAt } from "../helpers/items.ts";
import { hasProgram, linuxTest, type Running, start } from "../helpers/program.ts";
import { fixture, onDeno } from "../helpers/runtime.ts";
import { hasTerminals, IN_TERMINAL } from "../helpers/terminal.ts";

const APP = fixture("app");
const hasNohup = await hasProgram("nohup");

const KINDS: Readonly<Record<string, string[]>> = { "One process": [], "A worker": ["-w", "1"], "With -r it": ["-r"] };
const SUPERVISED = Object.entries(KINDS).filter(([, args]) => args.length > 0);

/** Neither stdin nor stdout nor stderr is the terminal then. */
const NO_STREAM = "exec </dev/null >&9 2>&9";

/** Registers a test that needs a real terminal. */
function terminalTest(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  if (hasTerminals) linuxTest(name, fn);
  else Deno.test({ name, ignore: true, fn });
}

const nohupTest = onDeno("Node takes back what nohup has said", terminalTest);

/** The number of the process that serves, and those of its workers, as the log has them. */
function pidsIn(log: string): number[] {
  const [, own] = /\[(\d+)\] \[INFO\] weft /.exec(log)!;
  return [own, ...Array.from(log.matchAll(/ pid=(\d+) ready/g), ([, pid]) => pid)].map(Number);
}

async function serving(program: Running): Promise<{ url: string; pid: number; pids: number[] }> {
  const url = await program.url();
  await program.waitFor(/\[INFO\] weft .* serves /);
  const pids = pidsIn(program.stdout + program.stderr);
  return { url, pid: itemAt(pids, 0), pids };
}

function isAlive(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

class Client {
  #connection: Deno.Conn;

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async connect(url: string): Promise<Client> {
    return new Client(await Deno.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) }));
  }

  async ask(path: string): Promise<void> {
    await this.begin(path);
    await this.finish();
  }

  /** A connection with the beginning of a request does not idle, so a stop does not close it. */
  async begin(path: string): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(`GET ${path} HTTP/1.1\r\n`));
  }

  async finish(): Promise<void> {
    await this.#connection.write(new TextEncoder().encode("Host: x\r\n\r\n"));
  }

  async readUntil(wanted: string): Promise<void> {
    const buffer = new Uint8Array(4096);
    for (let text = ""; !text.includes(wanted);) {
      const count = await this.#connection.read(buffer);
      assert.notEqual(count, null, `ended before ${wanted}: ${text}`);
      text += new TextDecoder().decode(buffer.subarray(0, count!));
    }
  }

  close(): void {
    this.#connection.close();
  }
}

for (const [kind, args] of Object.entries(KINDS)) {
  terminalTest(`${kind} ends when its terminal is closed, after it has answered what it has read`, async () => {
    await using program = start(["-p", "0", ...args, "--debug", APP], { wrapper: IN_TERMINAL });
    const { url, pids } = await serving(program);
    const [held, other] = [await Client.connect(url), await Client.connect(url)];
    await held.ask("/held");
    await other.ask("/x");
    await other.readUntil("hello from /x");
    await other.begin("/release");
    await program.waitFor(/dispatch GET \/held/);
    program.kill("SIGUSR1");
    await program.waitFor(/the terminal is closed/);
    await other.finish();
    await other.readUntil("released them");
    await held.readUntil("released");
    held.close();
    other.close();
    assert.equal((await program.ended).code, 0);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  terminalTest(`${kind} ends when its terminal is closed, also if no stream leads there`, async () => {
    await using program = start(["-p", "0", ...args, APP], { wrapper: IN_TERMINAL, shell: NO_STREAM });
    const { url, pids } = await serving(program);
    program.kill("SIGUSR1");
    const { code, stdout } = await program.ended;
    assert.equal(code, 0);
    assert.match(
      stdout,
      /\[INFO\] SIGHUP(, as the terminal was closed)?: stopping[^]*\] stopped; connections finished/,
    );
    assert.deepEqual(pids.filter(isAlive), []);
    await assert.rejects(() => fetch(url), "the port is closed");
  });
}

if (hasNohup) {
  nohupTest("One process that was started with nohup serves on when the terminal is closed", async () => {
    const program = start(["-p", "0", APP], { wrapper: IN_TERMINAL, shell: `${NO_STREAM}; exec nohup "$0" "$@"` });
    await using _ = program;
    const { url, pid } = await serving(program);
    program.kill("SIGUSR1");
    await program.waitFor(/the terminal is closed/);
    Deno.kill(pid, "SIGHUP");
    assert.equal(await (await fetch(`${url}/x`)).text(), "hello from /x\n");
    Deno.kill(pid, "SIGTERM");
    const { code, stdout } = await program.ended;
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /SIGHUP/);
    assert.match(stdout, /SIGTERM: stopping/);
  });
}

for (const [kind, args] of SUPERVISED) {
  if (hasNohup) {
    nohupTest(`${kind} reloads on HUP if it was started with nohup, and outlives the terminal`, async () => {
      const shell = `${NO_STREAM}; exec nohup "$0" "$@"`;
      await using program = start(["-p", "0", ...args, APP], { wrapper: IN_TERMINAL, shell });
      const { url, pid } = await serving(program);
      program.kill("SIGUSR1");
      await program.waitFor(/\] reloaded: gen=2 .*\(HUP\)/);
      assert.equal(await (await fetch(`${url}/x`)).text(), "hello from /x\n");
      Deno.kill(pid, "SIGTERM");
      assert.equal((await program.ended).code, 0);
    });
  }

  terminalTest(`${kind} reloads on HUP while its terminal is open`, async () => {
    await using program = start(["-p", "0", ...args, APP], { wrapper: IN_TERMINAL });
    const { url, pid } = await serving(program);
    Deno.kill(pid, "SIGHUP");
    await program.waitFor(/\] reloaded: gen=2 .*\(HUP\)/);
    assert.equal(await (await fetch(`${url}/x`)).text(), "hello from /x\n");
    Deno.kill(pid, "SIGTERM");
    assert.equal((await program.ended).code, 0);
  });
}

linuxTest("One process without a terminal stops on HUP, as it does on TERM", async () => {
  await using program = start(["-p", "0", "--write-timeout", "1", APP]);
  const { url } = await serving(program);
  const client = await Client.connect(url);
  await client.ask("/never");
  await client.ask("/x");
  program.kill("SIGHUP");
  client.close();
  assert.equal((await program.ended).code, 0);
});

linuxTest("A second HUP does not cut what runs: a shell and the system send one each", async () => {
  await using program = start(["-p", "0", "--debug", APP]);
  const { url } = await serving(program);
  const [held, other] = [await Client.connect(url), await Client.connect(url)];
  await held.ask("/held");
  await other.begin("/release");
  await program.waitFor(/dispatch GET \/held/);
  program.kill("SIGHUP");
  await program.waitFor(/SIGHUP: stopping/);
  program.kill("SIGHUP");
  await other.finish();
  await held.readUntil("released");
  held.close();
  other.close();
  assert.equal((await program.ended).code, 0);
});

/** A supervisor that is only told of HUP. */
function hangupWith(terminal: { isOutlived: boolean; isThere: boolean }) {
  const clock = new FakeClock();
  const done: string[] = [];
  let hangUp = () => {};
  const process = { onSignal: (_: string, call: () => void) => (hangUp = call, true) };
  const port = { isOutlived: () => terminal.isOutlived, isThere: () => terminal.isThere };
  noteHangup(port, { clock, process }).reloadOn(() => void done.push("reload"), { stop: () => void done.push("stop") });
  return { clock, done, hangUp: () => hangUp() };
}

Deno.test("A supervisor whose terminal is closed shortly after HUP stops: some shells send it first", async () => {
  const terminal = { isOutlived: false, isThere: true };
  const { clock, done, hangUp } = hangupWith(terminal);
  hangUp();
  assert.deepEqual(done, ["reload"]);
  terminal.isThere = false;
  await clock.advance(1_000);
  assert.deepEqual(done, ["reload", "stop"]);
});

Deno.test("A terminal that is closed between a HUP and the next look stops a supervisor too", async () => {
  const terminal = { isOutlived: false, isThere: true };
  const { clock, done, hangUp } = hangupWith(terminal);
  await clock.advance(4_500);
  hangUp();
  terminal.isThere = false;
  await clock.advance(1_000);
  assert.deepEqual(done, ["reload", "stop"]);
});

Deno.test("A supervisor that outlived its shell in the background is reloaded by a later HUP", async () => {
  const terminal = { isOutlived: false, isThere: true };
  const { clock, done, hangUp } = hangupWith(terminal);
  await clock.advance(60_000);
  terminal.isThere = false;
  await clock.advance(5_000);
  assert.equal(clock.timers, 0);
  hangUp();
  await clock.advance(10_000);
  assert.deepEqual(done, ["reload"]);
});

Deno.test("A supervisor reloads on HUP and looks no further without a terminal, or with nohup", async () => {
  for (const terminal of [{ isOutlived: false, isThere: false }, { isOutlived: true, isThere: true }]) {
    const { clock, done, hangUp } = hangupWith(terminal);
    terminal.isThere = false;
    hangUp();
    await clock.advance(10_000);
    assert.deepEqual(done, ["reload"]);
    assert.equal(clock.timers, 0);
  }
});
