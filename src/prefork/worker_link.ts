// A worker's connection to its supervisor, as the worker sees it.
// A worker whose supervisor is gone learns it at once, so that none is ever orphaned.

import type { ConnectionFacts } from "../inspect/dump.ts";
import type { Platform, Timer } from "../platform/ports.ts";
import type { Progress, ProgressStore } from "../progress/progress.ts";
import { LineChannel } from "./line_channel.ts";
import type { BootFault, LeaveReason, SupervisorMessage, Tally, WorkerMessage } from "./messages.ts";
import type { Report } from "./report.ts";

/** What a worker is told of itself on its command line. */
export interface Hello {
  /** Path of the control socket. */
  control: string;
  /** Says which of the supervisor's workers this is. */
  token: string;
  /** True if a caller waits for this worker. If not, it takes the time to warm up. */
  isAwaited: boolean;
  /** How the user started the program, for advice. */
  program: string;
  /** The descriptor of a listening socket that is served instead of a port. */
  descriptor?: number;
  /** Where the processes of an application in Perl listen; null if the application is another. */
  backend: BackendSeat | null;
}

/** What one process of Weft may use of the processes of an application. */
export interface BackendSeat {
  /** The path of the socket. */
  readonly socket: string;
  /**
   * How many connections it may keep. Of all processes of Weft together these are as many as the application has processes.
   * Null if there are fewer than that: then it keeps none.
   */
  readonly permits: number | null;
}

/** How often a worker reports, in milliseconds. */
export interface Pace {
  everyMs: number;
  /** One that idles is silent no longer than this. */
  silentMs: number;
}

/** What handles the supervisor's wishes. */
export interface Orders {
  listen(port: number | null): void;
  drain(why: LeaveReason): void;
  abort(): void;
  /** Everything that this process knows of itself. */
  state(): Omit<WorkerMessage & { kind: "state" }, "kind" | "ask">;
  /** The supervisor is gone. */
  orphaned(): void;
}

/** What the supervisor answers to a question. */
type Answer = SupervisorMessage & { kind: "found" | "surveyed" };

/** The worker's end of the control socket. */
export class WorkerLink {
  #channel: LineChannel<WorkerMessage>;
  #reporting: Timer | null = null;
  #isEnding = false;
  #asked = new Map<number, (answer: Answer | null) => void>();
  #lastAsk = 0;

  private constructor(channel: LineChannel<WorkerMessage>) {
    this.#channel = channel;
  }

  /**
   * Connects to the supervisor.
   *
   * @param hello the path of the control socket, and which worker this is
   * @param platform the runtime
   * @returns the connection
   * @throws {Error} if there is no supervisor
   */
  static async connect(hello: Hello, platform: Platform): Promise<WorkerLink> {
    const link = new WorkerLink(new LineChannel(await platform.connectUnix(hello.control)));
    link.#channel.send({ kind: "hello", token: hello.token });
    return link;
  }

  /** Does what the supervisor says, until it is gone. */
  async obey(orders: Orders): Promise<void> {
    for await (const message of this.#channel.messages()) this.#take(message as SupervisorMessage, orders);
    this.#reporting?.cancel();
    for (const resolve of this.#asked.values()) resolve(null);
    if (!this.#isEnding) orders.orphaned();
  }

  #take(message: SupervisorMessage, orders: Orders): void {
    switch (message.kind) {
      case "listen":
        return orders.listen(message.port);
      case "drain":
        return orders.drain(message.why);
      case "abort":
        return orders.abort();
      case "dump":
        return this.#channel.send({ kind: "state", ask: message.ask, ...orders.state() });
      case "found":
      case "surveyed":
        this.#asked.get(message.ask)?.(message);
        this.#asked.delete(message.ask);
        return;
    }
  }

  /** Tells the supervisor. */
  tell(message: WorkerMessage): void {
    this.#channel.send(message);
  }

  /** Keeps the progress of uploads with the supervisor, so that the other workers find it. */
  get progressStore(): ProgressStore {
    return {
      put: (id, progress) => this.tell({ kind: "progress", id, progress }),
      get: (id) => this.#find(id),
      close() {},
    };
  }

  /** The connections of all processes; none if the supervisor is gone. */
  async survey(): Promise<ConnectionFacts[]> {
    const answer = await this.#ask((ask) => ({ kind: "survey", ask }));
    return answer?.kind === "surveyed" ? answer.connections : [];
  }

  async #find(id: string): Promise<Progress | null> {
    const answer = await this.#ask((ask) => ({ kind: "find", ask, id }));
    return answer?.kind === "found" ? answer.progress : null;
  }

  #ask(question: (ask: number) => WorkerMessage): Promise<Answer | null> {
    if (this.#channel.isClosed) return Promise.resolve(null);
    const ask = ++this.#lastAsk;
    this.tell(question(ask));
    return new Promise((resolve) => this.#asked.set(ask, resolve));
  }

  /**
   * Reports once in a while from now on: it is the heartbeat too. A worker that idles says so less often.
   *
   * @param pace how often, and the longest silence of one of which there is nothing new to tell
   * @param options the clock, and what makes a report
   */
  startReporting(pace: Pace, { clock, report }: { clock: Platform["clock"]; report: () => Report }): void {
    let last: Report | null = null;
    let silentMs = 0;
    const tell = () => {
      const next = report();
      silentMs += pace.everyMs;
      const isNew = next.requests !== last?.requests || next.connections !== last.connections;
      if (!isNew && next.inFlight.length === 0 && silentMs + pace.everyMs <= pace.silentMs) return;
      last = next;
      silentMs = 0;
      this.tell({ kind: "report", report: next });
    };
    tell();
    this.#reporting = clock.every(pace.everyMs, tell);
  }

  /** Says why this worker cannot serve. */
  async fail(fault: BootFault, message: string): Promise<void> {
    this.#isEnding = true;
    this.tell({ kind: "failed", fault, message });
    await this.#channel.flushed();
  }

  /** Says how it ended; the last thing that is said. */
  async leave(tally: Tally): Promise<void> {
    this.#isEnding = true;
    this.tell({ kind: "bye", tally });
    await this.#channel.flushed();
  }
}
