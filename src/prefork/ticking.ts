// How often a supervisor checks its workers, and how late each check is.

import type { Clock, Timer } from "../platform/ports.ts";

/** While something is under way. */
const EVERY_MS = 1_000;
/** While nothing is under way a check costs more than it finds. A sixth of the worker timeout, or this, is soon enough. */
const CALM_EVERY_MS = 5_000;
const LOOKS_A_TIMEOUT = 6;

/** What looking goes by. */
export interface TickingTerms {
  clock: Clock;
  /** A worker that was silent for so many milliseconds hangs; 0 turns the check off. */
  workerTimeoutMs: number;
  /** Told how much later than it should it is called, in milliseconds. */
  look(lateMs: number): void;
}

/** Looks again and again. */
export class Ticking {
  #terms: TickingTerms;
  #calmMs: number;
  #everyMs = 0;
  #lookedAt = 0;
  #timer: Timer | null = null;
  #hasEnded = false;

  /** @param terms what it goes by; it begins with the first {@linkcode keep} */
  constructor(terms: TickingTerms) {
    const { workerTimeoutMs } = this.#terms = terms;
    const patienceMs = workerTimeoutMs === 0 ? Infinity : workerTimeoutMs / LOOKS_A_TIMEOUT;
    this.#calmMs = Math.max(EVERY_MS, Math.min(CALM_EVERY_MS, patienceMs));
  }

  /**
   * Keeps to a pace.
   *
   * @param isCalm nothing is under way
   */
  keep(isCalm: boolean): void {
    const everyMs = isCalm ? this.#calmMs : EVERY_MS;
    if (this.#hasEnded || everyMs === this.#everyMs) return;
    const { clock, look } = this.#terms;
    this.#timer?.cancel();
    this.#everyMs = everyMs;
    this.#lookedAt = clock.now();
    this.#timer = clock.every(everyMs, () => {
      const now = clock.now();
      const lateMs = Math.max(0, now - this.#lookedAt - everyMs);
      this.#lookedAt = now;
      look(lateMs);
    });
  }

  /** Ends it for good. */
  end(): void {
    this.#hasEnded = true;
    this.#timer?.cancel();
  }
}
