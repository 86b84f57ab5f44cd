// The line that tells of each phase as it is entered.

import type { ConnectionView, Phase, PhaseReader } from "../connection/phases.ts";
import type { LineOptions } from "./stopwatch.ts";

/**
 * The trace of `--debug`: `[connection] [pid] phase detail` for every phase of every connection.
 *
 * @param options what takes the lines
 * @returns a reader for {@linkcode ServeOptions.readers}
 *
 * @example
 * ```ts
 * import { trace } from "@weft/engine";
 *
 * const reader = trace({ write: (line) => console.log(line), pid: 1 });
 * ```
 */
export function trace(options: LineOptions): PhaseReader {
  const { write, pid } = options;
  return {
    see(connection, phase) {
      const detail = detailOf(connection, phase);
      write(`[${connection.id}] [${pid}] ${phase}${detail === "" ? "" : ` ${detail}`}\n`);
    },
  };
}

/** What is new in a phase. Never a field's value or a part of a body. */
function detailOf(connection: ConnectionView, phase: Phase): string {
  const { exchange, refusal } = connection;
  switch (phase) {
    case "header":
      return `request ${connection.requests + 1}`;
    case "body":
      return `${exchange!.received} of ${exchange!.size < 0 ? "?" : exchange!.size} bytes`;
    case "dispatch":
      return `${exchange!.head.method} ${exchange!.head.target}`;
    case "write":
      if (refusal !== null) return `${refusal.status} ${refusal.message}`;
      return `${exchange!.status}${exchange!.sent > 0 ? ` ${exchange!.sent} bytes` : ""}`;
    case "closed":
      return `requests: ${connection.requests}`;
    default:
      return "";
  }
}
