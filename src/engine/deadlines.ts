// Knows: how long a client may take, phase by phase.
// Does not know: how it is cut off (connection), or what time it is.
// Rule: one sweep for all connections; a request pays nothing for its deadlines, and a limit is kept to one sweep.

import type { Connection } from "../connection/connection.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import type { LiveTable, Note } from "./live_table.ts";
import type { Settings } from "./settings.ts";

/** A body may come as slowly as it likes for this long; then its rate counts. */
export const BODY_GRACE_MS = 10_000;
/** What is left of a request is read away for this long. */
export const DRAIN_MS = 1_000;
/** A client that has ended its side may have kept the other open; it has this long for an answer to move. */
export const GONE_MS = 1_000;
/** Who has only just connected has a request on its way, and a drain waits for it. */
const FIRST_REQUEST_MS = 100;
/** The sweep's pace where no limit asks for a faster one: half a second late is early enough for any of them. */
const SWEEP_MS = 500;
const FASTEST_SWEEP_MS = 20;

/** Looks over the connections and gives up those that take too long. */
export class Deadlines {
  /** Milliseconds between two sweeps. */
  readonly sweepMs: number;
  #table: LiveTable;
  #settings: Settings;
  #sweptAt = -1;

  constructor(table: LiveTable, settings: Settings) {
    this.#table = table;
    this.#settings = settings;
    const { headerTimeoutMs, writeTimeoutMs, keepAliveMs } = settings;
    const shortest = Math.min(...[headerTimeoutMs, writeTimeoutMs, keepAliveMs].filter((limit) => limit > 0));
    this.sweepMs = Math.max(FASTEST_SWEEP_MS, Math.min(SWEEP_MS, shortest / 2));
  }

  /**
   * Looks at every connection once.
   *
   * @param now milliseconds of the clock
   * @param lastIdleMs how long a connection may idle where all are to end; null while the engine serves
   */
  sweep(now: number, lastIdleMs: number | null): void {
    const pastMs = this.#sweptAt < 0 ? 0 : now - this.#sweptAt;
    this.#sweptAt = now;
    for (const [connection, note] of this.#table) {
      this.#observe(connection, note, now, pastMs);
      const verdict = this.#judge(connection, note, now, lastIdleMs);
      if (verdict !== "go on") connection.expire(verdict);
    }
  }

  /** Called when sweeping stops for lack of connections: the pause is nobody's waiting time. */
  pause(): void {
    this.#sweptAt = -1;
  }

  #observe(connection: Connection, note: Note, now: number, pastMs: number): void {
    if (connection.passed !== note.passed) {
      note.passed = connection.passed;
      note.phaseSince = now;
    }
    const moved = connection.intake.received + connection.outbox.written;
    if (moved !== note.moved) {
      note.moved = moved;
      note.movedSince = now;
    }
    // Bytes that come are no progress of the write, and a handler that took its time is no standstill of it.
    const { written, isWriting } = connection.outbox;
    if (written !== note.written || !isWriting) {
      note.written = written;
      note.writtenSince = now;
    }
    // A client may have sent more before it left; that it left shows only where its bytes are read on.
    if (connection.phase === "dispatch" || connection.phase === "write") connection.watch();
    if (note.endedSince === 0 && connection.isEnded) note.endedSince = now;
    const { exchange } = connection;
    if (exchange !== note.exchange) {
      note.exchange = exchange;
      note.bodyWaitMs = 0;
    } else if (exchange?.isWaitingForBody === true) note.bodyWaitMs += pastMs;
  }

  /** An error to tell the client, null to close without a word, or that all is well. */
  #judge(connection: Connection, note: Note, now: number, lastIdleMs: number | null): ProtocolError | null | "go on" {
    const { headerTimeoutMs, writeTimeoutMs, keepAliveMs } = this.#settings;
    const inPhaseMs = now - note.phaseSince;
    switch (connection.phase) {
      case "idle": {
        if (lastIdleMs !== null) {
          const patienceMs = connection.requests === 0 ? Math.max(lastIdleMs, FIRST_REQUEST_MS) : lastIdleMs;
          return inPhaseMs >= patienceMs ? null : "go on";
        }
        return isPast(inPhaseMs, keepAliveMs || headerTimeoutMs) ? null : "go on";
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
        if (isPast(now - note.writtenSince, writeTimeoutMs)) return null;
        if (note.endedSince > 0 && isPast(now - Math.max(note.endedSince, note.movedSince), GONE_MS)) return null;
        return this.#judgeBody(connection, note);
      default:
        return "go on";
    }
  }

  #judgeBody(connection: Connection, note: Note): ProtocolError | "go on" {
    const { minBodyRate } = this.#settings;
    const { exchange } = connection;
    if (exchange === null || !exchange.isWaitingForBody || note.bodyWaitMs <= BODY_GRACE_MS) return "go on";
    if (exchange.received >= minBodyRate * note.bodyWaitMs / 1000) return "go on";
    return tooSlow(`the body came with less than ${minBodyRate} bytes a second`);
  }
}

function isPast(ms: number, limit: number): boolean {
  return limit > 0 && ms >= limit;
}

function tooSlow(message: string): ProtocolError {
  return new ProtocolError("too-slow", 408, message);
}
