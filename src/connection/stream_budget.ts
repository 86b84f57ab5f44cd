// Limits how long streams that never wait are sent before the runtime asks the system for connections and bytes.
// Without it, such a stream keeps other clients waiting, or, if all its pieces are empty, the whole event loop.

import type { Clock } from "../platform/ports.ts";

/** How long streams may be sent in one go: other clients wait about twice as long at most. */
const SHARE_MS = 30;
/** Fewer pieces never pause, so that the events of a quiet stream do not. */
const SHARE_PIECES = 16;

/** The budget of one engine. It is renewed by each pause. */
export class StreamBudget {
  #clock: Pick<Clock, "now" | "afterPoll">;
  /** Pieces since the last pause. */
  #pieces = 0;
  /** When the last pause was over. */
  #renewedAt = -Infinity;
  /** Resolves when the pause is over; null if there is none. */
  #pause: Promise<void> | null = null;

  constructor(clock: Pick<Clock, "now" | "afterPoll">) {
    this.#clock = clock;
  }

  /**
   * Notes that a stream has given a piece.
   *
   * @returns null to go on at once, otherwise resolved when the caller may
   */
  take(): Promise<void> | null {
    if (this.#pause !== null) return this.#pause;
    if (++this.#pieces < SHARE_PIECES || this.#clock.now() - this.#renewedAt < SHARE_MS) return null;
    return this.#pause = new Promise((resolve) =>
      this.#clock.afterPoll(() => {
        this.#pieces = 0;
        this.#renewedAt = this.#clock.now();
        this.#pause = null;
        resolve();
      })
    );
  }
}
