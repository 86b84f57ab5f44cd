// Sends the clients of a draining engine to its successors a few at a time.
// All clients that connect to a new process at the same moment wait for each other there.

import type { Connection } from "../connection/connection.ts";
import type { Clock, Timer } from "../platform/ports.ts";
import type { LiveTable } from "./live_table.ts";

/** Processes that drain together close their listeners within this time of each other. */
const OTHERS_CLOSE_MS = 100;
/** The clients are sent in so many groups, one every 20 ms: over within a third of a second. */
const GROUPS = 15;
const GROUP_EVERY_MS = 20;
/** Part of the graceful timeout that the wait for other processes may take, and again the groups. */
const PART = 1 / 4;

/** How a drain is staggered. */
export interface StaggeredDrainOptions {
  clock: Clock;
  /**
   * True if other draining processes listen on the same port with sockets of their own. Clients are sent on when all of
   * these are closed, or they would come to one of them.
   */
  isPortShared: boolean;
  /** Milliseconds until the connections that are left are cut. */
  withinMs: number;
}

/**
 * Makes the next answer of each connection its last.
 *
 * @param connections the connections
 */
export function sendAway(connections: Iterable<Connection>): void {
  for (const connection of connections) connection.closeAfterAnswer = true;
}

/** Sends clients to the processes that take over. */
export class StaggeredDrain {
  /** First the wait for the other processes, then the interval of the groups. */
  #timer: Timer;

  /**
   * @param live the connections
   * @param options how the drain is staggered
   */
  constructor(live: LiveTable, { clock, isPortShared, withinMs }: StaggeredDrainOptions) {
    const waitMs = isPortShared ? Math.min(OTHERS_CLOSE_MS, withinMs * PART) : 0;
    const everyMs = Math.min(GROUP_EVERY_MS, withinMs * PART / GROUPS);
    this.#timer = clock.after(waitMs, () => {
      const staying = [...live.connections()];
      const groupSize = Math.ceil(staying.length / GROUPS);
      const sendGroup = () => {
        sendAway(staying.splice(0, groupSize));
        if (staying.length === 0) this.cancel();
      };
      this.#timer = clock.every(everyMs, sendGroup);
      sendGroup();
    });
  }

  /** Stops it. No more clients are sent away. */
  cancel(): void {
    this.#timer.cancel();
  }
}
