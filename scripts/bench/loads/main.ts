// Runs one load in a process of its own: a job as JSON comes in, lines of JSON go out (job.ts).
// Whatever goes wrong ends as a result with errors, never as silence.

import { percentilesOf } from "../statistics.ts";
import { download, upload } from "./bodies.ts";
import { events, idle } from "./connections.ts";
import { gets } from "./gets.ts";
import { broadcast, echoes, idleSockets } from "./web_sockets.ts";
import type { Job, LoadLine, LoadResult, Run } from "./job.ts";

const LOADS: Record<string, (job: never, run: Run) => Promise<void>> = {
  download,
  upload,
  events,
  idle,
  gets,
  echoes,
  broadcast,
  idleSockets,
};

say({ result: await run(JSON.parse(Deno.args[0] ?? "")) });
Deno.exit(0); // clients may still wait for a server that answers no more

async function run(job: Job): Promise<LoadResult> {
  const word = new Uint8Array(16);
  const run: Run = {
    done: 0,
    waitsMs: [],
    errors: [],
    async ready() {
      say({ ready: true });
      await Deno.stdin.read(word);
      run.beganAt = performance.now();
    },
    async waitStop() {
      while (await Deno.stdin.read(word) !== null);
    },
    async all(count, one) {
      await Promise.all(Array.from({ length: count }, (_, nr) => one(nr).catch((error) => run.errors.push(error))));
    },
  };
  try {
    await LOADS[job.kind]?.(job as never, run);
    if (run.done === 0) run.errors.push("nothing was answered");
  } catch (error) {
    run.errors.push(error);
  }
  const endedAt = run.endedAt ?? performance.now();
  const { done, waitsMs, failed, errors, beganAt = endedAt } = run;
  return { done, seconds: (endedAt - beganAt) / 1000, ...percentilesOf(waitsMs), failed, errors: gatherErrors(errors) };
}

/** Says what went wrong in a few words, each kind once. */
function gatherErrors(errors: readonly unknown[]): string[] {
  const times = new Map<string, number>();
  for (const error of errors) {
    const text = error instanceof Error ? error.message : String(error);
    times.set(text, (times.get(text) ?? 0) + 1);
  }
  return [...times].map(([text, count]) => count > 1 ? `${count} x ${text}` : text);
}

function say(line: LoadLine): void {
  // A line is far shorter than what a pipe takes at once.
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}
