// The connections to the backends behind one address: how many at once, which requests wait, and what to do if there are none.
//
// A backend that preforks serves one connection in one process, and a kept connection holds that process. So connections are
// kept only if that was asked for, and there are never more of them than permits. A request takes a permit with its
// connection and gives it back with it. While all are taken, requests wait, and beyond a limit they are refused.

import { ConnectBusy } from "../platform/errors.ts";
import { messageOf } from "../platform/log.ts";
import type { Address, Clock, Log, Socket } from "../platform/ports.ts";
import { BackendConnection } from "./backend_connection.ts";
import { BackendError } from "./backend_error.ts";

/** After a failure to connect, requests are refused at once for so long, doubled with each further failure. */
const FIRST_BACKOFF_MS = 50;
/** A backend that is started again is found within this. An attempt a second costs nothing. */
const LONGEST_BACKOFF_MS = 1_000;
/** The pauses between attempts if the backend's own queue is full. */
const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/** How the backends of a process stand. */
export interface BackendFacts {
  /** `unix:/run/app.sock` or `127.0.0.1:9000`; for `weft app.psgi` this name. */
  readonly address: string;
  /** Connections that could be opened, or are kept open, for further requests. */
  readonly free: number;
  /** Requests that have a connection. */
  readonly busy: number;
  /** Requests that wait for one. */
  readonly waiting: number;
}

/** What decides about connections. */
export interface BackendsOptions {
  address: Address;
  /** What they are called, for the operator. */
  name: string;
  /** Most connections at once. */
  maxConnections: number;
  /** Most requests that wait for a connection. */
  maxWaiting: number;
  /** Whether connections are kept for further requests. */
  keepConnections: boolean;
}

/** The ports that they need. */
export interface BackendsPorts {
  connect(address: Address): Promise<Socket>;
  clock: Clock;
  log: Log;
}

/** A request that wants a connection. */
export class Turn {
  /** Gives the connection. Rejects if there will be none, with a {@linkcode BackendError} or the reason of `leave`. */
  readonly promise: Promise<BackendConnection>;
  /** True once it has its connection, or needs none any more. */
  isOver = false;

  #resolve!: (connection: BackendConnection) => void;
  #reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Gives it a connection. */
  give(connection: BackendConnection): void {
    this.isOver = true;
    this.#resolve(connection);
  }

  /** Ends the wait without one. Does nothing if it is over. */
  leave(reason: unknown): void {
    this.isOver = true;
    this.#reject(reason);
  }
}

/** The connections to one address. */
export class Backends {
  #options: BackendsOptions;
  #ports: BackendsPorts;
  #name: string;
  /** Permits that are taken. Changed by `take` and `#free`. */
  #busy = 0;
  /** Connections that are kept; the one used last is the next to be used. */
  #kept: BackendConnection[] = [];
  /** Requests that wait for a permit, the first first. May hold some that have left. */
  #turns: Turn[] = [];
  /** Set while the last attempt to connect has failed: how long requests are refused at once, and until when. */
  #down: { delayMs: number; until: number } | null = null;
  #isClosed = false;

  constructor(options: BackendsOptions, ports: BackendsPorts) {
    this.#options = options;
    this.#ports = ports;
    this.#name = options.name;
  }

  /** How they stand. */
  get facts(): BackendFacts {
    const waiting = this.#turns.filter((turn) => !turn.isOver).length;
    return { address: this.#name, free: this.#options.maxConnections - this.#busy, busy: this.#busy, waiting };
  }

  /** True if connections are kept. */
  get keepsConnections(): boolean {
    return this.#options.keepConnections;
  }

  /**
   * Takes a connection: one that is kept, a new one, or the next that becomes free.
   *
   * @returns the wait for it
   */
  take(): Turn {
    const turn = new Turn();
    const { maxConnections, maxWaiting } = this.#options;
    if (this.#busy < maxConnections) {
      this.#busy++;
      this.#serve(turn);
      return turn;
    }
    if (this.#turns.length >= maxWaiting) this.#turns = this.#turns.filter((turn) => !turn.isOver);
    if (this.#turns.length < maxWaiting) this.#turns.push(turn);
    else turn.leave(new BackendError(503, `${maxWaiting} requests wait for ${this.#name} already`));
    return turn;
  }

  /**
   * Gives a connection back.
   *
   * @param connection what `take` gave
   * @param isClean true if its request has ended as it should, and nothing uses what was read
   */
  give(connection: BackendConnection, isClean: boolean): void {
    connection.answered++;
    if (!isClean || !this.#options.keepConnections || this.#isClosed) connection.close(isClean);
    else {
      this.#kept.push(connection);
      connection.watch(() => this.#drop(connection));
    }
    this.#free();
  }

  /** Closes what is kept: after a backend has closed one of its connections, the others are as old. */
  closeKept(): void {
    for (const connection of this.#kept) connection.close(true);
    this.#kept.length = 0;
  }

  /** Closes what is kept, now and from now on. */
  close(): void {
    this.#isClosed = true;
    this.closeKept();
  }

  #drop(connection: BackendConnection): void {
    const place = this.#kept.indexOf(connection);
    if (place < 0) return; // A request uses it, and sees what has come.
    this.#kept.splice(place, 1);
    connection.close(true);
  }

  /** Passes a permit on to the request that waits longest. */
  #free(): void {
    for (;;) {
      const turn = this.#turns.shift();
      if (turn === undefined) break;
      if (!turn.isOver) return this.#serve(turn);
    }
    this.#busy--;
  }

  /** Finds a connection for a request that has a permit. */
  #serve(turn: Turn): void {
    const kept = this.#kept.pop();
    if (kept !== undefined) return turn.give(kept);
    if (this.#down !== null && this.#ports.clock.now() < this.#down.until) {
      turn.leave(new BackendError(502, `${this.#name} could not be reached a moment ago`));
      return this.#free();
    }
    this.#connect(turn);
  }

  async #connect(turn: Turn): Promise<void> {
    const { connect, clock } = this.#ports;
    const { address } = this.#options;
    for (let pauseMs = FIRST_PAUSE_MS; !turn.isOver; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      let socket: Socket;
      try {
        socket = await connect(address);
      } catch (error) {
        if (error instanceof ConnectBusy) {
          await new Promise<void>((resolve) => clock.after(pauseMs, resolve));
          continue;
        }
        this.#noteDown(error);
        turn.leave(new BackendError(502, `${this.#name} cannot be reached: ${messageOf(error)}`, { cause: error }));
        break;
      }
      if (this.#down !== null) this.#noteUp();
      const connection = new BackendConnection(socket);
      if (!turn.isOver) return turn.give(connection);
      connection.close(true);
    }
    this.#free();
  }

  #noteDown(error: unknown): void {
    const { clock, log } = this.#ports;
    const { delayMs = 0 } = this.#down ?? {};
    if (this.#down === null) {
      log(
        "ERROR",
        `backend ${this.#name} cannot be reached: ${messageOf(error)}; requests are answered 502 until it can`,
      );
    }
    const nextMs = Math.min(Math.max(2 * delayMs, FIRST_BACKOFF_MS), LONGEST_BACKOFF_MS);
    this.#down = { delayMs: nextMs, until: clock.now() + nextMs };
  }

  #noteUp(): void {
    this.#down = null;
    this.#ports.log("INFO", `backend ${this.#name} can be reached again`);
  }
}
