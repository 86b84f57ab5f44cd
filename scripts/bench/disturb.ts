// How workers are killed, or all of them reloaded, once a second while a load runs.
// Only a worker that the benchmark's own supervisor keeps is killed, and only while another one serves; a second
// in which the last disturbance is not over yet is left out, and not counted.

import { readTree } from "./procfs.ts";
import type { Serving } from "./serving.ts";

/** By then the load is at its full size. */
const FIRST_AFTER_MS = 500;
const EVERY_MS = 1_000;
/** The last reload may be under way when the load ends. */
const LAST_RELOAD_MS = 5_000;
const LOOK_EVERY_MS = 20;

/**
 * Disturbs a supervisor for as long as some work lasts.
 *
 * @param serving says how, and which process; if nothing is to be done, the work is only waited for
 * @param work the load
 * @returns how often it was disturbed
 * @throws {Error} if that never came about, or a reload failed
 */
export async function disturbWhile(serving: Serving, work: Promise<unknown>): Promise<number> {
  const { disturbance } = serving.peer;
  let isOver = false;
  const over = () => void (isOver = true);
  const end = work.then(over, over); // its caller handles how it went
  let times = 0;
  for (let at = performance.now() + FIRST_AFTER_MS; disturbance !== undefined && !isOver; at += EVERY_MS) {
    await waitUntil(() => isOver || performance.now() >= at);
    if (isOver) break;
    const isDone = disturbance === "kill" ? await killEldest(serving) : reload(serving, times);
    if (isDone) times++;
  }
  await end;
  if (disturbance === undefined) return 0;
  if (times === 0) throw new Error(`the load ended before the first ${disturbance}`);
  if (disturbance === "reload") await waitReloads(serving, times);
  return times;
}

/** A reload takes the place of one that is under way, so that would make one of two. */
function reload({ child, log }: Serving, before: number): boolean {
  if ((log?.reloads ?? 0) < before) return false;
  child.signal("SIGHUP");
  return true;
}

/** The eldest serves the most connections: the others have lost theirs since. */
async function killEldest({ child, log }: Serving): Promise<boolean> {
  const [pid, ...others] = log?.ready ?? [];
  if (log === undefined || others.length === 0 || !(await readTree(child.pid)).includes(pid)) return false;
  log.killed(pid);
  Deno.kill(pid, "SIGKILL");
  return true;
}

async function waitReloads({ log }: Serving, wanted: number): Promise<void> {
  const until = performance.now() + LAST_RELOAD_MS;
  const done = () => log?.reloads ?? 0;
  await waitUntil(() => done() >= wanted || performance.now() > until);
  if (done() < wanted) throw new Error(`${done()} of ${wanted} reloads came about`);
}

async function waitUntil(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
}
