// Decides which connections take too long. One sweep looks at all of them, so a request pays nothing for its deadlines.
// Time in which this process was blocked does not count, and an overdue connection is looked at twice: its bytes may have
// arrived and not be read yet.

import type { Connection } from "../connection/connection.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import type { LiveTable, Note } from "./live_table.ts";
import type { Settings } from "./settings.ts";

/** A body may come as slowly as it likes for this long. After that its rate counts. */
const BODY_GRACE_MS = 10_000;
/**
 * The rest of a request is read away for this long. Closing at once would reset the connection, and the client could lose the
 * answer (RFC 9112, section 9.6).
 */
const DRAIN_MS = 1_000;
/** A client that has just connected has a request on its way, and a drain waits for it. */
const FIRST_REQUEST_MS = 100;
/** Pace of the sweep if no limit needs a faster one: half a second late is early enough for each of them. */
const SWEEP_MS = 500;
/** A very short limit does not make the sweep faster than this, which would cost too much with many connections. */
const FASTEST_SWEEP_MS = 20;
/** Time between the two looks at an overdue connection: enough for the event loop to read what has arrived. */
export const SECOND_LOOK_MS = 50;
/** A sweep that is later than this means that the process was blocked. A timer of an idle process is a few ms late at most. */
const LATE_MS = 100;

/** Looks over the connections and gives up those that take too long. */
export class Deadlines {
  /** Milliseconds between two sweeps while the engine serves. */
  #sweepMs: number;
  /** The engine's connections. The sweep changes their notes. */
  #table: LiveTable;
  #settings: Settings;
  /** Milliseconds in which this process was able to serve. Changed by each sweep. */
  #time = 0;
  /** When the last sweep was, on the clock; -1 before the first and after a pause. Changed by `sweep` and `pause`. */
  #sweptAt = -1;
  /** When the next sweep should be, on the clock. Changed by each sweep. */
  #dueAt = 0;

  /**
   * @param table the engine's connections
   * @param settings the limits
   */
  constructor(table: LiveTable, settings: Settings) {
    this.#table = table;
    this.#settings = settings;
    const { headerTimeoutMs, writeTimeoutMs, keepAliveMs } = settings;
    const shortest = Math.min(...[headerTimeoutMs, writeTimeoutMs, keepAliveMs].filter((limit) => limit > 0));
    this.#sweepMs = Math.max(FASTEST_SWEEP_MS, Math.min(SWEEP_MS, shortest / 2));
  }

  /**
   * How often to sweep.
   *
   * @param lastIdleMs how long a connection may idle while the engine drains; null while it serves
   * @returns milliseconds between two sweeps
   */
  paceFor(lastIdleMs: number | null): number {
    if (lastIdleMs === null || lastIdleMs === 0) return this.#sweepMs;
    return Math.max(FASTEST_SWEEP_MS, Math.min(this.#sweepMs, lastIdleMs / 2));
  }

  /**
   * Looks at every connection once, and gives up those that were overdue at the last sweep and have not moved since.
   *
   * @param now milliseconds of the clock
   * @param lastIdleMs how long a connection may idle while the engine drains; null while it serves
   * @returns true if a connection is overdue: sweep again after {@linkcode SECOND_LOOK_MS}
   */
  sweep(now: number, lastIdleMs: number | null): boolean {
    now = Math.floor(now);
    const lateMs = this.#sweptAt < 0 ? 0 : now - this.#dueAt;
    const wasBlocked = lateMs > LATE_MS;
    const countedMs = this.#sweptAt < 0 ? 0 : now - this.#sweptAt - (wasBlocked ? Math.ceil(lateMs) : 0);
    this.#time += countedMs;
    this.#sweptAt = now;
    let isAnyOverdue = false;
    for (const connection of this.#table) {
      const { note } = connection;
      const hasMoved = this.#observe(connection, note, { now, countedMs });
      const verdict = this.#judge(connection, note, lastIdleMs);
      if (verdict === "go on") note.isOverdue = false;
      else if (isNow(connection, lastIdleMs) || (note.isOverdue && !hasMoved && !wasBlocked)) {
        connection.end({ why: "timeout", error: verdict });
      } else note.isOverdue = isAnyOverdue = true;
    }
    this.#dueAt = now + (isAnyOverdue ? SECOND_LOOK_MS : this.paceFor(lastIdleMs));
    return isAnyOverdue;
  }

  /** Called when sweeping stops because there are no connections. The pause is not a delay of any client. */
  pause(): void {
    this.#sweptAt = -1;
  }

  /** Returns true if a byte has moved or a phase was passed since the last sweep. */
  #observe(connection: Connection, note: Note, { now, countedMs }: { now: number; countedMs: number }): boolean {
    const time = this.#time;
    let hasMoved = false;
    const isNew = note.passed < 0;
    if (connection.passed !== note.passed) {
      note.passed = connection.passed;
      note.phaseSince = time;
      hasMoved = true;
    }
    const moved = movedOn(connection);
    if (moved !== note.moved || isNew) {
      note.moved = moved;
      note.movedAt = now;
      note.movedSince = time;
      hasMoved = true;
    }
    // Bytes that come are not progress of the write, and the time that a handler takes is not a stalled write.
    const { written, isWriting } = connection.outbound;
    if (written !== note.written || !isWriting || isNew) {
      note.written = written;
      note.writtenSince = time;
    }
    if (note.endedSince < 0 && connection.hasClientEnded) note.endedSince = time;
    const { exchange } = connection;
    if (exchange !== note.exchange) {
      note.exchange = exchange;
      note.bodyWaitMs = 0;
    } else if (exchange?.body.isAwaited === true) note.bodyWaitMs += countedMs;
    return hasMoved;
  }

  /** Returns the error to tell the client, null to close without an answer, or "go on" if nothing is overdue. */
  #judge(connection: Connection, note: Note, lastIdleMs: number | null): ProtocolError | null | "go on" {
    const { headerTimeoutMs, writeTimeoutMs, keepAliveMs } = this.#settings;
    const time = this.#time;
    const inPhaseMs = time - note.phaseSince;
    switch (connection.phase) {
      case "idle": {
        if (lastIdleMs !== null) {
          const patienceMs = connection.requests === 0 ? Math.max(lastIdleMs, FIRST_REQUEST_MS) : lastIdleMs;
          return inPhaseMs >= patienceMs ? null : "go on";
        }
        // Before its first phase, a connection that has sent something is in the header of the PROXY protocol.
        const hasBegun = connection.passed === 0 && connection.inbound.received > 0;
        const limitMs = (hasBegun && headerTimeoutMs) || keepAliveMs || headerTimeoutMs;
        return isPast(inPhaseMs, limitMs) ? null : "go on";
      }
      case "drain":
        return isPast(inPhaseMs, DRAIN_MS) ? null : "go on";
      case "header":
        if (connection.exchange === null) {
          return isPast(inPhaseMs, headerTimeoutMs)
            ? tooSlow(`the head took more than ${headerTimeoutMs} ms`)
            : "go on";
        }
      // falls through: the head is here, and the application is asked whether it accepts it
      case "body":
      case "dispatch":
      case "write":
        if (isPast(time - note.writtenSince, writeTimeoutMs)) return null;
        // A client that has ended its side may still read. If nothing moves for long, it has left.
        if (note.endedSince >= 0 && isPast(time - Math.max(note.endedSince, note.movedSince), writeTimeoutMs)) {
          return null;
        }
        return this.#judgeBody(connection, note);
      case "upgraded":
        return connection.exchange?.switched?.isOverdue(time, writeTimeoutMs) === true ? null : "go on";
      default:
        return "go on";
    }
  }

  #judgeBody(connection: Connection, note: Note): ProtocolError | "go on" {
    const { minBodyRate } = this.#settings;
    const { exchange } = connection;
    if (exchange === null || !exchange.body.isAwaited || note.bodyWaitMs <= BODY_GRACE_MS) return "go on";
    if (exchange.received >= minBodyRate * note.bodyWaitMs / 1000) return "go on";
    return tooSlow(`the body came with less than ${minBodyRate} bytes a second`);
  }
}

/** Bytes of both directions, those of a protocol that has taken the connection over included. */
function movedOn({ inbound, outbound, exchange }: Connection): number {
  const switched = exchange?.switched ?? null;
  const moved = inbound.received + outbound.written;
  return switched === null ? moved : moved + switched.bytesReceived + switched.bytesSent;
}

/** While the engine drains, a connection that idles or drains ends at the first look. */
function isNow({ phase }: Connection, lastIdleMs: number | null): boolean {
  return phase === "drain" || (phase === "idle" && lastIdleMs !== null);
}

function isPast(ms: number, limit: number): boolean {
  return limit > 0 && ms >= limit;
}

function tooSlow(message: string): ProtocolError {
  return new ProtocolError("too-slow", 408, message);
}
