// One timer for all that wait for the next tick. It stops when nothing waits.

import type { Clock, Timer } from "../platform/ports.ts";

/** What a ticker is made of. */
export interface TickerParts {
  clock: Clock;
  everyMs: number;
  /** Done at every tick, before those that wait go on. Returns true if it has to be done again. */
  work: () => boolean;
}

/** A timer that many share. */
export class Ticker {
  #parts: TickerParts;
  #timer: Timer | null = null;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(parts: TickerParts) {
    this.#parts = parts;
  }

  /** Lets it tick, if it does not; it stops by itself. */
  start(): void {
    if (this.#isClosed) return this.#wake();
    this.#timer ??= this.#parts.clock.every(this.#parts.everyMs, () => this.#onTick());
  }

  /** Waits for the next tick. Resolves at once if the ticker is closed. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.start();
    });
  }

  /** Stops it for good. What waits goes on. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#wake();
  }

  #onTick(): void {
    const goesOn = this.#parts.work();
    if (!goesOn && this.#waiting.length === 0) {
      this.#timer?.cancel();
      this.#timer = null;
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
