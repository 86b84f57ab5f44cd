// Knows: which workers there should be, which there are, and what to do about the difference.
// Does not know: processes, sockets, time: facts and a time come in, actions go out.
// Long: it is one state machine, and no half of it is understood without the other.

import type { Backoff } from "./backoff.ts";
import { EXIT } from "./exit_codes.ts";
import type { Action, Fact, RosterTerms } from "./facts.ts";
import { type Member, nameOf, planned, reasonOf } from "./member.ts";
import type { BootFault, LeaveReason } from "./messages.ts";

/** A generation that is not whole yet. */
interface Pending {
  generation: number;
  why: "reload" | "restart";
  detail: string;
  tickets: number[];
  /** Places whose workers are started when those before them have loaded. */
  waiting: number[];
  startedAt: number;
}

/** A reload whose old generation has not fallen quiet yet. */
interface Passing {
  pending: Pending;
  old: Set<number>;
}

/** What the contract calls young. */
const YOUNG_MS = 10_000;
/** Failed boots in a row after which a first start is given up. */
const MAX_FAILED_BOOTS = 5;
/** A worker keeps its own deadline; only one that does not is killed. */
const DRAIN_AIR_MS = 3_000;
/** What a worker has to write its last lines once it was told to abort. */
const ABORT_MS = 500;
/** How it is going to end. */
interface Ending {
  code: number;
  message?: string;
}

/** Decides about the workers of one supervisor. */
export class Roster {
  readonly members: Map<number, Member> = new Map();
  /** The generation that serves. */
  generation = 1;
  /** Deaths of each place. */
  readonly restarts: Map<number, number> = new Map();

  #terms: RosterTerms;
  #backoff: Backoff;
  #random: () => number;
  #target: number;
  #lastId = 0;
  #lastGeneration = 1;
  /** Until the first worker serves. */
  #isStarting = true;
  /** Set once nobody is to be started any more. */
  #ending: Ending | null = null;
  #hasEnded = false;
  /** What was saved before the first worker served. */
  #savedEarly: Fact & { kind: "reload" } | null = null;
  #failedBoots = 0;
  #pending: Pending | null = null;
  #passing: Passing | null = null;
  #actions: Action[] = [];
  #now = 0;

  /**
   * @param terms what to keep to
   * @param backoff how long a place waits that keeps dying
   * @param random chance, from 0 up to 1
   */
  constructor(terms: RosterTerms, { backoff, random }: { backoff: Backoff; random: () => number }) {
    this.#terms = terms;
    this.#target = terms.workers;
    this.#backoff = backoff;
    this.#random = random;
  }

  /** How many workers there should be. */
  get target(): number {
    return this.#target;
  }

  /** How it stands as a whole. */
  get state(): "starting" | "serving" | "draining" {
    return this.#isStopping ? "draining" : this.#isStarting ? "starting" : "serving";
  }

  /** Somebody is there to answer. */
  get isServing(): boolean {
    return [...this.members.values()].some(({ state }) => state === "ready");
  }

  /** Nothing is under way: every worker serves, as far as is known. */
  get isCalm(): boolean {
    if (this.state !== "serving" || this.#pending !== null || this.#passing !== null) return false;
    return [...this.members.values()].every(({ state }) => state === "ready");
  }

  /** Somebody waits for the next worker: nobody answers yet, or the code has been changed. */
  get isAwaited(): boolean {
    return !this.isServing || this.#pending?.why === "restart";
  }

  get #isStopping(): boolean {
    return this.#ending !== null;
  }

  /**
   * Takes a fact in.
   *
   * @param fact what has happened
   * @param now when, in milliseconds of a clock that does not step back
   * @returns what to do, in this order
   */
  note(fact: Fact, now: number): Action[] {
    this.#now = now;
    this.#actions = [];
    this.#take(fact);
    return this.#actions;
  }

  #take(fact: Fact): void {
    switch (fact.kind) {
      case "start":
        return this.#reconcile();
      case "tick":
        return this.#tick(fact.lateMs);
      case "reload":
        return this.#reload(fact);
      case "scale":
        return this.#scale(fact.to);
      case "stop":
        return this.#stop();
      case "stopNow":
        return this.#stopNow();
    }
    const member = this.members.get(fact.id);
    if (member === undefined) return;
    // What it said before it was killed comes too late.
    if (member.state === "killed" && fact.kind !== "exited") return;
    switch (fact.kind) {
      case "spawned":
        member.state = "booting";
        member.pid = fact.pid;
        member.spawnedAt = member.heardAt = this.#now;
        return;
      case "notSpawned":
        return this.#notSpawned(member, fact.message);
      case "loaded":
        member.state = "loaded";
        member.heardAt = this.#now;
        return this.#loaded(member);
      case "ready":
        member.state = "ready";
        member.drainMs = fact.drainMs + DRAIN_AIR_MS;
        member.heardAt = this.#now;
        return this.#ready(member);
      case "failed":
        return this.#failed(member, fact.fault, fact.message);
      case "report":
        member.heardAt = this.#now;
        member.report = fact.report;
        return this.#wear(member);
      case "quiet":
        member.isQuiet = true;
        this.#leftByItself(member);
        return this.#quiet(member.id);
      case "exited":
        return this.#exited(member, fact.code, fact.signal);
    }
  }

  // ---- what there should be

  /** Spawns what is missing and drains what is too much. */
  #reconcile(): void {
    if (this.#isStopping) return;
    for (let nr = 1; nr <= this.#target; nr++) {
      if (!this.#isHeld(nr, this.generation)) this.#plan(nr, this.generation);
    }
    for (const member of this.#of(this.generation)) {
      if (member.nr <= this.#target) continue;
      this.#release(member, "scale");
      this.#backoff.forget(member.nr);
    }
  }

  /** Tells whether somebody fills a place in a generation, or is about to; who was killed does until it is gone. */
  #isHeld(nr: number, generation: number): boolean {
    for (const member of this.#of(generation)) if (member.nr === nr && member.leaving === null) return true;
    return false;
  }

  /** Fills a place whose worker has died; one that keeps dying young waits. */
  #refill(nr: number): void {
    if (nr <= this.#target && !this.#isHeld(nr, this.generation)) {
      this.#plan(nr, this.generation, this.#backoff.delayOf(nr));
    }
  }

  *#of(generation: number): Generator<Member> {
    for (const member of [...this.members.values()]) if (member.generation === generation) yield member;
  }

  #plan(nr: number, generation: number, afterMs = 0): void {
    const id = ++this.#lastId;
    const { maxRequests, maxRequestsJitter } = this.#terms;
    const lastRequest = maxRequests === 0 ? Infinity : maxRequests + Math.floor(this.#random() * maxRequestsJitter);
    this.members.set(id, planned({ id, nr, generation, lastRequest }, this.#now));
    if (afterMs > 0) this.#say("WARN", `worker=${nr} is started again in ${Math.round(afterMs)} ms`);
    this.#actions.push({ do: "spawn", id, nr, generation, afterMs });
  }

  /** Tells a worker to leave: one that serves drains, one that does not yet is killed. */
  #release(member: Member, why: LeaveReason): void {
    if (member.leaving !== null || member.fault !== null) return;
    member.leaving = why;
    if (member.state === "planned") {
      this.members.delete(member.id);
    } else if (member.state === "ready") {
      member.state = "draining";
      member.since = this.#now;
      this.#actions.push({ do: "drain", id: member.id, why });
    } else {
      member.state = "killed";
      this.#actions.push({ do: "kill", id: member.id });
    }
  }

  /** Somebody has told the worker itself to stop: its place is free, whatever it still has to finish. */
  #leftByItself(member: Member): void {
    if (member.state !== "ready" || member.generation !== this.generation) return;
    member.state = "draining";
    member.leaving = "signal";
    member.since = this.#now;
    this.#refill(member.nr);
  }

  // ---- boots

  #loaded(member: Member): void {
    const pending = this.#pending;
    if (pending === null || member.generation !== pending.generation) {
      // At first start the others wait for the first: it finds out where to listen, and whether that can be had.
      const isFirst = !this.#isStarting || ![...this.members.values()].some(({ state }) => state === "listening");
      if (isFirst) this.#listen(member);
      return;
    }
    const next = pending.waiting.shift();
    if (next !== undefined) return this.#plan(next, pending.generation);
    const all = [...this.#of(pending.generation)];
    if (!all.every(({ state }) => state === "loaded")) return;
    for (const each of all) this.#listen(each);
  }

  #listen(member: Member): void {
    member.state = "listening";
    this.#actions.push({ do: "listen", id: member.id });
  }

  #ready(member: Member): void {
    this.#say("INFO", `${nameOf(member)} ready in ${Math.round(this.#now - member.spawnedAt)} ms`);
    if (this.#isStarting) {
      this.#isStarting = false;
      for (const other of this.members.values()) if (other.state === "loaded") this.#listen(other);
      if (this.#savedEarly !== null) this.#reload(this.#savedEarly);
    }
    this.#failedBoots = 0;
    const pending = this.#pending;
    if (pending !== null && member.generation === pending.generation) {
      if ([...this.#of(pending.generation)].every(({ state }) => state === "ready")) this.#succeed(pending);
      return;
    }
    if (this.#isStopping) return this.#release(member, "stop");
    for (const worn of this.#of(this.generation)) {
      if (worn.nr === member.nr && worn.id < member.id && worn.leaving === null) {
        const reason = worn.report.requests >= worn.lastRequest ? "max-requests" : "max-rss";
        this.#release(worn, reason);
      }
    }
  }

  /** A worker says why it cannot serve: the last thing that it has to say. */
  #failed(member: Member, fault: BootFault, message: string): void {
    this.#kill(member, `failed to boot (${fault})`);
    if (this.#isStarting && fault !== "error") {
      const code = fault === "app" ? EXIT.appNotLoaded : fault === "usage" ? EXIT.usage : EXIT.error;
      return this.#giveUp(code, message);
    }
    if (this.#pending?.generation === member.generation) this.#fail(message);
    else this.#say("ERROR", `${nameOf(member)} failed to boot: ${message}`);
  }

  #notSpawned(member: Member, message: string): void {
    this.members.delete(member.id);
    if (this.#isStarting) return this.#giveUp(EXIT.error, `cannot start a worker: ${message}`);
    if (this.#pending?.generation === member.generation) return this.#fail(`cannot start a worker: ${message}`);
    this.#say("ERROR", `${nameOf(member)} cannot be started: ${message}`);
    this.#backoff.died(member.nr, true);
    this.#refill(member.nr);
  }

  #giveUp(code: number, message: string): void {
    if (this.#isStopping) return;
    this.#ending = { code, message };
    for (const member of [...this.members.values()]) this.#drop(member);
    this.#endIfEmpty();
  }

  #endIfEmpty(): void {
    if (this.#ending === null || this.#hasEnded || this.members.size > 0) return;
    this.#hasEnded = true;
    this.#actions.push({ do: "end", ...this.#ending });
  }

  // ---- ends

  #exited(member: Member, code: number, signal: string | null): void {
    this.members.delete(member.id);
    this.#quiet(member.id);
    const reason = reasonOf(member, code, signal);
    if (this.#isStopping) {
      this.#sayEnd(member, code, signal);
      return this.#endIfEmpty();
    }
    if (this.#pending?.generation === member.generation) {
      return this.#fail(`${nameOf(member)} ended before it was ready: ${reason}`);
    }
    this.#sayEnd(member, code, signal);
    // Another one may have to find out where to listen.
    const next = [...this.members.values()].find(({ state }) => state === "loaded");
    if (this.#isStarting && next !== undefined) this.#loaded(next);
    if (member.generation !== this.generation || member.leaving !== null) return;
    const ageMs = this.#now - member.spawnedAt;
    this.restarts.set(member.nr, (this.restarts.get(member.nr) ?? 0) + 1);
    if (this.#isStarting && ++this.#failedBoots >= MAX_FAILED_BOOTS) {
      return this.#giveUp(
        EXIT.neverBooted,
        `no worker has booted in ${MAX_FAILED_BOOTS} attempts; the last one ended: ${reason}`,
      );
    }
    this.#backoff.died(member.nr, ageMs < YOUNG_MS);
    // During a reload too: the old generation serves until the new one is whole.
    this.#refill(member.nr);
  }

  #sayEnd(member: Member, code: number, signal: string | null): void {
    const { leaving, fault, report, isDropped } = member;
    if (isDropped) return;
    const reason = reasonOf(member, code, signal);
    if (leaving === null || fault !== null) return this.#say("ERROR", `${nameOf(member)} ended: ${reason}`);
    if (member.state === "killed" || code === 0 && signal === null) {
      return this.#say("INFO", `${nameOf(member)} left (${leaving}), requests: ${report.requests}`);
    }
    this.#say("ERROR", `${nameOf(member)} ended while it left (${leaving}): ${reason}`);
  }

  #kill(member: Member, fault: string): void {
    member.fault = fault;
    if (member.state === "planned") this.members.delete(member.id);
    else if (member.state !== "killed") this.#actions.push({ do: "kill", id: member.id });
    member.state = "killed";
  }

  /** Kills one that is not needed, and of whose end nothing need be said. */
  #drop(member: Member): void {
    member.isDropped = true;
    this.#kill(member, "not needed");
  }

  // ---- time

  /** A tick that is late tells of a standstill of this process, not of its workers: what they said waits to be read. */
  #tick(lateMs: number): void {
    for (const member of [...this.members.values()]) {
      member.heardAt = Math.min(this.#now, member.heardAt + lateMs);
      member.since = Math.min(this.#now, member.since + lateMs);
      this.#inspect(member);
    }
  }

  #inspect(member: Member): void {
    const { state, heardAt, since, drainMs } = member;
    const isSilent = this.#terms.workerTimeoutMs > 0 && this.#now - heardAt > this.#terms.workerTimeoutMs;
    const timeout = `${this.#terms.workerTimeoutMs / 1000} s`;
    if (isSilent && (state === "booting" || state === "listening")) {
      this.#kill(member, `timeout: not ready after ${timeout}`);
    } else if (isSilent && (state === "ready" || state === "draining")) {
      const { inFlight } = member.report;
      const requests = inFlight.length === 0 ? "none that it told of" : inFlight.join(", ");
      this.#say("ERROR", `${nameOf(member)} hangs; requests in flight: ${requests}`);
      this.#kill(member, `timeout: its loop has not answered for ${timeout}`);
    } else if (state === "draining" && this.#now - since > drainMs) {
      this.#kill(member, `timeout: not drained after ${drainMs / 1000} s`);
    }
  }

  /** A worker that has done its share gets a successor; it leaves when that one is ready. */
  #wear(member: Member): void {
    if (member.state !== "ready" || this.#isStopping || this.#pending !== null) return;
    const { maxRssBytes } = this.#terms;
    const { requests, rssBytes } = member.report;
    const isWorn = requests >= member.lastRequest || maxRssBytes > 0 && rssBytes >= maxRssBytes;
    if (!isWorn || member.generation !== this.generation) return;
    const successors = [...this.#of(this.generation)].some(({ nr, id }) => nr === member.nr && id > member.id);
    if (!successors) this.#plan(member.nr, this.generation, this.#backoff.delayOf(member.nr));
  }

  // ---- reload

  #reload({ why, detail, ticket }: Fact & { kind: "reload" }): void {
    if (this.#isStarting && why === "restart") {
      // The code that is loading may be older than what was saved.
      this.#savedEarly = { kind: "reload", why, detail, ticket };
      return;
    }
    if (this.#isStopping || this.#isStarting) {
      const message = this.#isStopping ? "not reloaded: stopping" : "not reloaded: still starting";
      this.#say("WARN", message);
      if (ticket > 0) this.#actions.push({ do: "verdict", ticket, ok: false, message });
      return;
    }
    const tickets = ticket > 0 ? [ticket] : [];
    if (this.#pending !== null) {
      // What is loading may be older than what was asked for now. Who asked before gets the newer one's verdict.
      tickets.unshift(...this.#pending.tickets);
      this.#dropAll(this.#pending.generation);
    }
    const generation = ++this.#lastGeneration;
    const places = Array.from({ length: this.#target }, (_, i) => i + 1);
    // Whoever has saved a file waits for it; of a reload clients are to feel nothing.
    const waiting = places.splice(why === "restart" ? this.#target : this.#terms.bootsAtOnce);
    this.#pending = { generation, why, detail, tickets, waiting, startedAt: this.#now };
    for (const nr of places) this.#plan(nr, generation);
  }

  /** Gives a generation up; who serves already finishes what it has. */
  #dropAll(generation: number): void {
    for (const member of this.#of(generation)) {
      if (member.state === "ready") this.#release(member, "superseded");
      else this.#drop(member);
    }
  }

  /** The new generation is whole: it takes over. */
  #succeed(pending: Pending): void {
    this.#pending = null;
    const old = [...this.members.values()].filter(({ generation }) => generation < pending.generation);
    this.generation = pending.generation;
    this.#backoff.forget();
    // A reload that is still passing is overtaken by this one.
    const tickets = this.#passing?.pending.tickets ?? [];
    pending.tickets.unshift(...tickets);
    this.#passing = { pending, old: new Set(old.map(({ id }) => id)) };
    for (const member of old) {
      this.#release(member, pending.why);
      const isGone = !this.members.has(member.id) || member.state === "killed" || member.isQuiet;
      if (isGone) this.#passing?.old.delete(member.id);
    }
    this.#quiet(0);
    this.#reconcile();
  }

  /** One of the old generation takes no new request any more; when all do, the reload is done. */
  #quiet(id: number): void {
    const passing = this.#passing;
    if (passing === null) return;
    passing.old.delete(id);
    if (passing.old.size > 0) return;
    this.#passing = null;
    const { why, generation, detail, startedAt, tickets } = passing.pending;
    const ms = Math.round(this.#now - startedAt);
    const message = `${why === "reload" ? "reloaded" : "restarted"}: gen=${generation} in ${ms} ms (${detail})`;
    this.#say("INFO", message);
    for (const ticket of tickets) this.#actions.push({ do: "verdict", ticket, ok: true, message });
  }

  /** The new generation will not do: nothing changes. */
  #fail(message: string): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    this.#dropAll(pending.generation);
    const what = pending.why === "reload" ? "not reloaded" : "not restarted";
    const text = `${what}: gen=${this.generation} goes on serving; ${message}`;
    this.#say("ERROR", text);
    for (const ticket of pending.tickets) this.#actions.push({ do: "verdict", ticket, ok: false, message: text });
    this.#reconcile();
  }

  // ---- what the operator wants

  #scale(to: number): void {
    if (this.#isStopping) return;
    const { mostWorkers } = this.#terms;
    if (to > mostWorkers) this.#say("WARN", `workers: ${to} are too many for this machine, at most ${mostWorkers}`);
    const target = Math.min(mostWorkers, Math.max(1, to));
    if (target === this.#target) return;
    this.#say("INFO", `workers: ${this.#target} -> ${target}`);
    this.#target = target;
    // A generation that is not whole yet is brought to strength once it is.
    this.#reconcile();
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#ending = { code: EXIT.clean };
    if (this.#pending !== null) {
      const { tickets, generation } = this.#pending;
      this.#pending = null;
      this.#dropAll(generation);
      for (const ticket of tickets) {
        this.#actions.push({ do: "verdict", ticket, ok: false, message: "not reloaded: stopping" });
      }
    }
    for (const member of [...this.members.values()]) this.#release(member, "stop");
    this.#endIfEmpty();
  }

  /** Every worker cuts what it has; one that does not even do that is killed a moment later. */
  #stopNow(): void {
    this.#stop();
    for (const member of this.members.values()) {
      if (member.state !== "draining") continue;
      this.#actions.push({ do: "abort", id: member.id });
      // The next ticks see to it, however often it is asked for.
      member.since = Math.min(member.since, this.#now - member.drainMs + ABORT_MS);
    }
  }

  #say(level: "INFO" | "WARN" | "ERROR", message: string): void {
    this.#actions.push({ do: "say", level, message });
  }
}
