// Writes lines to a file in few writes.

import type { Clock, Timer } from "../platform/ports.ts";

/** Lines wait for each other at most so long, and at most in such a number of characters. */
const WAIT_MS = 200;
const MAX_WAITING = 64 * 1024;

/** Collects lines and hands them on together. */
export class LineWriter {
  #sink: (text: string) => void;
  #clock: Clock;
  #waiting = "";
  #timer: Timer | null = null;

  /**
   * @param sink takes the text of one or more lines
   * @param clock sets the timer
   */
  constructor(sink: (text: string) => void, clock: Clock) {
    this.#sink = sink;
    this.#clock = clock;
  }

  /** Takes a line, its end included. */
  write(line: string): void {
    this.#waiting += line;
    if (this.#waiting.length > MAX_WAITING) this.flush();
    else this.#timer ??= this.#clock.after(WAIT_MS, () => this.flush());
  }

  /** Hands on what waits; called before the process ends. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#waiting === "") return;
    const text = this.#waiting;
    this.#waiting = "";
    this.#sink(text);
  }
}
