// Accepts the connections of one listener, and pauses at the connection limit or when the system is short of descriptors.
// What happens on a connection is decided by the engine.

import { acceptAll } from "../platform/accept_all.ts";
import { messageOf } from "../platform/log.ts";
import type { Clock, Listener, Log, Socket } from "../platform/ports.ts";

/**
 * Looks without a new connection after which the backlog counts as empty. One is not enough, because it may end before the
 * system was asked.
 */
const QUIET_LOOKS = 2;
/** Upper bound, in case every look brings a new connection: about a second if the event loop is not blocked. */
const MAX_LOOKS = 200;
/** The same for a port that other processes listen on. They get new connections, and a longer wait does not shorten the backlog. */
const MAX_LOOKS_OF_SHARED = 20;
/** Least time between two lines about pauses, because each connection may cause one. */
const LOG_EVERY_MS = 1_000;

/** What an accept loop needs. */
export interface AcceptLoopOptions {
  listener: Listener;
  clock: Clock;
  log: Log;
  /** Most connections at once. At this number accepting pauses until one ends. */
  maxConnections: number;
  /** How many connections are open now. */
  openConnections(): number;
  /** Called with each accepted connection. */
  onConnection(socket: Socket): void;
}

/** How the backlog is emptied before the listener closes. */
export interface BacklogOptions {
  /** True if other processes listen on the port. */
  isShared: boolean;
  /** Milliseconds after which it is over in any case. */
  withinMs: number;
}

/** The accept loop of one listener. */
export class AcceptLoop {
  /** How often accepting had to pause. Changed by `#notePause`. */
  pauses = 0;
  /** Connections accepted so far. Changed by `run`. */
  accepted = 0;
  /** True once no more connections come. Set by `run`, when the listener is closed and the last accept is over. */
  hasEnded = false;
  #options: AcceptLoopOptions;
  /** True once `close` was called. */
  #isClosed = false;
  /** When the last line about a pause was logged, on the clock. Changed by `#notePause`. */
  #loggedAt = -Infinity;
  /** Ends the pause at the connection limit; null while there is none. Changed by `#waitForRoom`. */
  #onRoom: (() => void) | null = null;

  constructor(options: AcceptLoopOptions) {
    this.#options = options;
  }

  /** Accepts until the listener is closed. Resolves when no more connections come. Never rejects. */
  async run(): Promise<void> {
    const { listener, clock, maxConnections, openConnections, onConnection } = this.#options;
    await acceptAll(listener, {
      clock,
      waitFor: () => this.#isClosed || openConnections() < maxConnections ? null : this.#waitForRoom(),
      take: (socket) => {
        this.accepted++;
        onConnection(socket);
      },
      onFailure: (error, pauseMs) =>
        this.#notePause(`cannot accept, trying again in ${pauseMs} ms: ${messageOf(error)}`),
    });
    this.hasEnded = true;
  }

  /** Called when a connection has ended. Accepting goes on if it was paused at the limit. */
  connectionEnded(): void {
    this.#onRoom?.();
  }

  /**
   * Accepts the connections that wait in the backlog, then calls. When a listener is closed, the system resets the
   * connections in its backlog. No other process that listens on the port gets them.
   *
   * @param call what follows; not called if the listener is closed before
   * @param options whether other processes listen on the port, and when to call in any case
   */
  drainBacklog(call: () => void, { isShared, withinMs }: BacklogOptions): void {
    const { clock, log } = this.#options;
    const maxLooks = isShared ? MAX_LOOKS_OF_SHARED : MAX_LOOKS;
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
      if (++looks < maxLooks && clock.now() < until) return clock.afterPoll(look);
      if (!isShared) log("WARN", "new connections do not stop coming: those that wait to be accepted now are refused");
      call();
    };
    clock.afterPoll(look);
  }

  /** Closes the listener and ends a pause at the connection limit. */
  close(): void {
    this.#isClosed = true;
    this.#options.listener.close();
    this.#onRoom?.();
  }

  /** Waits until a connection ends or the listener is closed. */
  async #waitForRoom(): Promise<void> {
    this.#notePause(
      `${this.#options.openConnections()} connections are open, the most that are allowed; new ones wait`,
    );
    await new Promise<void>((resolve) => this.#onRoom = resolve);
    this.#onRoom = null;
  }

  #notePause(message: string): void {
    this.pauses++;
    const now = this.#options.clock.now();
    if (now - this.#loggedAt < LOG_EVERY_MS) return;
    this.#loggedAt = now;
    this.#options.log("WARN", message);
  }
}
