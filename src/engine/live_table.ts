// The connections of one engine, and when each was last seen to move.

import { Connection } from "../connection/connection.ts";
import type { Exchange } from "../connection/exchange.ts";
import type { ConnectionOptions } from "../connection/options.ts";
import type { Socket } from "../platform/ports.ts";

/**
 * What is remembered of a connection from one sweep to the next. `Deadlines.sweep` changes it. Times that end in `At` are
 * milliseconds of the clock; those that end in `Since` are milliseconds of the deadlines, which do not count time in which the
 * process was blocked. All are whole numbers: V8 keeps any other number in an object of its own.
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

/** A connection of an engine. */
export class LiveConnection extends Connection {
  readonly note: Note;
  /** Its neighbours in the table; null at the ends, and while it is not in one. Changed by the table. */
  previous: LiveConnection | null = null;
  next: LiveConnection | null = null;

  /**
   * @param id its number
   * @param socket its bytes; the connection closes it
   * @param options `connection`: what the engine and its connections agree on; `now`: milliseconds of the clock
   */
  constructor(id: number, socket: Socket, { connection, now }: { connection: ConnectionOptions; now: number }) {
    super(id, socket, connection);
    const openedAt = Math.floor(now);
    this.note = {
      openedAt,
      passed: -1,
      phaseSince: 0,
      moved: 0,
      movedAt: openedAt,
      movedSince: 0,
      written: 0,
      writtenSince: 0,
      endedSince: -1,
      exchange: null,
      bodyWaitMs: 0,
      isOverdue: false,
    };
  }
}

/**
 * The connections of one engine, the oldest first.
 *
 * It is a linked list and not a Map: a Map that entries come to and go from is copied again and again, and each old copy holds
 * its entries and the next copy. If the collector has moved one of them to the old space, all connections since then stay in
 * memory until the next full collection, and each short collection copies them.
 */
export class LiveTable {
  /** Changed by `add` and `delete`. */
  #first: LiveConnection | null = null;
  #last: LiveConnection | null = null;
  #size = 0;

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** @param connection a connection that is in no table */
  add(connection: LiveConnection): void {
    const last = this.#last;
    connection.previous = last;
    if (last === null) this.#first = connection;
    else last.next = connection;
    this.#last = connection;
    this.#size++;
  }

  /** @param connection a connection that is in this table */
  delete(connection: LiveConnection): void {
    const { previous, next } = connection;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next === null) this.#last = previous;
    else next.previous = previous;
    // A connection in the old space must not hold those that came after it.
    connection.previous = connection.next = null;
    this.#size--;
  }

  /** Goes over them. Meanwhile only the one that was given last may be deleted: the engine deletes none in between. */
  *[Symbol.iterator](): Generator<LiveConnection, void, void> {
    for (let connection = this.#first; connection !== null;) {
      const { next } = connection;
      yield connection;
      connection = next;
    }
  }
}
