// Serves one listener: accepts connections, drives them, and drains them.
// Nothing that a client does ends the engine.

import { Connection } from "../connection/connection.ts";
import { run } from "../connection/drive.ts";
import { ResponseBroken } from "../connection/endings.ts";
import type { ConnectionOptions } from "../connection/options.ts";
import { ReadBudget } from "../connection/read_budget.ts";
import { ReadOrder } from "../connection/read_order.ts";
import { addConnections } from "../connection/under_way.ts";
import { showError } from "../platform/log.ts";
import type { Socket, Timer } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { AcceptLoop } from "./accept_loop.ts";
import { applicationOf } from "./application.ts";
import { Deadlines, SECOND_LOOK_MS } from "./deadlines.ts";
import type { DrainOptions, EngineOptions, EnginePorts } from "./engine_options.ts";
import { sendAway, StaggeredDrain } from "./staggered_drain.ts";
import { LiveTable } from "./live_table.ts";
import { Observed } from "./observed.ts";

/** The state of an engine; it only ever goes on to the next. */
export type EngineState = "serving" | "draining" | "stopping" | "stopped";

/** Serves one listener until it is drained. */
export class Engine {
  readonly live: LiveTable = new LiveTable();
  /** Resolves when the listener is closed and the last connection has ended. Never rejects. */
  readonly finished: Promise<void>;
  /** Connections that were cut. Raised by `abort`. */
  #cut = 0;
  /** Connections that ended during a stop before a request came. Raised by `#drive`. */
  #refused = 0;

  #parts: EngineOptions;
  #ports: EnginePorts;
  #options: ConnectionOptions;
  #deadlines: Deadlines;
  /** Changed by `drain`, `#stopAccepting` and `#finishIfEmpty`. */
  #state: EngineState = "serving";
  /** Set by `drain`; undefined before, and if no process takes over. */
  #successors: DrainOptions["successors"];
  /** Requests on connections that have ended. Raised by `#drive`. */
  #pastRequests = 0;
  /** The interval of the deadlines; null while there are no connections. */
  #sweeping: Timer | null = null;
  /** The sweep that follows one that has found an overdue connection; null while there is none. */
  #secondLook: Timer | null = null;
  /** The drain delay, then the graceful timeout; null while serving. */
  #drainTimer: Timer | null = null;
  #acceptLoop: AcceptLoop;
  /** Set by `#stopAccepting` if clients are sent to successors a few at a time; null otherwise. */
  #staggeredDrain: StaggeredDrain | null = null;
  /** Set by `drain`: how long a connection may idle; null while serving. */
  #lastIdleMs: number | null = null;
  #finish: () => void;

  constructor(parts: EngineOptions, ports: EnginePorts) {
    this.#parts = parts;
    this.#ports = ports;
    const { settings } = parts;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.finished = promise;
    const remove = addConnections(() => this.live.connections());
    this.finished.then(remove);
    this.#finish = resolve;
    this.#options = {
      app: applicationOf({
        ...parts.application,
        log: ports.log,
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
      decode: ports.decode,
      readBudget: new ReadBudget(ports.clock.soon),
      readOrder: new ReadOrder(ports.clock),
      temporaryFiles: ports.temporaryFiles ?? platform.temporaryFiles,
      scheme: parts.scheme,
      isObserved: parts.readers.length > 0,
      closeAfterAnswer: settings.keepAliveMs === 0,
      isDraining: false,
      date: "",
    };
    this.#deadlines = new Deadlines(this.live, settings);
    this.#acceptLoop = new AcceptLoop({
      ...ports,
      listener: parts.listener,
      size: () => this.live.size,
      most: settings.maxConnections,
      take: (socket) => void this.#drive(socket),
    });
    this.#acceptLoop.run().then(() => this.#finishIfEmpty());
  }

  /** How it stands. */
  get state(): EngineState {
    return this.#state;
  }

  /** Times that accepting had to pause. */
  get pauses(): number {
    return this.#acceptLoop.pauses;
  }

  /** How many connections were accepted. */
  get accepted(): number {
    return this.#acceptLoop.accepted;
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
    if (!this.#isStaggered) {
      this.#options.closeAfterAnswer = true;
      sendAway(this.live.connections());
    }
    const terms = { isShared: options.successors !== undefined, withinMs: settings.gracefulTimeoutMs };
    const stop = () => this.#acceptLoop.finish(() => this.#stopAccepting(), terms);
    if (delayMs > 0) this.#drainTimer = this.#ports.clock.after(delayMs, stop);
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
    this.#drainTimer?.cancel();
    this.#acceptLoop.close();
    this.#drainTimer = this.#ports.clock.after(this.#parts.settings.gracefulTimeoutMs, () => {
      this.#ports.log("WARN", `the graceful timeout is over; connections cut: ${this.live.size}`);
      this.abort();
    });
    this.#sweep();
    if (this.#isStaggered) {
      this.#options.closeAfterAnswer = true;
      this.#staggeredDrain = new StaggeredDrain(this.live, {
        clock: this.#ports.clock,
        isPortShared: this.#successors === "same port",
        withinMs: this.#parts.settings.gracefulTimeoutMs,
      });
    }
    this.#finishIfEmpty();
  }

  /** Clients are sent to successors one after the other. */
  get #isStaggered(): boolean {
    return this.#successors !== undefined && this.#lastIdleMs !== 0;
  }

  #finishIfEmpty(): void {
    // The runtime lets go of the listener's socket when it gets round to it: until then clients are sent to it.
    if (this.#state !== "stopping" || this.live.size > 0 || !this.#acceptLoop.hasEnded) return;
    this.#state = "stopped";
    this.#drainTimer?.cancel();
    this.#staggeredDrain?.cancel();
    this.#sweeping?.cancel();
    this.#secondLook?.cancel();
    this.#finish();
  }

  /** Walks one connection from its accept to its close; its readers see every phase. */
  async #drive(socket: Socket): Promise<void> {
    if (this.#sweeping === null) this.#startSweeping();
    const connection = new Connection(this.accepted, socket, this.#options);
    this.live.add(connection, this.#ports.clock.now());
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
    observed?.showClosed(this.#ports.log);
    this.#acceptLoop.roomMade();
    if (this.live.size === 0) this.#finishIfEmpty();
  }

  #logBroken(connection: Connection, error: unknown): void {
    // A stream that hangs on the request's signal fails with its reason when the client leaves. That is not a mistake.
    if (
      error instanceof ResponseBroken && error.cause !== undefined && error.cause === connection.exchange?.cutReason
    ) {
      return;
    }
    const head = connection.exchange?.head;
    const where = head === undefined ? `connection ${connection.id}` : `${head.method} ${head.target}`;
    const what = error instanceof ResponseBroken ? "was cut off, its answer is not complete" : "failed";
    this.#ports.log("ERROR", `${where} ${what}: ${showError(error)}`);
  }

  #startSweeping(): void {
    this.#options.date = new Date(this.#ports.clock.date()).toUTCString();
    this.#sweeping = this.#ports.clock.every(this.#deadlines.sweepMs, () => this.#sweep());
  }

  #sweep(): void {
    const { clock } = this.#ports;
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
