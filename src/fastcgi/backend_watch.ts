// Gives up backends that do not move. One timer looks at all requests, so that none needs a timer of its own.

import type { Clock, Timer } from "../platform/ports.ts";

/** A late request is found within this, or within a quarter of its time if that is less. */
const LONGEST_SWEEP_MS = 500;
const SWEEPS_A_TIMEOUT = 4;

/** A request, as the watch sees it. */
export interface Watched {
  /** Grows with everything that moves. */
  readonly moves: number;
  /** True while the backend, and not the client, has to do something. */
  readonly isBackendAwaited: boolean;
  /** Gives the backend up, because it has not moved for so long. */
  timeOut(timeoutMs: number): void;
}

/** When a request was seen to move, and how far it was then. */
interface Seen {
  moves: number;
  at: number;
}

/** Looks at the requests that are under way. */
export class BackendWatch {
  #clock: Clock;
  #timeoutMs: number;
  #sweepMs: number;
  #seen: Map<Watched, Seen | null> = new Map();
  /** Null while there is nothing to look at. */
  #timer: Timer | null = null;
  #lastSweep = 0;

  /**
   * @param clock the time
   * @param timeoutMs how long a backend may take; 0 means no limit
   */
  constructor(clock: Clock, timeoutMs: number) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#sweepMs = Math.max(1, Math.min(LONGEST_SWEEP_MS, timeoutMs / SWEEPS_A_TIMEOUT));
  }

  /** Looks at a request until `delete`. Its time begins when it is first seen. */
  add(watched: Watched): void {
    if (this.#timeoutMs === 0) return;
    this.#seen.set(watched, null);
    if (this.#timer !== null) return;
    this.#lastSweep = this.#clock.now();
    this.#timer = this.#clock.every(this.#sweepMs, () => this.#sweep());
  }

  /** Looks at a request no longer. */
  delete(watched: Watched): void {
    this.#seen.delete(watched);
  }

  #sweep(): void {
    if (this.#seen.size === 0) {
      this.#timer?.cancel();
      this.#timer = null;
      return;
    }
    const now = this.#clock.now();
    // If this process stood still, answers may have come that it has not read yet. That time is not the backends'.
    const stoodMs = Math.max(0, now - this.#lastSweep - 2 * this.#sweepMs);
    this.#lastSweep = now;
    for (const [watched, seen] of this.#seen) {
      const { moves } = watched;
      if (seen === null) this.#seen.set(watched, { moves, at: now });
      else if (seen.moves !== moves || !watched.isBackendAwaited) {
        seen.moves = moves;
        seen.at = now;
      } else {
        seen.at += stoodMs;
        if (now - seen.at >= this.#timeoutMs) watched.timeOut(this.#timeoutMs);
      }
    }
  }
}
