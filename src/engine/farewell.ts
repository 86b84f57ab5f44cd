// How the clients of an engine that leaves are told to go.
// Who comes to a server that has only just started waits for all who came with it: they are sent a few at a time.

import type { Connection } from "../connection/connection.ts";
import type { Clock, Timer } from "../platform/ports.ts";
import type { LiveTable } from "./live_table.ts";

/** Those who leave together close their listeners within so much of each other. */
const OTHERS_CLOSE_MS = 100;
/** Everybody is sent in so many shares, one every so often: over within a third of a second. */
const SHARES = 15;
const SHARE_EVERY_MS = 20;
/** At most this part of the time that there is goes into the wait for the others, and again into the shares. */
const PART = 1 / 4;

/** What a farewell goes by. */
export interface FarewellTerms {
  clock: Clock;
  /**
   * Others who leave listen on the same port with sockets of their own: clients are sent on when all of these are closed,
   * or they would come to one of them.
   */
  isPortShared: boolean;
  /** Milliseconds until whoever is still there is cut. */
  withinMs: number;
}

/**
 * Makes the next answer of each connection its last.
 *
 * @param connections whose
 */
export function sendAway(connections: Iterable<Connection>): void {
  for (const connection of connections) connection.closeAfterAnswer = true;
}

/** Sends clients to the processes that take over. */
export class Farewell {
  #timer: Timer;

  /**
   * @param live whose clients
   * @param terms what it goes by
   */
  constructor(live: LiveTable, { clock, isPortShared, withinMs }: FarewellTerms) {
    const waitMs = isPortShared ? Math.min(OTHERS_CLOSE_MS, withinMs * PART) : 0;
    const everyMs = Math.min(SHARE_EVERY_MS, withinMs * PART / SHARES);
    this.#timer = clock.after(waitMs, () => {
      const staying = [...live.connections()];
      const share = Math.ceil(staying.length / SHARES);
      const sendShare = () => {
        sendAway(staying.splice(0, share));
        if (staying.length === 0) this.cancel();
      };
      this.#timer = clock.every(everyMs, sendShare);
      sendShare();
    });
  }

  /** Ends it; nobody else is sent away. */
  cancel(): void {
    this.#timer.cancel();
  }
}
