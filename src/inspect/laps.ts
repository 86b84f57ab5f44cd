// Measures how long each phase of a request took.

import type { ConnectionView, Lap, Phase, PhaseReader } from "../connection/phases.ts";

/** Told once for each request, when its answer is over or can never be. */
export type OnRequest = (connection: ConnectionView, laps: Readonly<Record<Lap, number>>) => void;

/** What is remembered of a connection between two phases. */
interface Mark {
  at: number;
  phase: Phase;
  laps: Record<Lap, number>;
  /** True once the first piece of the answer is on its way. */
  hasBegun: boolean;
}

/** Phases that belong to a request. */
const BUSY: ReadonlySet<Phase> = new Set(["header", "body", "dispatch", "write"]);

/**
 * Makes a reader that measures.
 *
 * @param now milliseconds of a clock that never steps back
 * @param onRequest told of each request
 * @returns the reader
 */
export function lapReader(now: () => number, onRequest: OnRequest): PhaseReader {
  const marks = new WeakMap<ConnectionView, Mark>();
  return {
    see(connection, phase) {
      const at = now();
      let mark = marks.get(connection);
      if (mark === undefined) marks.set(connection, mark = { at, phase, laps: noLaps(), hasBegun: false });
      const { laps } = mark;
      laps[lapOf(mark)] += at - mark.at;
      if (mark.phase === "write") mark.hasBegun = true;
      const isOver = BUSY.has(mark.phase) && !BUSY.has(phase);
      if (phase === "dispatch") connection.exchange!.timings = laps;
      mark.at = at;
      mark.phase = phase;
      if (!isOver) return;
      mark.laps = noLaps();
      mark.hasBegun = false;
      onRequest(connection, laps);
    },
  };
}

function lapOf(mark: Mark): Lap {
  switch (mark.phase) {
    case "header":
    case "body":
    case "dispatch":
      return mark.phase;
    case "write":
      return mark.hasBegun ? "write" : "firstByte";
    default:
      return "wait";
  }
}

function noLaps(): Record<Lap, number> {
  return { wait: 0, header: 0, body: 0, dispatch: 0, firstByte: 0, write: 0 };
}

/**
 * The milliseconds of a request from its first byte to the end of its answer.
 *
 * @param laps what was measured
 * @returns their sum without the wait
 */
export function durationOf(laps: Readonly<Record<Lap, number>>): number {
  return laps.header + laps.body + laps.dispatch + laps.firstByte + laps.write;
}
