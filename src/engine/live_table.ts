// Knows: which connections live, and when each was last seen to move.
// Does not know: what is done about one that does not.

import type { Connection } from "../connection/connection.ts";
import type { Exchange } from "../connection/exchange.ts";

/** What is remembered of a connection from one sweep to the next. Times are milliseconds of the clock. */
export interface Note {
  readonly openedAt: number;
  /** The phase counter that was seen last, and since when. */
  passed: number;
  phaseSince: number;
  /** Bytes read and written that were seen last, and since when. */
  moved: number;
  movedSince: number;
  /** Bytes written that were seen last, and since when; it starts anew while nothing is being written. */
  written: number;
  writtenSince: number;
  /** When the client was first seen to have ended its side; 0 before. */
  endedSince: number;
  /** How long the body of this exchange has been waited for. */
  exchange: Exchange | null;
  bodyWaitMs: number;
}

/** The connections of one engine. */
export class LiveTable {
  #notes = new Map<Connection, Note>();

  /** How many there are. */
  get size(): number {
    return this.#notes.size;
  }

  add(connection: Connection, now: number): void {
    this.#notes.set(connection, {
      openedAt: now,
      passed: -1,
      phaseSince: now,
      moved: 0,
      movedSince: now,
      written: 0,
      writtenSince: now,
      endedSince: 0,
      exchange: null,
      bodyWaitMs: 0,
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
