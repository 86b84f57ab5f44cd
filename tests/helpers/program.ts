// How to start the program as a user does, wait until it says something, and stop it.

import assert from "node:assert/strict";
import { itemAt } from "./items.ts";
import { runtime } from "./runtime.ts";

/** Most milliseconds that a program may print nothing while a test waits for a line: a test that hangs says what it got. */
const LIMIT_MS = 60_000;

/** How the program ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A program that runs. */
export interface Running extends AsyncDisposable {
  pid: number;
  /** What it has printed so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Waits until stdout and stderr together match. */
  waitFor(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits until it prints something more. */
  more(): Promise<void>;
  /** Waits until stdout and stderr together match so many times. */
  waitForCount(pattern: RegExp, count: number): Promise<void>;
  /** Waits for its first line and gives the address in it. */
  url(): Promise<string>;
  kill(signal: Deno.Signal): void;
  ended: Promise<Ended>;
}

/** How to start it. */
export interface StartOptions {
  env?: Record<string, string> | undefined;
  cwd?: string;
  /** Arguments for Deno itself, instead of `-A`. A test that has them runs on Deno only. */
  deno?: string[] | undefined;
  /** Arguments for the runtime besides those, which Deno and Node both have. */
  flags?: string[];
  /** The program's main module, instead of this tree's. A test that has one runs on Deno only. */
  program?: string;
  /** What starts the program, instead of what the runtime of this run has. */
  command?: string[];
  /** A shell line put before the command, such as `ulimit -n 40`. */
  shell?: string;
  /** A command put before the command, such as `setsid`. */
  wrapper?: string[] | undefined;
}

/**
 * Starts the program.
 *
 * @param args its arguments
 * @param options its surroundings
 * @returns the running program; killed when it is disposed of
 */
export function start(args: string[], options: StartOptions = {}): Running {
  const own = options.command ?? commandOf(options);
  const shell = options.shell === undefined ? [] : ["sh", "-c", `${options.shell}; exec "$0" "$@"`];
  const full = [...options.wrapper ?? [], ...shell, ...own, ...args];
  const command = itemAt(full, 0);
  const env = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...options.env };
  const child = new Deno.Command(command, {
    args: full.slice(1),
    env,
    cwd: options.cwd ?? Deno.cwd(),
    stdout: "piped",
    stderr: "piped",
  })
    .spawn();
  let stdout = "";
  let stderr = "";
  let changed = Promise.withResolvers<void>();
  let isOver = false;
  const note = () => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const read = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      take(text);
      note();
    }
  };
  const change = async (what: string) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      const tooLate = () =>
        reject(new Error(`waited ${LIMIT_MS} ms for ${what}; the program printed\n${stdout}${stderr}`));
      timer = setTimeout(tooLate, LIMIT_MS);
    });
    try {
      await Promise.race([changed.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  };
  const ended = Promise.all([
    child.status,
    read(child.stdout, (text) => stdout += text),
    read(child.stderr, (text) => stderr += text),
  ]).then(([{ code }]) => {
    isOver = true;
    note();
    return { code, stdout, stderr };
  });
  return {
    pid: child.pid,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    async waitFor(pattern) {
      for (;;) {
        const found = pattern.exec(stdout + stderr);
        if (found !== null) return found;
        if (isOver) throw new Error(`the program ended without ${pattern}; it printed\n${stdout}${stderr}`);
        await change(`${pattern}`);
      }
    },
    async more() {
      if (isOver) throw new Error(`the program ended; it printed\n${stdout}${stderr}`);
      await change("something more");
    },
    async waitForCount(pattern, count) {
      const all = new RegExp(pattern, "g");
      const found = () => [...(stdout + stderr).matchAll(all)].length;
      while (found() < count) {
        if (isOver) throw new Error(`the program ended with ${found()} of ${count} ${pattern}\n${stdout}${stderr}`);
        await change(`${count} of ${pattern}`);
      }
    },
    async url() {
      return itemAt(await this.waitFor(/You can connect to your server at (\S+)/), 1);
    },
    kill: (signal) => child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (!isOver) kill(child);
      await ended;
    },
  };
}

function commandOf({ deno = ["-A"], flags = [], program = runtime.program }: StartOptions): readonly string[] {
  if (runtime.command === null) return [Deno.execPath(), "run", ...deno, ...flags, program];
  assert.ok(
    deno.join() === "-A" && program === runtime.program,
    "a test that sets flags of Deno has to say that it needs Deno",
  );
  return runtime.command.toSpliced(1, 0, ...flags);
}

/** A program may end by itself while it is being killed. */
function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/**
 * Runs the program to its end.
 *
 * @param args its arguments
 * @param options its surroundings
 * @returns how it ended
 */
export async function runToEnd(args: string[], options: StartOptions = {}): Promise<Ended> {
  await using program = start(args, options);
  return await program.ended;
}

/**
 * Registers a test that needs what Unix has and Windows lacks: signals, Unix sockets, `ulimit`.
 *
 * @param name a sentence
 * @param fn the test
 */
export function unixTest(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  const isWindows = Deno.build.os === "windows";
  if (isWindows) console.log(`skipped, Windows has no such signals or sockets: ${name}`);
  Deno.test({ name, ignore: isWindows, fn });
}

/**
 * Registers a test that needs what only Linux has: /proc, and a port whose sockets get connections by turns.
 *
 * @param name a sentence
 * @param fn the test
 */
export function linuxTest(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  const isLinux = Deno.build.os === "linux";
  if (!isLinux) console.log(`skipped, this is not Linux: ${name}`);
  Deno.test({ name, ignore: !isLinux, fn });
}

/**
 * Tells whether a program of the system is there; a test that needs it is skipped with this reason otherwise.
 *
 * @param name such as `curl`
 * @returns true if it can be run
 */
export async function hasProgram(name: string): Promise<boolean> {
  const { success } = await new Deno.Command("sh", { args: ["-c", `command -v ${name}`], stdout: "null" }).output();
  if (!success) console.log(`skipped, there is no ${name} on this machine; in Debian: apt-get install ${name}`);
  return success;
}
