// Weft's program under measurement: what it says on standard error, and how workers are killed or reloaded.
// Only a worker of the benchmark's own supervisor is killed, and only while another one serves.

import type { Peer } from "./peers.ts";
import type { Child } from "./process.ts";
import { readTree } from "./procfs.ts";

/** By then the load is at its full size. */
const FIRST_AFTER_MS = 500;
const EVERY_MS = 1_000;
/** The last reload may be under way when the load ends. */
const LAST_RELOAD_MS = 5_000;
const LOOK_EVERY_MS = 20;

const LINE = /^\[(\S+)\] \[\d+\] \[(INFO|WARN|ERROR)\] (.*)$/;
const READY = /^worker=\d+ gen=\d+ pid=(\d+) ready in (\d+) ms$/;
const GONE = /^worker=\d+ gen=\d+ pid=(\d+) (?:ended|left)/;

/** What one run of the program has said so far. */
export class ProgramLog {
  /** Process ids of the workers that serve, the oldest first. */
  readonly ready: Set<number> = new Set();
  /** Milliseconds from spawn to ready of the first worker, as the program says. */
  readyMs: number | undefined;
  /** When the first worker was spawned, by `performance.now()`. */
  spawnedAt: number | undefined;
  reloads = 0;

  #workers: number;
  #isServing = false;
  #killed = new Set<number>();

  /** @param workers how many there should be, 0 if the program serves alone */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** True after all workers serve. */
  get isReady(): boolean {
    return this.#isServing && this.ready.size >= this.#workers;
  }

  /** Notes that the benchmark kills a worker: what the program says about that is expected. */
  killed(pid: number): void {
    this.#killed.add(pid);
    this.ready.delete(pid);
  }

  /** Takes a line of standard error and tells whether it was expected. */
  take(line: string): boolean {
    const [, at = "", level, message] = LINE.exec(line) ?? [];
    if (message === undefined) return false;
    if (message.startsWith("weft ")) this.#isServing = true;
    if (message.startsWith("reloaded: ")) this.reloads++;
    const [, ready, ms] = READY.exec(message) ?? [];
    if (ready !== undefined) {
      this.ready.add(Number(ready));
      this.readyMs ??= Number(ms);
      this.spawnedAt ??= new Date(at).getTime() - performance.timeOrigin - this.readyMs;
    }
    const gone = Number(GONE.exec(message)?.[1]);
    this.ready.delete(gone);
    return level === "INFO" || this.#killed.has(gone) ||
      this.#killed.size > 0 && message.includes("is started again in");
  }
}

/** A server that may be Weft's program. */
export interface Running {
  peer: Peer;
  child: Child;
  /** What Weft's program says; other servers are silent. */
  log: ProgramLog | undefined;
}

/**
 * Kills a worker, or reloads all, once a second while a load runs. A second in which the last disturbance is not over
 * yet is left out and not counted.
 *
 * @param server says how; if it is not to be disturbed, the load is only waited for
 * @param load what is waited for; its caller handles how it went
 * @returns how often the program was disturbed
 * @throws {Error} if there was no disturbance, or a reload failed
 */
export async function disturbWhile(server: Running, load: Promise<unknown>): Promise<number> {
  const { peer: { disturbance }, log } = server;
  let isOver = false;
  const over = load.then(() => {}, () => {}).then(() => void (isOver = true));
  if (disturbance === undefined || log === undefined) return await over.then(() => 0);
  let times = 0;
  for (let at = performance.now() + FIRST_AFTER_MS; !isOver; at += EVERY_MS) {
    await waitUntil(() => isOver || performance.now() >= at);
    if (isOver) break;
    if (disturbance === "kill") {
      if (await killOldest(server.child, log)) times++;
    } else if (log.reloads >= times) { // a reload replaces one that is under way, which would make one of two
      server.child.signal("SIGHUP");
      times++;
    }
  }
  if (times === 0) throw new Error(`the load ended before the first ${disturbance}`);
  if (disturbance === "kill") return times;
  const until = performance.now() + LAST_RELOAD_MS;
  await waitUntil(() => log.reloads >= times || performance.now() > until);
  if (log.reloads < times) throw new Error(`${log.reloads} of ${times} reloads were completed`);
  return times;
}

/** The oldest serves the most connections: the others have been started since. */
async function killOldest(supervisor: Child, log: ProgramLog): Promise<boolean> {
  const [pid, ...others] = log.ready;
  if (pid === undefined || others.length === 0 || !(await readTree(supervisor.pid)).includes(pid)) return false;
  log.killed(pid);
  Deno.kill(pid, "SIGKILL");
  return true;
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}
