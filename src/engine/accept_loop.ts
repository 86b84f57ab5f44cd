// Accepts connections, one after the other, and pauses if there are too many or the system is short of something.
// It always goes on.

import { ListenerClosed } from "../platform/errors.ts";
import { messageOf } from "../platform/log.ts";
import type { Clock, Listener, Log, Socket } from "../platform/ports.ts";

/** How long accepting pauses when the system has no descriptor left: doubling from the first to the second. */
const MIN_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;
/** Looks at the queue without a new connection after which it is empty: a first one may end before the system was asked. */
const QUIET_LOOKS = 2;
/** Upper bound, in case every look brings a new connection: about a second if the event loop is not blocked. */
const MOST_LOOKS = 200;
/** The same if others listen on the port: they have the next connections, and a longer wait makes the queue no shorter. */
const MOST_LOOKS_OF_SHARED = 20;
/** A line that could come for every connection comes at most once in this time. */
const LOG_EVERY_MS = 1_000;

/** What accepting needs. */
export interface AcceptLoopOptions {
  listener: Listener;
  clock: Clock;
  log: Log;
  /** How many connections are open. */
  size(): number;
  /** How many may be. */
  most: number;
  take(socket: Socket): void;
}

/** The accept loop of one listener. */
export class AcceptLoop {
  /** How often it has paused. */
  pauses = 0;
  /** Connections that were accepted. */
  accepted = 0;
  /** True when no more connections come. */
  hasEnded = false;
  #parts: AcceptLoopOptions;
  #isClosed = false;
  #loggedAt = -Infinity;
  #onRoom: (() => void) | null = null;

  constructor(parts: AcceptLoopOptions) {
    this.#parts = parts;
  }

  /** Accepts until it is closed. Resolves when the system brings no more connections. */
  async run(): Promise<void> {
    await this.#acceptAll();
    this.hasEnded = true;
  }

  async #acceptAll(): Promise<void> {
    const { listener, clock, size, most, take } = this.#parts;
    let pauseMs = 0;
    for (;;) {
      if (!this.#isClosed && size() >= most) {
        await this.#room(`${size()} connections are open, the most that are allowed; new ones wait`);
        continue;
      }
      try {
        const socket = await listener.accept();
        this.accepted++;
        take(socket);
        pauseMs = 0;
      } catch (error) {
        if (error instanceof ListenerClosed || this.#isClosed) return;
        // The system is short of something (EMFILE).
        pauseMs = Math.min(MAX_PAUSE_MS, Math.max(MIN_PAUSE_MS, pauseMs * 2));
        this.#note(`cannot accept, trying again in ${pauseMs} ms: ${messageOf(error)}`);
        await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
      }
    }
  }

  /** A connection has ended. */
  roomMade(): void {
    this.#onRoom?.();
  }

  /**
   * Accepts the connections that wait already, then calls. The system resets those that still wait when the listener is
   * closed, and no other process that listens on the port gets them.
   *
   * @param call what follows; not called if the listener is closed before
   * @param options whether others listen on the port, and the milliseconds after which it is called in any case
   */
  finish(call: () => void, { isShared, withinMs }: { isShared: boolean; withinMs: number }): void {
    const { clock, log } = this.#parts;
    const most = isShared ? MOST_LOOKS_OF_SHARED : MOST_LOOKS;
    const until = clock.now() + withinMs;
    let { accepted } = this;
    let quiet = 0;
    let looks = 0;
    const look = () => {
      if (this.#isClosed) return;
      quiet = this.accepted === accepted ? quiet + 1 : 0;
      accepted = this.accepted;
      if (quiet === QUIET_LOOKS) {
        if (this.#onRoom !== null) {
          log("WARN", "as many connections are open as are allowed: those that wait to be accepted are refused");
        }
        return call();
      }
      if (++looks < most && clock.now() < until) return clock.afterPoll(look);
      if (!isShared) log("WARN", "new connections do not stop coming: those that wait to be accepted now are refused");
      call();
    };
    clock.afterPoll(look);
  }

  /** Stops listening. */
  close(): void {
    this.#isClosed = true;
    this.#parts.listener.close();
    this.#onRoom?.();
  }

  /** Waits until a connection ends. */
  async #room(message: string): Promise<void> {
    this.#note(message);
    await new Promise<void>((resolve) => this.#onRoom = resolve);
    this.#onRoom = null;
  }

  #note(message: string): void {
    this.pauses++;
    const now = this.#parts.clock.now();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    this.#parts.log("WARN", message);
  }
}
