// The line that tells how long each phase of a request took.

import type { PhaseReader } from "../connection/phases.ts";
import { lapReader } from "./laps.ts";

/** What the stopwatch and the trace need. */
export interface LineOptions {
  /** Takes each line, its end included. */
  write: (line: string) => void;
  /** The process's number, for lines of several processes in one file. */
  pid: number;
}

/**
 * The stopwatch of `--bench`: one line for each request, with the milliseconds of its phases.
 *
 * @param options what takes the lines, and a clock in milliseconds
 * @returns a reader for {@linkcode ServeOptions.readers}
 *
 * @example
 * ```ts
 * import { serve, stopwatch } from "@weft/engine";
 *
 * const lines: string[] = [];
 * const watch = stopwatch({ write: (line) => lines.push(line), pid: 1, now: () => performance.now() });
 * await using server = serve({ port: 0, onListen() {}, readers: [watch] }, () => new Response("hello"));
 * ```
 */
export function stopwatch(options: LineOptions & { now: () => number }): PhaseReader {
  const { write, pid, now } = options;
  return lapReader(now, (connection, laps) => {
    const { exchange } = connection;
    if (exchange === null) return;
    const { method, target } = exchange.head;
    const figures = [
      `wait ${show(laps.wait)}`,
      `header ${show(laps.header)}`,
      `body ${show(laps.body)}`,
      `dispatch ${show(laps.dispatch)}`,
      `first byte ${show(laps.firstByte)}`,
      `write ${show(laps.write)}`,
    ];
    write(`[${connection.id}] [${pid}] ${method} ${target} ${exchange.status} ${figures.join(", ")} ms\n`);
  });
}

function show(ms: number): string {
  return ms.toFixed(2);
}
