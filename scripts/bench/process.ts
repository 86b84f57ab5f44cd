// How a child is started on one core with many descriptors, how long it may take, and that it dies.
// Every child is listed here from its start to its end, and is ended by its own id and awaited, its own too.

import { readTree } from "./procfs.ts";

/** The core that servers get. */
export const SERVER_CORE = 0;
/** The core that load and harness get. */
export const LOAD_CORE = 1;
/** Enough for 10,000 connections and what a runtime opens itself. */
const DESCRIPTORS = 25_000;
/** What is kept of what a child says on standard error. */
const MOST_STDERR = 4 * 1024;

/** What a child that has children of its own gets to end them, before all of them are killed. */
const END_MS = 5_000;

/** How a child is started. */
export interface StartOptions {
  /** The core that it is pinned to, if `taskset` exists; null for none. */
  core: number | null;
  env?: Record<string, string>;
  /** True gives way to everything else on its core. */
  isNice?: boolean;
  /** False if its output is not read. @default {true} */
  hasOutput?: boolean;
  /** Asks it to end before it is killed: it has children of its own. */
  isParent?: boolean;
  /** Takes each line of standard error; if it returns true, the line is handled. */
  hear?: (line: string) => boolean;
}

/** The benchmark is being stopped; nothing is started any more. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

const running = new Set<Child>();
let isStopping = false;
const hasTaskset = await isInstalled("taskset") && navigator.hardwareConcurrency > 1;

/** A process that the benchmark has started. */
export class Child implements AsyncDisposable {
  #process: Deno.ChildProcess;
  #stderr = "";
  #stderrEnd: Promise<void>;
  #hasEnded = false;
  #options: StartOptions;

  private constructor(process: Deno.ChildProcess, options: StartOptions) {
    this.#process = process;
    this.#options = options;
    this.#stderrEnd = this.#gather();
    process.status.then(() => this.#hasEnded = true);
    running.add(this);
  }

  /** Starts a program: the shell, `nice` and `taskset` replace themselves by it, so the id is the program's own. */
  static start(argv: readonly string[], options: StartOptions): Child {
    if (isStopping) throw new Interrupted("the benchmark is being stopped");
    const raise = `ulimit -n ${DESCRIPTORS} 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null; exec "$@"`;
    const nice = options.isNice ? ["nice", "-n", "10"] : [];
    const command = new Deno.Command("sh", {
      args: ["-c", raise, "sh", ...nice, ...pin(options.core), ...argv],
      env: { NO_COLOR: "1", ...options.env },
      stdin: "piped",
      stdout: options.hasOutput === false ? "null" : "piped",
      stderr: "piped",
    });
    return new Child(command.spawn(), options);
  }

  /** The program's process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** True once the process is gone. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The last of what it said on standard error. */
  get stderr(): string {
    return this.#stderr.trim();
  }

  /** Standard output, line by line. */
  lines(): AsyncGenerator<string, void> {
    return linesOf(this.#process.stdout);
  }

  /** Standard output as a whole; kills the child and throws if it takes longer. */
  async output(limitMs: number): Promise<string> {
    return await this.within(limitMs, Array.fromAsync(this.lines())).then((lines) => lines.join("\n"));
  }

  /** Waits for work that ends when the child does; kills the child if that takes longer. */
  async within<T>(limitMs: number, work: Promise<T>): Promise<T> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#kill();
    }, limitMs);
    try {
      const done = await work;
      if (isLate) throw new Error(`took more than ${limitMs / 1000} s`);
      return done;
    } catch (error) {
      throw isLate ? new Error(`took more than ${limitMs / 1000} s`) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends its standard input: loads take that as the word to stop. */
  async endInput(): Promise<void> {
    if (!this.#process.stdin.locked) await this.#process.stdin.close().catch(() => {});
  }

  /** Sends it a signal, if it still runs. */
  signal(name: Deno.Signal): void {
    if (!this.#hasEnded) signalIfThere(this.pid, name);
  }

  /** Kills it and waits until it is gone; a parent ends by itself if it can. */
  async stop(): Promise<void> {
    if (this.#options.isParent) await this.#endTree();
    this.#kill();
    await this.#process.status;
    if (this.#options.hasOutput !== false) await this.#process.stdout.cancel().catch(() => {});
    await this.endInput();
    if (!this.#options.isParent) await this.#stderrEnd;
    running.delete(this);
  }

  /** The same, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #kill(): void {
    this.signal("SIGKILL");
  }

  async #endTree(): Promise<void> {
    this.signal("SIGTERM");
    if (await this.#isGoneWithin(END_MS)) return;
    for (const pid of this.#hasEnded ? [] : await readTree(this.pid)) signalIfThere(pid, "SIGKILL");
    // Its children end by themselves if it ended before them.
    await this.#isGoneWithin(END_MS);
  }

  /** Its children hold its standard error open, so that is at its end once all of them are gone. */
  async #isGoneWithin(limitMs: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<false>((resolve) => timer = setTimeout(resolve, limitMs, false));
    const isGone = await Promise.race([this.#stderrEnd.then(() => true), late]);
    clearTimeout(timer);
    return isGone;
  }

  async #gather(): Promise<void> {
    for await (const line of linesOf(this.#process.stderr)) {
      if (this.#options.hear?.(line)) continue;
      this.#stderr = `${this.#stderr}${line}\n`.slice(-MOST_STDERR);
    }
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Sends a signal to a process that may have ended just now. */
function signalIfThere(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Kills whatever still runs, and waits; from now on nothing is started. */
export async function stopAll(): Promise<void> {
  isStopping = true;
  await Promise.all([...running].map((child) => child.stop()));
}

/** Moves the harness itself off the servers' core. */
export async function pinHarness(): Promise<boolean> {
  if (!hasTaskset) return false;
  const args = ["-a", "-c", "-p", String(LOAD_CORE), String(Deno.pid)];
  return (await new Deno.Command("taskset", { args, stdout: "null", stderr: "null" }).output()).success;
}

/** Reads how many descriptors a child gets. */
export async function readDescriptorLimit(): Promise<number> {
  await using child = Child.start(["sh", "-c", "ulimit -n"], { core: LOAD_CORE });
  const text = (await child.output(10_000)).trim();
  return text === "unlimited" ? Infinity : Number(text);
}

/** Tells whether a program can be found. */
export async function isInstalled(program: string): Promise<boolean> {
  const args = ["-c", 'command -v "$1"', "sh", program];
  return (await new Deno.Command("sh", { args, stdout: "null", stderr: "null" }).output()).success;
}

function pin(core: number | null): string[] {
  return hasTaskset && core !== null ? ["taskset", "-c", String(core)] : [];
}
