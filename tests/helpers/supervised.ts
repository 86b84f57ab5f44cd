// How to start a supervisor with a control socket of its own, ask it, and find its workers.

import type { Question, Reply, Status, WorkerStatus } from "../../src/prefork/messages.ts";
import { type Ended, type Running, runToEnd, start, type StartOptions } from "./program.ts";
import { fixture } from "./runtime.ts";

/** The application of most tests of several processes. */
export const WORKERS_APP = fixture("workers_app");

/** A supervisor that runs, and its workers. */
export interface Supervised extends Running {
  /** Its own, removed with it. */
  readonly directory: string;
  readonly control: string;
  ask(question: Question): Promise<Reply>;
  status(): Promise<Status>;
  /** Runs `weft ctl`, as its operator does. */
  ctl(...args: string[]): Promise<Ended>;
  /** Waits until so many workers of the newest generation are ready, and no other is there; gives them. */
  atStrength(count: number): Promise<WorkerStatus[]>;
  port(): Promise<number>;
  /** Stops it with TERM; gives how it ended. */
  stop(): Promise<Ended>;
}

/**
 * Starts a supervisor on a free port.
 *
 * @param args besides `--port` and `--control`; the application is among them
 * @param options its surroundings
 * @returns the supervisor; it and all its workers are gone when it is disposed of
 */
export async function supervise(
  args: string[],
  options: StartOptions & { directory?: string; port?: string[] } = {},
): Promise<Supervised> {
  const directory = options.directory ?? await Deno.makeTempDir({ prefix: "weft" });
  const control = `${directory}/control.sock`;
  const program = start([...options.port ?? ["-p", "0"], "--control", control, ...args], options);
  const status = async () => {
    const reply = await askAt(control, { ask: "status" });
    if (!reply.ok || !("status" in reply)) throw new Error(`no status: ${JSON.stringify(reply)}`);
    return reply.status;
  };
  return Object.assign(Object.create(program) as Running, {
    directory,
    control,
    status,
    ask: (question: Question) => askAt(control, question),
    ctl: (...args: string[]) => runToEnd(["ctl", "--control", control, ...args]),
    async port() {
      return Number(new URL(await program.url()).port);
    },
    async atStrength(count: number) {
      await program.url();
      for (;;) {
        const more = program.more();
        more.catch(() => {});
        const { workers: all, generation } = await status();
        // The end of one that is not needed is no line of the log.
        const workers = all.filter(({ state }) => state !== "killed");
        const isSo = (worker: WorkerStatus) => worker.state === "ready" && worker.generation === generation;
        if (workers.length === count && workers.every(isSo)) return workers;
        await more;
      }
    },
    async stop() {
      program.kill("SIGTERM");
      return await program.ended;
    },
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await Deno.remove(directory, { recursive: true });
    },
  });
}

/**
 * Asks a supervisor, as `weft ctl` does.
 *
 * @param path of its control socket
 * @param question what
 * @returns its answer
 */
export async function askAt(path: string, question: Question): Promise<Reply> {
  using connection = await Deno.connect({ transport: "unix", path });
  await connection.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
  let text = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(16 * 1024);
  while (!text.includes("\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`the control socket was closed after ${JSON.stringify(text)}`);
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return JSON.parse(text);
}
