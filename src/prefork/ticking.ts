// Knows: how often a supervisor looks after its workers, and how late it comes to it.
// Does not know: what it looks at.

import type { Clock, Timer } from "../platform/ports.ts";

/** While something is under way. */
const EVERY_MS = 1_000;
/** Where nothing is, a look costs more than what it sees: a sixth of the worker timeout is soon enough, or this. */
const CALM_EVERY_MS = 5_000;
const LOOKS_A_TIMEOUT = 6;

/** What looking goes by. */
export interface TickingTerms {
  clock: Clock;
  /** A worker that was not heard for so many milliseconds hangs; 0 where nobody minds. */
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
