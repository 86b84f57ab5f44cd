// Knows: what a connection goes through, and who may look on.
// Does not know: what any reader makes of it.

import type { Connection } from "./connection.ts";

/**
 * Where a connection stands.
 *
 * - `idle`: the last answer is over and nothing of the next request has come; stopping here loses nothing
 * - `header`: the first byte of a request has come
 * - `body`: the body is read before the application runs; told again for every piece
 * - `dispatch`: the application is about to be called
 * - `write`: its answer is known; told again for every piece of a stream
 * - `drain`: the answer is out; what is left of the request is read and thrown away
 * - `upgraded`: another protocol has taken the bytes over
 * - `closed`: the last phase of every connection
 */
export type Phase = "idle" | "header" | "body" | "dispatch" | "write" | "drain" | "upgraded" | "closed";

/** The stretches of a request's life that a stopwatch measures between phases. */
export type Lap = "wait" | "header" | "body" | "dispatch" | "firstByte" | "write";

/** Somebody who looks on: the trace, the stopwatch, the access log. */
export interface PhaseReader {
  /**
   * Called as a connection enters a phase. Must not throw and must not wait.
   *
   * @param connection the connection; {@linkcode Connection.exchange} tells of its request
   * @param phase the phase that it enters
   */
  see(connection: Connection, phase: Phase): void;
}

/**
 * The phases that pass without waiting. A connection hands them over together, one turn for each wait; each is passed
 * only when it is asked for, so every one of them is a place to stop.
 */
export type Turn = Iterable<Phase>;
