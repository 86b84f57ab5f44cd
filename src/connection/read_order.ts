// Knows which requests come together. It lets every connection have its turn when more are ready than the runtime serves at once,
// and lets the answers of a batch be written together.
//
// tokio gives a task 128 operations a turn (its cooperative budget), and all reads of Deno belong to one task. When more
// are ready, the rest is put off, behind whatever becomes ready next. Connections that were just answered and are ready
// again then overtake those that wait, for seconds.
//
// So after a full batch of requests, connections that were answered line up. Those that were put off are served first.
// Then a group of those in line starts to read after each batch, in order. A group is smaller than a full batch, so from
// then on none is put off. Below that many active connections nothing lines up, and a request costs one addition and two
// comparisons.

import type { Clock, Timer } from "../platform/ports.ts";
import { type Resolvers, withResolvers } from "../platform/resolvers.ts";

/** Tokio's budget. So many requests that begin together are a full batch: others may have been put off. */
export const FULL_BATCH = 128;

/** Connections that start to read together. A read and a write for each are just the budget. */
export const GROUP_SIZE = 64;

/** If no request begins for so long, the clients of the group that reads are slow: the next group starts. */
export const PATIENCE_MS = 1;

/** A batch that takes longer has handlers that compute. Full batches of small answers take about a millisecond. */
export const QUICK_BATCH_MS = 2;

/** Connections that start to read together. */
interface Group {
  size: number;
  readonly start: Resolvers<void>;
}

/** The order in which the idle connections of one engine read. */
export class ReadOrder {
  #clock: Pick<Clock, "after" | "now">;
  /** Requests that have begun since the last batch ended. Raised by `came`. */
  #came = 0;
  /** When the second request of this batch began. Set by `came`, because a request that is alone needs no time. */
  #cameAt = 0;
  /** True if the last batch of several requests was answered quickly. */
  #isQuick = false;
  /** Groups in line, the first to start at the front. */
  #groups: Group[] = [];
  /** True from a full batch until the line is empty. */
  #isLiningUp = false;
  /** Runs while connections are in line, so that each starts even if no request begins any more. */
  #timer: Timer | null = null;
  /** True if a batch has ended since the timer was set. */
  #hasMoved = false;

  /** @param clock sets the timer, and tells how long a batch takes */
  constructor(clock: Pick<Clock, "after" | "now">) {
    this.#clock = clock;
  }

  /** Called by an idle connection when the first bytes of a request have come. */
  came(): void {
    if (++this.#came === 2) this.#cameAt = this.#clock.now();
  }

  /**
   * True if an answer may wait until the other requests of its batch are answered too, and all are written one after the other.
   * Processor and system then stay longer at the same thing, and a request costs some percent less. If the last batch took
   * long, this is false: the first to be answered would wait for the slowest.
   */
  get writesTogether(): boolean {
    return this.#isQuick && this.#came > 1;
  }

  /**
   * Called by an idle connection before it starts a read. All requests of a batch have begun before the first of them is
   * answered and comes by here.
   *
   * @returns null to read at once, otherwise resolved when it may
   */
  pause(): Promise<void> | null {
    if (this.#came > 0) this.#endBatch();
    if (!this.#isLiningUp) return null;
    let last = this.#groups.at(-1);
    if (last === undefined || last.size >= GROUP_SIZE) {
      last = { size: 0, start: withResolvers() };
      this.#groups.push(last);
      if (this.#timer === null) this.#setTimer();
    }
    last.size++;
    return last.start.promise;
  }

  #endBatch(): void {
    const isFull = this.#came >= FULL_BATCH;
    if (this.#came > 1) this.#isQuick = this.#clock.now() - this.#cameAt < QUICK_BATCH_MS;
    this.#came = 0;
    this.#hasMoved = true;
    if (isFull) this.#isLiningUp = true;
    else if (this.#isLiningUp) this.#startNext();
  }

  #startNext(): void {
    this.#groups.shift()?.start.resolve();
    if (this.#groups.length === 0) this.#isLiningUp = false;
  }

  #setTimer(): void {
    this.#hasMoved = false;
    this.#timer = this.#clock.after(PATIENCE_MS, this.#onTimer);
  }

  #onTimer = (): void => {
    this.#timer = null;
    if (!this.#hasMoved) this.#startNext();
    if (this.#groups.length > 0) this.#setTimer();
  };
}
