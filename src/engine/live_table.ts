// The connections of one engine, and when each was last seen to move.

import type { Connection } from "../connection/connection.ts";
import type { Exchange } from "../connection/exchange.ts";

/**
 * What is remembered of a connection from one sweep to the next. Times that end in `At` are milliseconds of the clock;
 * those that end in `Since` are milliseconds of the deadlines, which do not count time in which the process was blocked.
 */
export interface Note {
  readonly openedAt: number;
  /** The phase counter that was seen last, and since when. */
  passed: number;
  phaseSince: number;
  /** Bytes read and written that were seen last, and since when. */
  moved: number;
  movedAt: number;
  movedSince: number;
  /** Bytes written that were seen last, and since when. It starts again while nothing is being written. */
  written: number;
  writtenSince: number;
  /** When the client was first seen to have ended its side; -1 before. */
  endedSince: number;
  /** The exchange that was seen last, and how long its body has been awaited. */
  exchange: Exchange | null;
  bodyWaitMs: number;
  /** True if the last sweep found it overdue. It is given up only if the next one finds that nothing has moved. */
  isOverdue: boolean;
}

/** The connections of one engine. */
export class LiveTable {
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
