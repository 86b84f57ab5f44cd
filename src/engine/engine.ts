// Accepts connections, drives each to its end, and drains. Nothing that a client does ends the engine.
//
//   state     what it means                                                        next
//   serving   connections are accepted                                             draining
//   draining  accepting goes on for the drain delay, and until the queue is empty  stopping
//   stopping  the listener is closed; connections finish or are cut                stopped
//   stopped   no connection is left                                                -

import { type Failure, run } from "../connection/drive.ts";
import { ResponseBroken } from "../connection/endings.ts";
import type { ConnectionOptions } from "../connection/options.ts";
import { Leaving } from "../connection/leaving.ts";
import { ReadBudget } from "../connection/read_budget.ts";
import { ReadOrder } from "../connection/read_order.ts";
import { StreamBudget } from "../connection/stream_budget.ts";
import { addConnections } from "../connection/under_way.ts";
import { showError } from "../platform/log.ts";
import type { Socket, Timer } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import { platform } from "../platform/runtime.ts";
import { AcceptLoop } from "./accept_loop.ts";
import { applicationOf, reportBroken } from "./application.ts";
import type { ConnectionCounts, DrainOptions, EngineOptions, EnginePorts, EngineState } from "./engine_options.ts";
import { LiveConnection, LiveTable } from "./live_table.ts";
import { Observed } from "./observed.ts";
import { askToLeave, closeAfterAnswers, StaggeredDrain } from "./staggered_drain.ts";
import { Sweeper } from "./sweeper.ts";

/** The part of the graceful timeout that an idle connection may wait for one more request. */
const IDLE_PART = 1 / 4;

/** Serves one listener until it is drained. */
export class Engine {
  /** The connections that have not ended yet. Changed by `#drive` and `#ended`. */
  readonly live: LiveTable = new LiveTable();
  /** Resolves when the listener is closed and the last connection has ended. Never rejects. */
  readonly finished: Promise<void>;

  readonly #options: EngineOptions;
  readonly #ports: EnginePorts;
  /** Shared with all connections. `date` is changed by each sweep, `closeAfterAnswer` and `leaving` by a drain. */
  readonly #connectionOptions: ConnectionOptions;
  readonly #sweeper: Sweeper;
  readonly #acceptLoop: AcceptLoop;
  /** Resolves `finished`. Called by `#finishIfEmpty`. */
  readonly #finish: () => void;

  /** Changed by `drain`, `#stopAccepting` and `#finishIfEmpty`. */
  #state: EngineState = "serving";
  /** Which processes take over; undefined if none do. Set by `drain`. */
  #successors: DrainOptions["successors"];
  /** How long a connection may idle while the engine drains, in milliseconds. Set by `drain`. */
  #lastIdleMs = 0;
  /** The drain delay, then the graceful timeout; null before a drain. Set by `drain` and `#stopAccepting`. */
  #drainTimer: Timer | null = null;
  /** Set by `#stopAccepting` if the drain is staggered; null otherwise. */
  #staggeredDrain: StaggeredDrain | null = null;
  /** True while the process may end although this engine serves. Changed by `ref` and `unref`. */
  #isUnreferenced = false;
  /** Requests on connections that have ended. Changed by `#ended`. */
  #pastRequests = 0;
  /** Connections that were cut after at least one request. Changed by `abort`. */
  #cut = 0;
  /** Connections that ended without a request while the engine was stopping. Changed by `#ended`. */
  #refused = 0;

  /**
   * Starts to accept.
   *
   * @param options what it serves, and how
   * @param ports the clock, the log and the like
   */
  constructor(options: EngineOptions, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    const { settings } = options;
    const { promise, resolve } = withResolvers<void>();
    this.finished = promise;
    const remove = addConnections(() => this.live);
    this.finished.then(remove);
    this.#finish = resolve;
    this.#connectionOptions = {
      app: applicationOf({
        ...options.application,
        log: ports.log,
        health: settings.health === undefined ? undefined : {
          path: settings.health,
          isDraining: () => this.#connectionOptions.leaving.hasBegun && this.#successors === undefined,
        },
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
      streamBudget: new StreamBudget(ports.clock),
      temporaryFiles: ports.temporaryFiles ?? platform.temporaryFiles,
      scheme: options.scheme,
      maxMessageBytes: settings.maxMessageBytes,
      proxies: options.proxies ?? null,
      isObserved: options.readers.length > 0,
      closeAfterAnswer: settings.keepAliveMs === 0,
      leaving: new Leaving(),
      date: "",
    };
    const { clock } = ports;
    this.#sweeper = new Sweeper({ live: this.live, settings, clock, connectionOptions: this.#connectionOptions });
    this.#acceptLoop = new AcceptLoop({
      clock: ports.clock,
      log: ports.log,
      listener: options.listener,
      maxConnections: settings.maxConnections,
      openConnections: () => this.live.size,
      onConnection: (socket) => this.#drive(socket),
    });
    this.#acceptLoop.run().then(() => this.#finishIfEmpty());
  }

  get state(): EngineState {
    return this.#state;
  }

  /** How often accepting had to pause. */
  get pauses(): number {
    return this.#acceptLoop.pauses;
  }

  /** Connections accepted so far. */
  get accepted(): number {
    return this.#acceptLoop.accepted;
  }

  /** How connections have ended so far. */
  get connectionCounts(): ConnectionCounts {
    const cut = this.#cut;
    const refused = this.#refused;
    return { finished: this.accepted - this.live.size - cut - refused, cut, refused };
  }

  /** True once the listener is closed and no connection waits for a request. Only answers that have begun go on. */
  get isQuiet(): boolean {
    if (this.#state === "serving" || this.#state === "draining") return false;
    for (const { phase, closeAfterAnswer } of this.live) {
      if (phase === "idle" || !closeAfterAnswer) return false;
    }
    return true;
  }

  /** Requests whose head was read, on all connections, past and present. */
  get requests(): number {
    let requests = this.#pastRequests;
    for (const connection of this.live) requests += connection.requests;
    return requests;
  }

  /**
   * Stops gracefully: requests that are under way may finish until the graceful timeout. Does nothing if a drain has begun.
   *
   * @param options how the drain differs from the settings
   */
  drain(options: DrainOptions = {}): void {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    this.#successors = options.successors;
    const { settings } = this.#options;
    // Idle connections must have ended before those that work are cut.
    this.#lastIdleMs = Math.min(options.lastIdleMs ?? settings.lastIdleMs, settings.gracefulTimeoutMs * IDLE_PART);
    const delayMs = options.delayMs ?? settings.drainDelayMs;
    if (!this.#isStaggered) {
      this.#connectionOptions.closeAfterAnswer = true;
      closeAfterAnswers(this.live);
    }
    const backlog = { isShared: options.successors !== undefined, withinMs: settings.gracefulTimeoutMs };
    const stop = () => this.#acceptLoop.drainBacklog(() => this.#stopAccepting(), backlog);
    if (delayMs > 0) this.#drainTimer = this.#ports.clock.after(delayMs, stop);
    else stop();
    // Last, because the application's listeners run here.
    this.#connectionOptions.leaving.begin(this.#successors !== undefined);
    this.#sendAway();
  }

  /** Stops now: every connection is cut. */
  abort(): void {
    if (this.#state === "serving") this.drain();
    if (this.#state === "draining") this.#stopAccepting();
    for (const connection of this.live) {
      if (connection.isOpen && connection.requests > 0) this.#cut++;
      connection.end({ why: "abort" });
    }
  }

  /** Lets the listener and the connections keep the process alive. This is so at first. */
  ref(): void {
    this.#isUnreferenced = false;
    this.#options.listener.ref();
    for (const { socket } of this.live) socket.ref?.();
  }

  /** Lets the process end while the engine serves. A handler that waits and an answer that is written still keep it. */
  unref(): void {
    this.#isUnreferenced = true;
    this.#options.listener.unref();
    for (const { socket } of this.live) socket.unref?.();
  }

  #stopAccepting(): void {
    if (this.#state !== "draining") return;
    this.#state = "stopping";
    this.#drainTimer?.cancel();
    this.#acceptLoop.close();
    const { clock, log } = this.#ports;
    const { gracefulTimeoutMs } = this.#options.settings;
    this.#drainTimer = clock.after(gracefulTimeoutMs, () => {
      log("WARN", `the graceful timeout is over; connections cut: ${this.live.size}`);
      this.abort();
    });
    this.#sweeper.drain(this.#lastIdleMs);
    if (this.#isStaggered) {
      this.#connectionOptions.closeAfterAnswer = true;
      const isPortShared = this.#successors === "same port";
      this.#staggeredDrain = new StaggeredDrain(this.live, { clock, isPortShared, withinMs: gracefulTimeoutMs });
    }
    this.#sendAway();
    this.#finishIfEmpty();
  }

  /**
   * Asks WebSockets to go: once the listener is closed, so that they do not come back to this process, and after the
   * application was told, so that it can say goodbye. A staggered drain asks a few at a time.
   */
  #sendAway(): void {
    if (this.#state !== "stopping" || !this.#connectionOptions.leaving.hasBegun || this.#isStaggered) return;
    askToLeave(this.live, this.#successors !== undefined);
  }

  /** True if connections are closed a few at a time. That needs successors, and connections that may idle until their turn. */
  get #isStaggered(): boolean {
    return this.#successors !== undefined && this.#lastIdleMs !== 0;
  }

  #finishIfEmpty(): void {
    // The runtime releases the listener's socket some time after it was closed. Until then it may bring a connection.
    if (this.#state !== "stopping" || this.live.size > 0 || !this.#acceptLoop.hasEnded) return;
    this.#state = "stopped";
    this.#drainTimer?.cancel();
    this.#staggeredDrain?.cancel();
    this.#sweeper.stop();
    this.#finish();
  }

  /** Runs one connection from its accept to its close. Its readers see every phase. */
  #drive(socket: Socket): void {
    this.#sweeper.wake();
    if (this.#isUnreferenced) socket.unref?.();
    const now = this.#ports.clock.now();
    const connection = new LiveConnection(this.accepted, socket, { connection: this.#connectionOptions, now });
    this.live.add(connection);
    const { readers } = this.#options;
    if (readers.length === 0) return void run(connection, this.#onEnd);
    const observed = new Observed(connection, readers);
    observed.run().then(
      () => this.#ended(connection, null, observed),
      (error) => this.#ended(connection, { error }, observed),
    );
  }

  /** One for all connections: with a closure of its own, each would take more memory. */
  readonly #onEnd = (connection: LiveConnection, failure: Failure | null): void => {
    this.#ended(connection, failure, null);
  };

  #ended(connection: LiveConnection, failure: Failure | null, observed: Observed | null): void {
    if (failure !== null) this.#logBroken(connection, failure.error);
    connection.enterClosed();
    this.live.delete(connection);
    if (connection.requests === 0 && this.#state === "stopping" && connection.refusal === null) this.#refused++;
    this.#pastRequests += connection.requests;
    observed?.showClosed(this.#ports.log);
    this.#acceptLoop.connectionEnded();
    if (this.live.size === 0) this.#finishIfEmpty();
  }

  #logBroken(connection: LiveConnection, error: unknown): void {
    const { exchange } = connection;
    const { log } = this.#ports;
    if (error instanceof ResponseBroken && exchange !== null) {
      return reportBroken({ ...this.#options.application, log }, error, exchange);
    }
    const subject = exchange === null
      ? `connection ${connection.id}`
      : `${exchange.head.method} ${exchange.head.target}`;
    log("ERROR", `${subject} failed: ${showError(error)}`);
  }
}
