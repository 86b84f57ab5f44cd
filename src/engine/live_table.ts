// The connections of one engine, and when each was last seen to move.

import type { Connection } from "../connection/connection.ts";
import type { Exchange } from "../connection/exchange.ts";

/**
 * What is remembered of a connection from one sweep to the next. `Deadlines.sweep` changes it. Times that end in `At` are milliseconds of the clock;
 * those that end in `Since` are milliseconds of the deadlines, which do not count time in which the process was blocked.
 */
export interface Note {
  /** When the connection was accepted. */
  readonly openedAt: number;
  /** The phase counter that was seen last; -1 before the first sweep. */
  passed: number;
  /** When it was first seen at this number. */
  phaseSince: number;
  /** Bytes read and written that were seen last. */
  moved: number;
  /** When they were first seen at this number. */
  movedAt: number;
  movedSince: number;
  /** Bytes written that were seen last. */
  written: number;
  /** When they were first seen at this number. It starts again while nothing is being written. */
  writtenSince: number;
  /** When the client was first seen to have ended its side; -1 before. */
  endedSince: number;
  /** The exchange that was seen last; null if there was none. */
  exchange: Exchange | null;
  /** How long the body of this exchange has been awaited, in milliseconds. */
  bodyWaitMs: number;
  /** True if the last sweep found it overdue. It is given up only if the next one finds that nothing has moved. */
  isOverdue: boolean;
}

/** The connections of one engine. */
export class LiveTable {
  /** Changed by `add` and `delete`; the notes by `Deadlines.sweep`. */
  #notes = new Map<Connection, Note>();

  /** How many there are. */
  get size(): number {
    return this.#notes.size;
  }

  /**
   * Adds a connection.
   *
   * @param connection a new one
   * @param now milliseconds of the clock
   */
  add(connection: Connection, now: number): void {
    this.#notes.set(connection, {
      openedAt: now,
      passed: -1,
      phaseSince: 0,
      moved: 0,
      movedAt: now,
      movedSince: 0,
      written: 0,
      writtenSince: 0,
      endedSince: -1,
      exchange: null,
      bodyWaitMs: 0,
      isOverdue: false,
    });
  }

  delete(connection: Connection): void {
    this.#notes.delete(connection);
  }

  [Symbol.iterator](): IterableIterator<[Connection, Note]> {
    return this.#notes[Symbol.iterator]();
  }

  connections(): IterableIterator<Connection> {
    return this.#notes.keys();
  }
}
