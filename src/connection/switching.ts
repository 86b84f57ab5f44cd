// What a protocol is that takes a connection over after an answer of 101, and what its engine tells it.

import type { Socket } from "../platform/ports.ts";
import type { Leaving } from "./leaving.ts";
import type { Traffic } from "./phases.ts";

/** Takes a connection over after an answer of 101. */
export type TakeOver = (socket: Socket, first: Uint8Array) => Promise<void>;

/** What has taken a connection over, if it wants to be known to the engine. */
export interface SwitchedProtocol extends Traffic {
  /**
   * The engine drains: what has no end of its own should end.
   *
   * @param isReplaced true if another process takes over
   */
  leave(isReplaced: boolean): void;
  /**
   * Called by each sweep of the engine.
   *
   * @param now milliseconds in which this process was able to serve
   * @param writeTimeoutMs most milliseconds without progress of a write; 0 means no limit
   * @returns true if the connection is to be closed
   */
  isOverdue(now: number, writeTimeoutMs: number): boolean;
}

/** What an engine says to protocols that take connections over. */
export interface SwitchTerms {
  readonly leaving: Leaving;
  /** Most bytes of a message of a WebSocket. */
  readonly maxMessageBytes: number;
}
