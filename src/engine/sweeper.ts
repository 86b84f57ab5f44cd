// Runs the sweep over an engine's connections while there are any: deadlines, the date, and clients that have left.

import type { ConnectionOptions } from "../connection/options.ts";
import type { Clock, Timer } from "../platform/ports.ts";
import { Deadlines, SECOND_LOOK_MS } from "./deadlines.ts";
import type { LiveTable } from "./live_table.ts";
import type { Settings } from "./settings.ts";

/** What a sweep looks at and changes. */
export interface SweeperOptions {
  readonly live: LiveTable;
  readonly settings: Settings;
  readonly clock: Clock;
  /** Its date is changed by each sweep. */
  readonly connectionOptions: Pick<ConnectionOptions, "date">;
}

/** The timers of the sweep. They run only while there are connections. */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #deadlines: Deadlines;
  /** How long a connection may idle while the engine drains, in milliseconds; null while it serves. Set by `drain`. */
  #lastIdleMs: number | null = null;
  /** The pace of the sweep; null while there are no connections. Changed by `#start`, `#sweep` and `stop`. */
  #timer: Timer | null = null;
  /** The sweep that follows one that has found an overdue connection; null while there is none. Changed by `#sweep`. */
  #secondLook: Timer | null = null;

  /** @param options what a sweep looks at */
  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.live, options.settings);
  }

  /** Called for each connection: sweeping starts with the first. */
  wake(): void {
    if (this.#timer === null) this.#start();
  }

  /**
   * Called when the listener is closed: connections that idle are closed, at once or after a while.
   *
   * @param lastIdleMs how long they may idle
   */
  drain(lastIdleMs: number): void {
    this.#lastIdleMs = lastIdleMs;
    this.#sweep();
    if (this.#timer !== null) this.#start();
  }

  /** Called when the last connection of a drained engine has ended. */
  stop(): void {
    this.#timer?.cancel();
    this.#secondLook?.cancel();
  }

  #start(): void {
    const { clock, connectionOptions } = this.#options;
    connectionOptions.date = new Date(clock.date()).toUTCString();
    this.#timer?.cancel();
    this.#timer = clock.every(this.#deadlines.paceFor(this.#lastIdleMs), () => this.#sweep());
  }

  #sweep(): void {
    const { clock, live, connectionOptions } = this.#options;
    if (live.size === 0) {
      this.#timer?.cancel();
      this.#timer = null;
      return this.#deadlines.pause();
    }
    connectionOptions.date = new Date(clock.date()).toUTCString();
    const isAnyOverdue = this.#deadlines.sweep(clock.now(), this.#lastIdleMs);
    if (isAnyOverdue) {
      this.#secondLook ??= clock.after(SECOND_LOOK_MS, () => {
        this.#secondLook = null;
        this.#sweep();
      });
    }
    // A client that has left is noticed only while its socket is read.
    for (const connection of live) {
      if (connection.phase === "dispatch" || connection.phase === "write") connection.watch();
    }
  }
}
