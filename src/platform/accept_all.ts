// Accepts the connections of a listener, one after another, and waits if the system is short of something.

import { ListenerClosed } from "./errors.ts";
import type { Clock, Listener, Socket } from "./ports.ts";

/** First pause after an accept that fails. Each further failure doubles it: a descriptor often becomes free soon. */
const MIN_PAUSE_MS = 50;
/** Longest pause. A client should not wait much longer than that once a descriptor is free. */
const MAX_PAUSE_MS = 1_000;

/** What is done with connections. */
export interface AcceptOptions {
  clock: Clock;
  /** Takes each connection. It does not throw. */
  take(socket: Socket): void;
  /** Told of each accept that fails, for example because the process has too many open files, and of the pause that follows. */
  onFailure(error: unknown, pauseMs: number): void;
  /** Asked before each accept, again and again until it gives null: what to wait for before the next connection. */
  waitFor?(): Promise<void> | null;
}

/**
 * Accepts connections until the listener is closed. Never rejects.
 *
 * @param listener the listening socket
 * @param options what takes the connections
 */
export async function acceptAll(listener: Listener, options: AcceptOptions): Promise<void> {
  const { clock, take, onFailure } = options;
  let pauseMs = 0;
  for (;;) {
    for (let wait = options.waitFor?.() ?? null; wait !== null; wait = options.waitFor?.() ?? null) await wait;
    try {
      take(await listener.accept());
      pauseMs = 0;
    } catch (error) {
      if (error instanceof ListenerClosed) return;
      pauseMs = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pauseMs * 2));
      onFailure(error, pauseMs);
      await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
    }
  }
}
