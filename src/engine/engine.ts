// How connections are accepted, driven and drained.
// Nothing that a client does ends the engine.

import { Connection } from "../connection/connection.ts";
import { run } from "../connection/drive.ts";
import { ResponseBroken } from "../connection/endings.ts";
import type { ConnectionOptions } from "../connection/options.ts";
import type { PhaseReader } from "../connection/phases.ts";
import { ReadBudget } from "../connection/read_budget.ts";
import { ReadOrder } from "../connection/read_order.ts";
import { addConnections } from "../connection/under_way.ts";
import { showError } from "../platform/log.ts";
import type { Clock, Listener, Log, Socket, TemporaryFiles, Timer } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import type { DecodeLatin1 } from "../wire/head_facts.ts";
import { Accepting } from "./accepting.ts";
import { applicationOf, type ApplicationParts } from "./application.ts";
import { Deadlines, SECOND_LOOK_MS } from "./deadlines.ts";
import { Farewell, sendAway } from "./farewell.ts";
import { LiveTable } from "./live_table.ts";
import { Observed } from "./observed.ts";
import type { Settings } from "./settings.ts";

/** What an engine needs of its surroundings. */
export interface World {
  clock: Clock;
  log: Log;
  decode: DecodeLatin1;
  /**
   * Where bodies go that are read first and too long for memory.
   * @default the runtime's own, in the system's directory for them
   */
  temporaryFiles?: TemporaryFiles;
}

/** Everything that makes an engine. */
export interface EngineParts {
  listener: Listener;
  scheme: "http" | "https";
  settings: Settings;
  application: Omit<ApplicationParts, "log" | "health">;
  /** Told of every phase of every connection. */
  readers: readonly PhaseReader[];
}

/** What a drain may be told besides its settings. */
export interface DrainOptions {
  /** Milliseconds to go on accepting; `drainDelayMs` of the settings where it is not said. */
  delayMs?: number;
  /** Milliseconds that a connection may idle; `lastIdleMs` of the settings where it is not said. */
  lastIdleMs?: number;
  /**
   * Other processes take its place, on the same listening socket or each with a socket of its own on the same port. Whoever
   * asks for its health is told of theirs; and where its clients may idle at all, they are sent there a few at a time, as
   * all of them at once would wait for each other.
   */
  successors?: "same socket" | "same port";
}

/** How an engine stands; it only ever goes on to the next. */
export type EngineState = "serving" | "draining" | "stopping" | "stopped";

/** Serves one listener until it is drained. */
export class Engine {
  readonly live: LiveTable = new LiveTable();
  /** Resolves when the listener is closed and the last connection has ended. Never rejects. */
  readonly finished: Promise<void>;
  /** Connections that a drain's deadline had to cut. */
  #cut = 0;
  /** Connections that ended during a drain before they had asked anything. */
  #refused = 0;

  #parts: EngineParts;
  #world: World;
  #options: ConnectionOptions;
  #deadlines: Deadlines;
  #state: EngineState = "serving";
  #successors: DrainOptions["successors"];
  #pastRequests = 0;
  #sweeping: Timer | null = null;
  /** The sweep that follows one that has found an overdue connection; null while there is none. */
  #secondLook: Timer | null = null;
  #patience: Timer | null = null;
  #accepting: Accepting;
  #farewell: Farewell | null = null;
  /** Set by a drain: how long a connection may idle. */
  #lastIdleMs: number | null = null;
  #finish: () => void;

  constructor(parts: EngineParts, world: World) {
    this.#parts = parts;
    this.#world = world;
    const { settings } = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    const remove = addConnections(() => this.live.connections());
    this.finished.then(remove);
    this.#finish = resolve;
    this.#options = {
      app: applicationOf({
        ...parts.application,
        log: world.log,
        health: settings.health === undefined
          ? undefined
          : { path: settings.health, isDraining: () => this.#options.isDraining && this.#successors === undefined },
      }),
      body: settings.body,
      limits: {
        maxHeadBytes: settings.maxHeaderBytes,
        maxRequestLineBytes: settings.maxRequestLineBytes,
        maxBodyBytes: settings.maxBodyBytes,
      },
      decode: world.decode,
      readBudget: new ReadBudget(world.clock.soon),
      readOrder: new ReadOrder(world.clock),
      temporaryFiles: world.temporaryFiles ?? platform.temporaryFiles,
      scheme: parts.scheme,
      isObserved: parts.readers.length > 0,
      closeAfterAnswer: settings.keepAliveMs === 0,
      isDraining: false,
      date: "",
    };
    this.#deadlines = new Deadlines(this.live, settings);
    this.#accepting = new Accepting({
      ...world,
      listener: parts.listener,
      size: () => this.live.size,
      most: settings.maxConnections,
      take: (socket) => void this.#drive(socket),
    });
    this.#accepting.run().then(() => this.#finishIfEmpty());
  }

  /** How it stands. */
  get state(): EngineState {
    return this.#state;
  }

  /** Times that accepting had to pause. */
  get pauses(): number {
    return this.#accepting.pauses;
  }

  /** How many connections were accepted. */
  get accepted(): number {
    return this.#accepting.accepted;
  }

  /** How the connections ended, so far. */
  get tally(): { finished: number; cut: number; refused: number } {
    const cut = this.#cut;
    const refused = this.#refused;
    return { finished: this.accepted - this.live.size - cut - refused, cut, refused };
  }

  /** True once it accepts no more and no connection waits for a request: only answers that have begun go on. */
  get isQuiet(): boolean {
    if (this.#state === "serving" || this.#state === "draining") return false;
    for (const { phase, closeAfterAnswer } of this.live.connections()) {
      if (phase === "idle" || !closeAfterAnswer) return false;
    }
    return true;
  }

  /** How many requests were begun on all connections, past and present. */
  get requests(): number {
    let requests = this.#pastRequests;
    for (const connection of this.live.connections()) requests += connection.requests;
    return requests;
  }

  /**
   * Stops gracefully: what runs may finish, for as long as the settings say.
   *
   * @param options what differs from the settings
   */
  drain(options: DrainOptions = {}): void {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    this.#options.isDraining = true;
    this.#successors = options.successors;
    const { settings } = this.#parts;
    this.#lastIdleMs = options.lastIdleMs ?? settings.lastIdleMs;
    const delayMs = options.delayMs ?? settings.drainDelayMs;
    if (!this.#isGentle) {
      this.#options.closeAfterAnswer = true;
      sendAway(this.live.connections());
    }
    const terms = { isShared: options.successors !== undefined, withinMs: settings.gracefulTimeoutMs };
    const stop = () => this.#accepting.finish(() => this.#stopAccepting(), terms);
    if (delayMs > 0) this.#patience = this.#world.clock.after(delayMs, stop);
    else stop();
  }

  /** Stops now: every connection is cut. */
  abort(): void {
    if (this.#state === "serving") this.drain();
    if (this.#state === "draining") this.#stopAccepting();
    for (const connection of this.live.connections()) {
      if (connection.isOpen && connection.requests > 0) this.#cut++;
      connection.end({ why: "abort" });
    }
  }

  #stopAccepting(): void {
    if (this.#state !== "draining") return;
    this.#state = "stopping";
    this.#patience?.cancel();
    this.#accepting.close();
    this.#patience = this.#world.clock.after(this.#parts.settings.gracefulTimeoutMs, () => {
      this.#world.log("WARN", `the graceful timeout is over; connections cut: ${this.live.size}`);
      this.abort();
    });
    this.#sweep();
    if (this.#isGentle) {
      this.#options.closeAfterAnswer = true;
      this.#farewell = new Farewell(this.live, {
        clock: this.#world.clock,
        isPortShared: this.#successors === "same port",
        withinMs: this.#parts.settings.gracefulTimeoutMs,
      });
    }
    this.#finishIfEmpty();
  }

  /** Clients are sent to successors one after the other. */
  get #isGentle(): boolean {
    return this.#successors !== undefined && this.#lastIdleMs !== 0;
  }

  #finishIfEmpty(): void {
    // The runtime lets go of the listener's socket when it gets round to it: until then clients are sent to it.
    if (this.#state !== "stopping" || this.live.size > 0 || !this.#accepting.hasEnded) return;
    this.#state = "stopped";
    this.#patience?.cancel();
    this.#farewell?.cancel();
    this.#sweeping?.cancel();
    this.#secondLook?.cancel();
    this.#finish();
  }

  /** Walks one connection from its accept to its close; its readers see every phase. */
  async #drive(socket: Socket): Promise<void> {
    if (this.#sweeping === null) this.#startSweeping();
    const connection = new Connection(this.accepted, socket, this.#options);
    this.live.add(connection, this.#world.clock.now());
    const { readers } = this.#parts;
    const observed = readers.length === 0 ? null : new Observed(connection, readers);
    try {
      await (observed === null ? run(connection) : observed.run());
    } catch (error) {
      this.#logBroken(connection, error);
    }
    this.live.delete(connection);
    if (connection.requests === 0 && this.#state === "stopping" && connection.refusal === null) this.#refused++;
    this.#pastRequests += connection.requests;
    observed?.showClosed(this.#world.log);
    this.#accepting.roomMade();
    if (this.live.size === 0) this.#finishIfEmpty();
  }

  #logBroken(connection: Connection, error: unknown): void {
    // A stream that hangs on the request's signal fails with its reason when the client leaves: nobody's mistake.
    if (
      error instanceof ResponseBroken && error.cause !== undefined && error.cause === connection.exchange?.cutReason
    ) {
      return;
    }
    const head = connection.exchange?.head;
    const where = head === undefined ? `connection ${connection.id}` : `${head.method} ${head.target}`;
    const what = error instanceof ResponseBroken ? "was cut off, its answer is not complete" : "failed";
    this.#world.log("ERROR", `${where} ${what}: ${showError(error)}`);
  }

  #startSweeping(): void {
    this.#options.date = new Date(this.#world.clock.date()).toUTCString();
    this.#sweeping = this.#world.clock.every(this.#deadlines.sweepMs, () => this.#sweep());
  }

  #sweep(): void {
    const { clock } = this.#world;
    if (this.live.size === 0) {
      this.#sweeping?.cancel();
      this.#sweeping = null;
      return this.#deadlines.pause();
    }
    this.#options.date = new Date(clock.date()).toUTCString();
    const isAnyOverdue = this.#deadlines.sweep(clock.now(), this.#lastIdleMs);
    if (isAnyOverdue) {
      this.#secondLook ??= clock.after(SECOND_LOOK_MS, () => {
        this.#secondLook = null;
        this.#sweep();
      });
    }
    // A client that has left is noticed only while its socket is read.
    for (const connection of this.live.connections()) {
      if (connection.phase === "dispatch" || connection.phase === "write") connection.watch();
    }
  }
}
