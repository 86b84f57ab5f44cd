// How a child is started on one core with many descriptors, how long it may take, and that it ends.
// Every child is listed here from its start to its end. It is ended by its own id, with its children, and awaited.

import { readTree } from "./procfs.ts";

/** The core of the servers. */
export const SERVER_CORE = 0;
/** The core of the load and of the harness. */
export const LOAD_CORE = 1;
/** Enough for 10,000 connections and what a runtime opens itself. */
const DESCRIPTORS = 25_000;
/** What is kept of a child's standard error. */
const MOST_STDERR = 4 * 1024;
/** What a program that only prints something may take: npm needs most of it to fetch Bun's 40 MB. */
const MOST_OUTPUT_MS = 90_000;

/** How a child is started. */
export interface StartOptions {
  /** The core that it is pinned to, if `taskset` exists; null for none. */
  core: number | null;
  env?: Record<string, string> | undefined;
  /** True gives way to everything else on its core. */
  isNice?: boolean;
  /** Takes each line of standard error. If it returns true, the line is not kept. */
  hear?: ((line: string) => boolean) | undefined;
}

const running = new Set<Child>();
let isStopping = false;
const hasTaskset = await isInstalled("taskset") && navigator.hardwareConcurrency > 1;

/** A process that the benchmark has started. */
export class Child implements AsyncDisposable {
  /** True after the process has ended. */
  hasEnded = false;
  #process: Deno.ChildProcess;
  /** The last of what it said on standard error; added to by #gather alone. */
  #stderr = "";
  #stderrEnd: Promise<void>;

  private constructor(process: Deno.ChildProcess, hear: StartOptions["hear"]) {
    this.#process = process;
    this.#stderrEnd = this.#gather(hear);
    process.status.then(() => this.hasEnded = true);
    running.add(this);
  }

  /** Starts a program: the shell, `nice` and `taskset` replace themselves by it, so the id is the program's own. */
  static async start(argv: readonly string[], { core, env, isNice, hear }: StartOptions): Promise<Child> {
    await unlessStopping();
    const raise = `ulimit -n ${DESCRIPTORS} 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null; exec "$@"`;
    const nice = isNice ? ["nice", "-n", "10"] : [];
    const pin = hasTaskset && core !== null ? ["taskset", "-c", `${core}`] : [];
    const args = ["-c", raise, "sh", ...nice, ...pin, ...argv];
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    return new Child(new Deno.Command("sh", { args, env: { NO_COLOR: "1", ...env }, ...pipes }).spawn(), hear);
  }

  /** The program's process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The last of what it said on standard error. */
  get stderr(): string {
    return this.#stderr.trim();
  }

  /** Standard output, line by line. */
  lines(): AsyncGenerator<string, void> {
    return linesOf(this.#process.stdout);
  }

  /** Waits for work that ends when the child does; kills the child and throws if that takes longer. */
  async within<T>(limitMs: number, work: Promise<T>): Promise<T> {
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.signal("SIGKILL");
      limit.reject(new Error(`took more than ${limitMs / 1000} s`));
    }, limitMs);
    try {
      return await Promise.race([work, limit.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Writes to its standard input. */
  async write(text: string): Promise<void> {
    const writer = this.#process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /** Closes its standard input: loads take that as the sign to stop. */
  async endInput(): Promise<void> {
    if (!this.#process.stdin.locked) await this.#process.stdin.close().catch(() => {}); // it may have closed it itself
  }

  /** Sends it a signal, if it still runs. */
  signal(name: Deno.Signal): void {
    if (!this.hasEnded) signalIfThere(this.pid, name);
  }

  /** Kills it and its children, and waits until all are gone. */
  async stop(): Promise<void> {
    this.signal("SIGSTOP"); // so that it starts no further child
    for (const pid of this.hasEnded ? [] : await readTree(this.pid)) signalIfThere(pid, "SIGKILL");
    await this.#process.status;
    if (!this.#process.stdout.locked) await this.#process.stdout.cancel();
    await this.endInput();
    await this.#stderrEnd; // its children hold it open until the last of them is gone
    running.delete(this);
  }

  /** The same, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #gather(hear: StartOptions["hear"]): Promise<void> {
    for await (const line of linesOf(this.#process.stderr)) {
      if (!hear?.(line)) this.#stderr = `${this.#stderr}${line}\n`.slice(-MOST_STDERR);
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

/** Goes on, or never if the benchmark is being stopped: then the listener of the signal ends the program. */
export async function unlessStopping(): Promise<void> {
  if (isStopping) await new Promise(() => {});
}

/** Kills all children that still run, and waits; from now on none is started. */
export async function stopAll(): Promise<void> {
  isStopping = true;
  await Promise.all([...running].map((child) => child.stop()));
}

/** Moves the harness itself to the core of the load; false if nothing can be pinned. */
export async function pinHarness(): Promise<boolean> {
  if (hasTaskset) await outputOf("taskset", ["-a", "-c", "-p", String(LOAD_CORE), String(Deno.pid)]);
  return hasTaskset;
}

/** Looks for a program on the PATH, or at its own path. */
export async function isInstalled(program: string): Promise<boolean> {
  const dirs = program.includes("/") ? [""] : (Deno.env.get("PATH") ?? "").split(":").map((dir) => `${dir}/`);
  for (const dir of dirs) if (await Deno.stat(`${dir}${program}`).then(() => true, () => false)) return true;
  return false;
}

/** Runs a program to its end; returns its standard output, or standard error if that is all; throws if it fails. */
export async function outputOf(program: string, args: string[], { mayFail = false } = {}): Promise<string> {
  const signal = AbortSignal.timeout(MOST_OUTPUT_MS);
  const output = await new Deno.Command(program, { args, signal, stdin: "null" }).output();
  const [stdout = "", stderr = ""] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes).trim()
  );
  if (!output.success && !mayFail) throw new Error(`${program} ${args[0]} failed: ${stderr.slice(-300)}`);
  return stdout || stderr;
}
