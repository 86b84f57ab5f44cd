// Decides which workers there should be, and what to do about the difference from those that there are.
// No processes, sockets or time: facts and a time come in, actions come out. The supervisor performs them.
//
// Long: what follows from each fact is in one place.
//
// A worker is planned, booting, loaded, listening, ready, draining or killed (member.ts). Members (members.ts) and the reload
// under way (reload.ts) are parts of its state.

import { EXIT } from "../platform/failure.ts";
import { ActionQueue } from "./actions.ts";
import type { Backoff } from "./backoff.ts";
import type { Action, Fact, RosterOptions } from "./facts.ts";
import { type Member, nameOf, reasonOf } from "./member.ts";
import { Members } from "./members.ts";
import type { BootFault } from "./messages.ts";
import { Reload } from "./reload.ts";

/** A worker that ends before this age is young, and its place waits longer. */
const YOUNG_MS = 10_000;
/** Failed boots in a row after which a first start is given up. */
const MAX_FAILED_BOOTS = 5;
/** Added to a worker's own drain deadline. Only a worker that does not keep that is killed. */
const DRAIN_GRACE_MS = 3_000;
/** Time for a worker to write its last lines after it was told to abort. */
const ABORT_MS = 500;

/** How the supervisor ends. */
interface Ending {
  readonly code: number;
  readonly message?: string;
}

/** Decides about the workers of one supervisor. */
export class Roster {
  /** The generation that serves. */
  generation = 1;
  /** How often the worker of each place has died. */
  readonly restarts: Map<number, number> = new Map();

  #options: RosterOptions;
  #backoff: Backoff;
  #queue = new ActionQueue();
  #members: Members;
  #reload: Reload;
  /** Workers that there should be. Changed by `scale`. */
  #target: number;
  /** True until the first worker serves. */
  #isStarting = true;
  /** Set when no worker is to be started any more. */
  #ending: Ending | null = null;
  /** True once the end was announced. */
  #hasEnded = false;
  /** A restart that was asked for before the first worker served. */
  #early: Fact & { kind: "reload" } | null = null;
  #failedBoots = 0;

  /**
   * @param options what to keep to
   * @param world `backoff`: how long a place waits whose workers keep dying; `random`: chance, from 0 up to 1
   */
  constructor(options: RosterOptions, { backoff, random }: { backoff: Backoff; random: () => number }) {
    this.#options = options;
    this.#target = options.workers;
    this.#backoff = backoff;
    this.#members = new Members(options, { queue: this.#queue, random });
    this.#reload = new Reload(this.#members, this.#queue);
  }

  /** Every worker by its id. */
  get members(): ReadonlyMap<number, Member> {
    return this.#members.all;
  }

  /** How many workers there should be. */
  get target(): number {
    return this.#target;
  }

  /** Connections that were open when each worker reported last, at most a second ago if it is busy. */
  get connections(): number {
    return this.#members.list().reduce((sum, { report }) => sum + report.connections, 0);
  }

  /** The state of the whole. */
  get state(): "starting" | "serving" | "draining" {
    return this.#isStopping ? "draining" : this.#isStarting ? "starting" : "serving";
  }

  /** True if a worker is ready. */
  get isServing(): boolean {
    return this.#members.firstIn("ready") !== undefined;
  }

  /** True if nothing is under way: every worker serves, as far as is known. */
  get isCalm(): boolean {
    if (this.state !== "serving" || !this.#reload.isDone) return false;
    return this.#members.list().every(({ state }) => state === "ready");
  }

  /** True if the next worker is waited for: no worker answers yet, or the code was changed. */
  get isAwaited(): boolean {
    return !this.isServing || this.#reload.pending?.why === "restart";
  }

  get #isStopping(): boolean {
    return this.#ending !== null;
  }

  /**
   * Takes in a fact.
   *
   * @param fact what has happened
   * @param now when, in milliseconds of a clock that does not step back
   * @returns what to do, in this order
   */
  note(fact: Fact, now: number): Action[] {
    this.#queue.begin(now);
    this.#take(fact);
    return this.#queue.all;
  }

  #take(fact: Fact): void {
    switch (fact.kind) {
      case "start":
        return this.#reconcile();
      case "tick":
        return this.#tick(fact.lateMs);
      case "reload":
        return this.#askReload(fact);
      case "scale":
        return this.#scale(fact.to);
      case "stop":
        return this.#stop();
      case "stopNow":
        return this.#stopNow();
    }
    const member = this.#members.get(fact.id);
    if (member === undefined) return;
    // What a worker said before it was killed comes too late.
    if (member.state === "killed" && fact.kind !== "exited") return;
    const { now } = this.#queue;
    switch (fact.kind) {
      case "spawned":
        member.state = "booting";
        member.pid = fact.pid;
        member.spawnedAt = member.heardAt = now;
        return;
      case "notSpawned":
        return this.#notSpawned(member, fact.message);
      case "loaded":
        member.state = "loaded";
        member.heardAt = now;
        return this.#loaded(member);
      case "ready":
        member.state = "ready";
        member.drainMs = fact.drainMs + DRAIN_GRACE_MS;
        member.heardAt = now;
        return this.#ready(member);
      case "failed":
        return this.#failed(member, fact.fault, fact.message);
      case "report":
        member.heardAt = now;
        member.report = fact.report;
        return this.#replaceIfWorn(member);
      case "quiet":
        member.isQuiet = true;
        this.#leftByItself(member);
        return this.#reload.quiet(member.id);
      case "exited":
        return this.#exited(member, fact.code, fact.signal);
    }
  }

  /** Plans the workers that are missing and releases those that are too many. */
  #reconcile(): void {
    if (this.#isStopping) return;
    for (let nr = 1; nr <= this.#target; nr++) {
      if (!this.#members.isFilled(nr, this.generation)) this.#members.plan(nr, this.generation);
    }
    for (const member of this.#members.of(this.generation)) {
      if (member.nr <= this.#target) continue;
      this.#members.release(member, "scale");
      this.#backoff.forget(member.nr);
    }
  }

  /** Fills a place whose worker has died. If its workers keep dying young, it waits. */
  #refill(nr: number): void {
    if (nr <= this.#target && !this.#members.isFilled(nr, this.generation)) {
      this.#members.plan(nr, this.generation, this.#backoff.delayOf(nr));
    }
  }

  /** The worker itself was told to stop: its place is free, whatever it still has to finish. */
  #leftByItself(member: Member): void {
    if (member.state !== "ready" || member.generation !== this.generation) return;
    member.state = "draining";
    member.leaving = "signal";
    member.since = this.#queue.now;
    this.#refill(member.nr);
  }

  #loaded(member: Member): void {
    if (this.#reload.concerns(member)) return this.#reload.loaded();
    // At the first start the others wait for the first: it finds out the port, and whether it is free.
    if (!this.#isStarting || this.#members.firstIn("listening") === undefined) this.#members.listen(member);
  }

  #ready(member: Member): void {
    this.#queue.say("INFO", `${nameOf(member)} ready in ${Math.round(this.#queue.now - member.spawnedAt)} ms`);
    if (this.#isStarting) {
      this.#isStarting = false;
      for (const other of this.#members.list()) if (other.state === "loaded") this.#members.listen(other);
      if (this.#early !== null) this.#askReload(this.#early);
    }
    this.#failedBoots = 0;
    if (this.#reload.concerns(member)) return this.#takeOver();
    if (this.#isStopping) return this.#members.release(member, "stop");
    for (const worn of this.#members.of(this.generation)) {
      if (worn.nr === member.nr && worn.id < member.id && worn.leaving === null) {
        this.#members.release(worn, worn.report.requests >= worn.lastRequest ? "max-requests" : "max-rss");
      }
    }
  }

  /** If the new generation is complete, it serves from here. */
  #takeOver(): void {
    const pending = this.#reload.complete();
    if (pending === null) return;
    this.generation = pending.generation;
    this.#backoff.forget();
    this.#reload.handOver(pending);
    this.#reconcile();
  }

  /** A worker says why it cannot serve. It is the last thing that it says. */
  #failed(member: Member, fault: BootFault, message: string): void {
    this.#members.kill(member, `failed to boot (${fault})`);
    if (this.#isStarting && fault !== "error") {
      const code = fault === "app" ? EXIT.appNotLoaded : fault === "usage" ? EXIT.usage : EXIT.error;
      return this.#giveUp(code, message);
    }
    if (this.#reload.concerns(member)) this.#failReload(message);
    else this.#queue.say("ERROR", `${nameOf(member)} failed to boot: ${message}`);
  }

  #notSpawned(member: Member, message: string): void {
    this.#members.delete(member);
    if (this.#isStarting) return this.#giveUp(EXIT.error, `cannot start a worker: ${message}`);
    if (this.#reload.concerns(member)) return this.#failReload(`cannot start a worker: ${message}`);
    this.#queue.say("ERROR", `${nameOf(member)} cannot be started: ${message}`);
    this.#backoff.died(member.nr, true);
    this.#refill(member.nr);
  }

  #failReload(message: string): void {
    if (this.#reload.fail(message, this.generation)) this.#reconcile();
  }

  #giveUp(code: number, message: string): void {
    if (this.#isStopping) return;
    this.#ending = { code, message };
    for (const member of this.#members.list()) this.#members.drop(member);
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#ending === null || this.#hasEnded || this.#members.all.size > 0) return;
    this.#hasEnded = true;
    this.#queue.push({ do: "end", ...this.#ending });
  }

  #exited(member: Member, code: number, signal: string | null): void {
    this.#members.delete(member);
    this.#reload.quiet(member.id);
    const reason = reasonOf(member, code, signal);
    if (this.#isStopping) {
      this.#sayEnd(member, code, signal);
      return this.#endIfEmpty();
    }
    if (this.#reload.concerns(member)) {
      return this.#failReload(`${nameOf(member)} ended before it was ready: ${reason}`);
    }
    this.#sayEnd(member, code, signal);
    // Another worker may have to find out the port.
    const next = this.#members.firstIn("loaded");
    if (this.#isStarting && next !== undefined) this.#loaded(next);
    if (member.generation !== this.generation || member.leaving !== null) return;
    const ageMs = this.#queue.now - member.spawnedAt;
    this.restarts.set(member.nr, (this.restarts.get(member.nr) ?? 0) + 1);
    if (this.#isStarting && ++this.#failedBoots >= MAX_FAILED_BOOTS) {
      return this.#giveUp(
        EXIT.neverBooted,
        `no worker has booted in ${MAX_FAILED_BOOTS} attempts; the last one ended: ${reason}`,
      );
    }
    this.#backoff.died(member.nr, ageMs < YOUNG_MS);
    // During a reload too: the old generation serves until the new one is complete.
    this.#refill(member.nr);
  }

  #sayEnd(member: Member, code: number, signal: string | null): void {
    const { leaving, fault, report, isDropped } = member;
    if (isDropped) return;
    const reason = reasonOf(member, code, signal);
    if (leaving === null || fault !== null) return this.#queue.say("ERROR", `${nameOf(member)} ended: ${reason}`);
    if (member.state === "killed" || code === 0 && signal === null) {
      return this.#queue.say("INFO", `${nameOf(member)} left (${leaving}), requests: ${report.requests}`);
    }
    this.#queue.say("ERROR", `${nameOf(member)} ended while it left (${leaving}): ${reason}`);
  }

  /** A late tick means that this process was blocked. Do not blame the workers: what they said waits to be read. */
  #tick(lateMs: number): void {
    const { now } = this.#queue;
    for (const member of this.#members.list()) {
      member.heardAt = Math.min(now, member.heardAt + lateMs);
      member.since = Math.min(now, member.since + lateMs);
      this.#checkTimeouts(member);
    }
  }

  #checkTimeouts(member: Member): void {
    const { state, heardAt, since, drainMs } = member;
    const { now } = this.#queue;
    const { workerTimeoutMs } = this.#options;
    const isSilent = workerTimeoutMs > 0 && now - heardAt > workerTimeoutMs;
    const timeout = `${workerTimeoutMs / 1000} s`;
    if (isSilent && (state === "booting" || state === "listening")) {
      this.#members.kill(member, `timeout: not ready after ${timeout}`);
    } else if (isSilent && (state === "ready" || state === "draining")) {
      const { inFlight } = member.report;
      const requests = inFlight.length === 0 ? "none that it told of" : inFlight.join(", ");
      this.#queue.say("ERROR", `${nameOf(member)} hangs; requests in flight: ${requests}`);
      this.#members.kill(member, `timeout: its loop has not answered for ${timeout}`);
    } else if (state === "draining" && now - since > drainMs) {
      this.#members.kill(member, `timeout: not drained after ${drainMs / 1000} s`);
    }
  }

  /** A worker that has served enough gets a successor, and leaves when that is ready. */
  #replaceIfWorn(member: Member): void {
    if (member.state !== "ready" || this.#isStopping || this.#reload.pending !== null) return;
    const { maxRssBytes } = this.#options;
    const { requests, rssBytes } = member.report;
    const isWorn = requests >= member.lastRequest || maxRssBytes > 0 && rssBytes >= maxRssBytes;
    if (!isWorn || member.generation !== this.generation) return;
    const hasSuccessor = this.#members.of(this.generation).some(({ nr, id }) => nr === member.nr && id > member.id);
    if (!hasSuccessor) this.#members.plan(member.nr, this.generation, this.#backoff.delayOf(member.nr));
  }

  #askReload(fact: Fact & { kind: "reload" }): void {
    // The code that is loading may be older than what was saved: restart when it serves.
    if (this.#isStarting && fact.why === "restart") {
      this.#early = fact;
      return;
    }
    if (this.#isStopping || this.#isStarting) {
      const message = this.#isStopping ? "not reloaded: stopping" : "not reloaded: still starting";
      this.#queue.say("WARN", message);
      if (fact.ticket > 0) this.#queue.answer([fact.ticket], false, message);
      return;
    }
    this.#reload.begin(fact, { workers: this.#target, bootsAtOnce: this.#options.bootsAtOnce });
  }

  #scale(to: number): void {
    if (this.#isStopping) return;
    const { mostWorkers } = this.#options;
    if (to > mostWorkers) {
      this.#queue.say("WARN", `workers: ${to} are too many for this machine, at most ${mostWorkers}`);
    }
    const target = Math.min(mostWorkers, Math.max(1, to));
    if (target === this.#target) return;
    this.#queue.say("INFO", `workers: ${this.#target} -> ${target}`);
    this.#target = target;
    // A generation that is not complete yet gets the missing workers when it takes over.
    this.#reconcile();
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#ending = { code: EXIT.clean };
    this.#reload.stop();
    for (const member of this.#members.list()) this.#members.release(member, "stop");
    this.#endIfEmpty();
  }

  /** Every worker cuts its connections. One that does not do even that is killed a moment later. */
  #stopNow(): void {
    this.#stop();
    for (const member of this.#members.list()) {
      if (member.state !== "draining") continue;
      this.#queue.push({ do: "abort", id: member.id });
      // The next ticks kill it, however often this is asked for.
      member.since = Math.min(member.since, this.#queue.now - member.drainMs + ABORT_MS);
    }
  }
}
