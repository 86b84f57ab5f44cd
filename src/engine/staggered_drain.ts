// Closes the connections of an engine that is being replaced in small groups, so that its clients connect to the successor a
// few at a time. A process that has just started answers slowly, and clients that arrive together would wait for each other.

import type { Connection } from "../connection/connection.ts";
import type { Clock, Timer } from "../platform/ports.ts";
import type { LiveTable } from "./live_table.ts";

/** Processes that are replaced together close their listeners within this time of each other. */
const OTHERS_CLOSE_MS = 100;
/** Connections are closed in this many groups. With the time below that takes less than a third of a second. */
const GROUPS = 15;
/** Time between two groups: enough for the successor to answer the clients of one. */
const GROUP_EVERY_MS = 20;
/**
 * The wait for the other listeners may take this part of `withinMs`, and the groups as much again. Half of the time is then
 * left for the last requests.
 */
const PART = 1 / 4;

/** How a staggered drain goes. */
export interface StaggeredDrainOptions {
  clock: Clock;
  /**
   * True if other processes that are being replaced have sockets of their own on the same port. The drain waits until they
   * have closed them. Otherwise a client that connects again could reach such a process.
   */
  isPortShared: boolean;
  /** Milliseconds until connections that are still open are cut. */
  withinMs: number;
}

/**
 * Makes the next answer of each connection its last.
 *
 * @param connections to be closed
 */
export function closeAfterAnswers(connections: Iterable<Connection>): void {
  for (const connection of connections) connection.closeAfterAnswer = true;
}

/**
 * Asks the protocols that have taken connections over to end.
 *
 * @param connections to be closed
 * @param isReplaced true if another process takes over
 */
export function askToLeave(connections: Iterable<Connection>, isReplaced: boolean): void {
  for (const { exchange } of connections) exchange?.switched?.leave(isReplaced);
}

/** One staggered drain. It begins when it is made. */
export class StaggeredDrain {
  /** The wait for the other listeners, then the pace of the groups. Changed when the first group is closed. */
  #timer: Timer;

  /**
   * @param live the engine's connections
   * @param options how the drain goes
   */
  constructor(live: LiveTable, { clock, isPortShared, withinMs }: StaggeredDrainOptions) {
    const waitMs = isPortShared ? Math.min(OTHERS_CLOSE_MS, withinMs * PART) : 0;
    const everyMs = Math.min(GROUP_EVERY_MS, withinMs * PART / GROUPS);
    this.#timer = clock.after(waitMs, () => {
      const remaining = [...live];
      const groupSize = Math.ceil(remaining.length / GROUPS);
      const closeGroup = () => {
        const group = remaining.splice(0, groupSize);
        closeAfterAnswers(group);
        askToLeave(group, true);
        if (remaining.length === 0) this.cancel();
      };
      this.#timer = clock.every(everyMs, closeGroup);
      closeGroup();
    });
  }

  /** Stops: the connections that are left are not closed by this drain. May be called again. */
  cancel(): void {
    this.#timer.cancel();
  }
}
