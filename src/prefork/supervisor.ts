// Performs what the roster decides: starts and kills processes, answers the control socket.
// It decides nothing. Everything that happens goes to the roster as a fact, one at a time.
//
// Long: what is done about each action and each message is in one place.

import { EXIT } from "../platform/failure.ts";
import { messageOf } from "../platform/log.ts";
import type { ChildOptions, Children, Log, Platform } from "../platform/ports.ts";
import type { BackendPools } from "./backend_pools.ts";
import { Backoff } from "./backoff.ts";
import { Control } from "./control.ts";
import type { LineChannel } from "./line_channel.ts";
import type { Action, Fact, RosterOptions } from "./facts.ts";
import type { Question, Ready, Reply, SupervisorMessage, Tally, WorkerMessage } from "./messages.ts";
import { ProgressBoard } from "./progress_board.ts";
import { Roster } from "./roster.ts";
import { Ticking } from "./ticking.ts";
import { connectionsOf, dumpAll, statusOf, type View } from "./views.ts";
import { WorkerHandle } from "./worker_handle.ts";
import type { Hello } from "./worker_link.ts";

/** If a worker's connection has ended and its process has not ended after this time, it lives on without us. */
const LOST_MS = 1_000;
/** A worker that has ended without a word may have said something that is still on its way. */
const LAST_WORDS_MS = 200;

/** What a supervisor is made of. */
export interface SupervisorOptions {
  platform: Platform;
  log: Log;
  terms: RosterOptions;
  /** Path of the control socket. */
  control: string;
  version: string;
  children: Children;
  /** What a worker is started with, besides its number and generation. */
  child: Omit<ChildOptions, "args" | "env" | "isAwaited">;
  /** The processes of an application in Perl; null for any other. */
  backends: BackendPools | null;
  /** The worker's arguments. */
  argsFor(hello: Pick<Hello, "control" | "token" | "isAwaited" | "backend">): string[];
  /** Called once, when the first worker is ready. */
  onServing(url: string): void;
}

/** How a supervisor ended. */
export interface SupervisorEnd {
  code: number;
  /** Why, if it was not a stop. */
  message?: string | undefined;
  /** Of all workers that there ever were. */
  tally: Tally;
  /** Connections were cut since the stop began. */
  hasCut: boolean;
}

/** Keeps workers running. */
export class Supervisor {
  readonly roster: Roster;
  /** Resolves when the last worker is gone. */
  readonly finished: Promise<SupervisorEnd>;

  #options: SupervisorOptions;
  #platform: Platform;
  #control!: Control;
  #handles = new Map<number, WorkerHandle>();
  #tokens = new Map<string, number>();
  #tally: Tally = { finished: 0, cut: 0, refused: 0 };
  #hasCut = false;
  /** What the newest of the workers that serve, or have served, said of itself; they all have one port. */
  #newest: Ready | null = null;
  #board = new ProgressBoard();
  #verdicts = new Map<number, (verdict: { ok: boolean; message: string }) => void>();
  #lastTicket = 0;
  #startedAt: number;
  #ticking: Ticking;
  #finish!: (end: SupervisorEnd) => void;

  private constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#platform = options.platform;
    this.#startedAt = options.platform.clock.now();
    const { random } = options.platform;
    this.roster = new Roster(options.terms, { backoff: new Backoff(random), random });
    this.finished = new Promise((resolve) => this.#finish = resolve);
    const { clock } = options.platform;
    this.#ticking = new Ticking({
      clock,
      workerTimeoutMs: options.terms.workerTimeoutMs,
      look: (lateMs) => {
        this.#board.sweep(clock.now());
        this.note({ kind: "tick", lateMs });
      },
    });
  }

  /**
   * Starts a supervisor and its workers.
   *
   * @param options what it is made of
   * @returns the supervisor, whose workers are booting
   * @throws {SocketPathError} if the control socket cannot be opened
   */
  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = new Supervisor(options);
    supervisor.#control = await Control.open(options.control, {
      platform: options.platform,
      log: options.log,
      host: {
        welcome: (token, channel) => supervisor.#welcome(token, channel),
        answer: (question) => supervisor.#answer(question),
      },
    });
    supervisor.note({ kind: "start" });
    return supervisor;
  }

  /**
   * Takes a fact in and does what follows from it.
   *
   * @param fact what has happened
   */
  note(fact: Fact): void {
    for (const action of this.roster.note(fact, this.#platform.clock.now())) this.#do(action);
    // The workers have descriptors of their own. No other one will listen.
    if (this.roster.state === "draining") this.#options.children.closeShared?.();
    this.#ticking.keep(this.roster.isCalm);
  }

  /** The state of every process, as text. */
  async dump(): Promise<string> {
    return await dumpAll(this.#view());
  }

  #view(): View {
    return {
      roster: this.roster,
      handles: this.#handles,
      platform: this.#platform,
      version: this.#options.version,
      control: this.#control.path,
      newest: this.#newest,
      startedAt: this.#startedAt,
    };
  }

  #do(action: Action): void {
    switch (action.do) {
      case "spawn":
        if (action.afterMs === 0) return this.#spawn(action);
        this.#platform.clock.after(action.afterMs, () => this.#spawn(action));
        return;
      case "listen":
        return this.#handles.get(action.id)?.send({ kind: "listen", port: this.#newest?.port ?? null });
      case "drain":
        return this.#handles.get(action.id)?.send({ kind: "drain", why: action.why });
      case "abort":
        return this.#handles.get(action.id)?.send({ kind: "abort" });
      case "kill":
        return this.#handles.get(action.id)?.child.kill("SIGKILL");
      case "say":
        return this.#options.log(action.level, action.message);
      case "verdict":
        this.#verdicts.get(action.ticket)?.(action);
        this.#verdicts.delete(action.ticket);
        return;
      case "end":
        this.#end(action);
        return;
    }
  }

  /** The last worker is gone. */
  async #end({ code, message }: Action & { do: "end" }): Promise<void> {
    this.#ticking.end();
    this.#control.close();
    await this.#options.backends?.close(this.#hasCut);
    this.#finish({ code, message, tally: this.#tally, hasCut: this.#hasCut });
  }

  #spawn({ id, nr, generation }: Action & { do: "spawn" }): void {
    if (!this.roster.members.has(id)) return;
    const token = crypto.randomUUID();
    const { isAwaited } = this.roster;
    let handle: WorkerHandle;
    try {
      const { children, backends, argsFor } = this.#options;
      const { seat = null, ready = null } = backends?.join(id, { nr, generation, workers: this.roster.target }) ?? {};
      const child = children.startSelf({
        ...this.#options.child,
        args: argsFor({ control: this.#control.path, token, isAwaited, backend: seat }),
        isAwaited,
        env: { WEFT_WORKER: `${nr}`, WEFT_GENERATION: `${generation}` },
      });
      handle = new WorkerHandle(id, child, ready);
    } catch (error) {
      this.note({ kind: "notSpawned", id, message: messageOf(error) });
      return this.#leaveBackends(id);
    }
    this.#handles.set(id, handle);
    this.#tokens.set(token, id);
    this.note({ kind: "spawned", id, pid: handle.child.pid });
    handle.child.ended.then(async ({ code, signal }) => {
      await this.#hearOut(handle);
      this.#tokens.delete(token);
      this.#handles.delete(id);
      handle.gone();
      this.#board.gone(id, this.#platform.clock.now());
      this.note({ kind: "exited", id, code, signal });
      this.#leaveBackends(id);
    });
  }

  #leaveBackends(id: number): void {
    this.#options.backends?.leave(id, { generation: this.roster.generation, workers: this.roster.target });
  }

  /** A worker has loaded when the application's processes have: it has nothing else to load. */
  async #awaitBackend({ id, backendReady }: WorkerHandle): Promise<void> {
    try {
      await backendReady;
      this.note({ kind: "loaded", id });
    } catch (error) {
      this.note({ kind: "failed", id, fault: "app", message: messageOf(error) });
    }
  }

  /** Waits for what a worker that has ended said last. */
  async #hearOut(handle: WorkerHandle): Promise<void> {
    if (handle.channel === null) {
      await new Promise<void>((resolve) => {
        handle.onWelcome = resolve;
        this.#platform.clock.after(LAST_WORDS_MS, resolve);
      });
    }
    await handle.channel?.closed;
    if (!handle.hasServed || handle.hasSaidBye) return;
    // It was killed, or fell: what was open with it is cut.
    this.#count({ finished: 0, cut: this.roster.members.get(handle.id)?.report.connections ?? 0, refused: 0 });
  }

  #count(tally: Tally): void {
    for (const name of ["finished", "cut", "refused"] as const) this.#tally[name] += tally[name];
    if (this.roster.state === "draining" && tally.cut > 0) this.#hasCut = true;
  }

  #welcome(token: string, channel: LineChannel<SupervisorMessage>): ((message: unknown) => void) | null {
    const id = this.#tokens.get(token);
    const handle = id === undefined ? undefined : this.#handles.get(id);
    if (handle === undefined) return null;
    this.#tokens.delete(token);
    handle.channel = channel;
    channel.closed.then(() => this.#lost(handle));
    handle.onWelcome();
    return (message) => this.#hear(handle, message as WorkerMessage);
  }

  /** A worker that can no longer be spoken to stops by itself: its place is free. Most are about to end, or have. */
  #lost(handle: WorkerHandle): void {
    this.#platform.clock.after(LOST_MS, () => {
      if (this.#handles.get(handle.id) === handle) this.note({ kind: "quiet", id: handle.id });
    });
  }

  #hear(handle: WorkerHandle, message: WorkerMessage): void {
    const { id } = handle;
    switch (message.kind) {
      case "hello":
        return;
      case "loaded":
        if (handle.backendReady === null) return this.note({ kind: "loaded", id });
        this.#awaitBackend(handle);
        return;
      case "quiet":
        return this.note({ kind: "quiet", id });
      case "ready":
        handle.hasServed = true;
        if (this.#newest === null) this.#options.onServing(message.url);
        this.#newest = message;
        return this.note({ kind: "ready", id, drainMs: message.drainMs });
      case "failed":
        return this.note({ kind: "failed", id, fault: message.fault, message: message.message });
      case "report":
        return this.note({ kind: "report", id, report: message.report });
      case "state":
        return handle.told(message);
      case "progress":
        return this.#board.put(message.id, message.progress, { owner: id, now: this.#platform.clock.now() });
      case "find":
        return handle.send({ kind: "found", ask: message.ask, progress: this.#board.get(message.id) });
      case "survey":
        connectionsOf(this.#view()).then((connections) => {
          handle.send({ kind: "surveyed", ask: message.ask, connections });
        });
        return;
      case "bye":
        handle.hasSaidBye = true;
        return this.#count(message.tally);
    }
  }

  /** Reloads for a caller that waits for the result. */
  #reload(): Promise<{ ok: boolean; message: string }> {
    const ticket = ++this.#lastTicket;
    return new Promise((resolve) => {
      this.#verdicts.set(ticket, resolve);
      this.note({ kind: "reload", why: "reload", detail: "ctl", ticket });
    });
  }

  async #answer(question: Question): Promise<Reply> {
    switch (question.ask) {
      case "status":
        return { ok: true, status: statusOf(this.#view()) };
      case "dump":
        return { ok: true, text: await this.dump() };
      case "reload": {
        const { ok, message } = await this.#reload();
        return ok ? { ok, text: message } : { ok: false, text: message, code: EXIT.appNotLoaded };
      }
      case "scale": {
        const to = question.to ?? this.roster.target + question.by!;
        this.note({ kind: "scale", to });
        return { ok: true, text: `workers: ${this.roster.target}` };
      }
      case "stop":
        if (this.roster.state !== "draining") {
          this.#options.log("INFO", `ctl: stopping; connections open: ${this.roster.connections}; SIGTERM stops now`);
        }
        this.note({ kind: "stop" });
        return { ok: true, text: "stopping" };
    }
  }
}
