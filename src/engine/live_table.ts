// The connections of one engine, and when each was last seen to move.

import type { Connection } from "../connection/connection.ts";
import type { Exchange } from "../connection/exchange.ts";

/**
 * What is remembered of a connection from one sweep to the next. `Deadlines.sweep` changes it. Times that end in `At` are
 * milliseconds of the clock; those that end in `Since` are milliseconds of the deadlines, which do not count time in which the
 * process was blocked.
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

/** A connection in the table, and its neighbours; null at the ends, and once it was deleted. Changed by the table. */
export interface Entry {
  readonly connection: Connection;
  readonly note: Note;
  previous: Entry | null;
  next: Entry | null;
}

/**
 * The connections of one engine, the oldest first.
 *
 * It is a linked list and not a Map: a Map that entries come to and go from is copied again and again, and each old copy holds
 * its entries and the next copy. If the collector has moved one of them to the old space, all connections since then stay in
 * memory until the next full collection, and each short collection copies them.
 */
export class LiveTable {
  /** Changed by `add` and `delete`; the notes by `Deadlines.sweep`. */
  #first: Entry | null = null;
  #last: Entry | null = null;
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds a connection.
   *
   * @param connection a new one
   * @param now milliseconds of the clock
   * @returns its entry, for `delete`
   */
  add(connection: Connection, now: number): Entry {
    const note: Note = {
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
    };
    const last = this.#last;
    const entry: Entry = { connection, note, previous: last, next: null };
    if (last === null) this.#first = entry;
    else last.next = entry;
    this.#last = entry;
    this.#size++;
    return entry;
  }

  /**
   * Deletes a connection, once.
   *
   * @param entry what `add` returned
   */
  delete(entry: Entry): void {
    const { previous, next } = entry;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    // An entry in the old space must not hold those that came after it.
    entry.previous = entry.next = null;
    this.#size--;
  }

  /** Goes over them. Meanwhile only the one that was given last may be deleted: the engine deletes none in between. */
  *[Symbol.iterator](): Generator<[Connection, Note], void, void> {
    for (let entry = this.#first; entry !== null;) {
      const { next } = entry;
      yield [entry.connection, entry.note];
      entry = next;
    }
  }

  *connections(): Generator<Connection, void, void> {
    for (const [connection] of this) yield connection;
  }
}
