// Knows: which workers there should be, which there are, and what to do about the difference.
// Does not know: processes, sockets, time: facts and a time come in, actions go out.
// Long: it is one state machine, and no half of it is understood without the other.

import type { Backoff } from "./backoff.ts";
import type { Action, Fact, RosterTerms } from "./facts.ts";
import { type Member, nameOf, planned, reasonOf } from "./member.ts";
import type { BootFault, LeaveReason } from "./messages.ts";

/** A generation that is not whole yet. */
interface Pending {
  generation: number;
  why: "reload" | "restart";
  detail: string;
  tickets: number[];
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
/** The most workers: more would be a mistake of typing. */
export const MAX_WORKERS = 1024;
/** A worker keeps its own deadline; only one that does not is killed. */
const DRAIN_AIR_MS = 3_000;
/** A tick that comes so much later than the one before tells of a standstill of this process, not of its workers. */
const STANDSTILL_MS = 5_000;

/** Exit codes of the contract that a roster can come to. */
const EXIT = { error: 1, usage: 2, neverBooted: 3, appNotLoaded: 4 } as const;

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
  #isStopping = false;
  #failedBoots = 0;
  #pending: Pending | null = null;
  #passing: Passing | null = null;
  #tickedAt = -1;
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
        return this.#tick();
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
      if (this.#holder(nr, this.generation) === undefined) this.#plan(nr, this.generation);
    }
    for (const member of this.#of(this.generation)) {
      if (member.nr > this.#target) this.#release(member, "scale");
    }
  }

  /** Who fills a place in a generation, or is about to. */
  #holder(nr: number, generation: number): Member | undefined {
    for (const member of this.#of(generation)) {
      if (member.nr === nr && member.leaving === null && member.fault === null) return member;
    }
    return undefined;
  }

  *#of(generation: number): Generator<Member> {
    for (const member of [...this.members.values()]) if (member.generation === generation) yield member;
  }

  #plan(nr: number, generation: number): void {
    const id = ++this.#lastId;
    const { maxRequests, maxRequestsJitter } = this.#terms;
    const lastRequest = maxRequests === 0 ? Infinity : maxRequests + Math.floor(this.#random() * maxRequestsJitter);
    this.members.set(id, planned({ id, nr, generation, lastRequest }, this.#now));
    const afterMs = generation === this.generation ? this.#backoff.delayOf(nr) : 0;
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

  // ---- boots

  #loaded(member: Member): void {
    const pending = this.#pending;
    if (pending === null || member.generation !== pending.generation) {
      // At first start the others wait for the first: it finds out where to listen, and whether that can be had.
      const isFirst = !this.#isStarting || ![...this.members.values()].some(({ state }) => state === "listening");
      if (isFirst) this.#listen(member);
      return;
    }
    const all = [...this.#of(pending.generation)];
    if (all.every(({ state }) => state === "loaded")) { for (const each of all) this.#listen(each); }
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

  /** A worker says why it cannot serve; its end is still to come. */
  #failed(member: Member, fault: BootFault, message: string): void {
    member.fault = `failed to boot (${fault})`;
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
    this.#reconcile();
  }

  #giveUp(code: number, message: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    for (const member of [...this.members.values()]) this.#kill(member, "the start was given up");
    this.#actions.push({ do: "end", code, message });
  }

  // ---- ends

  #exited(member: Member, code: number, signal: string | null): void {
    this.members.delete(member.id);
    this.#quiet(member.id);
    const reason = reasonOf(member, code, signal);
    if (this.#isStopping) {
      this.#sayEnd(member, reason);
      if (this.members.size === 0) this.#actions.push({ do: "end", code: 0 });
      return;
    }
    if (this.#pending?.generation === member.generation) {
      return this.#fail(`${nameOf(member)} ended before it was ready: ${reason}`);
    }
    this.#sayEnd(member, reason);
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
    const delayMs = this.#backoff.delayOf(member.nr);
    if (delayMs > 0) this.#say("WARN", `worker=${member.nr} is started again in ${Math.round(delayMs)} ms`);
    // During a reload too: the old generation serves until the new one is whole.
    this.#reconcile();
    // Another one may have to find out where to listen.
    if (this.#isStarting) {
      const loaded = [...this.members.values()].find(({ state }) => state === "loaded");
      if (loaded !== undefined) this.#loaded(loaded);
    }
  }

  #sayEnd(member: Member, reason: string): void {
    const isExpected = member.leaving !== null && member.fault === null;
    if (isExpected) {
      this.#say("INFO", `${nameOf(member)} left (${member.leaving}), requests: ${member.report.requests}`);
    } else if (member.fault !== "superseded") this.#say("ERROR", `${nameOf(member)} ended: ${reason}`);
  }

  #kill(member: Member, fault: string): void {
    member.fault = fault;
    if (member.state === "planned") this.members.delete(member.id);
    else this.#actions.push({ do: "kill", id: member.id });
    member.state = "killed";
  }

  // ---- time

  #tick(): void {
    const late = this.#tickedAt < 0 ? 0 : this.#now - this.#tickedAt;
    this.#tickedAt = this.#now;
    if (late > STANDSTILL_MS) {
      for (const member of this.members.values()) {
        member.heardAt += late;
        member.since += late;
      }
    }
    for (const member of [...this.members.values()]) this.#inspect(member);
  }

  #inspect(member: Member): void {
    const { workerTimeoutMs } = this.#terms;
    const { state } = member;
    const isBooting = state === "booting" || state === "loaded" || state === "listening";
    if (isBooting && state !== "loaded" && this.#now - member.heardAt > workerTimeoutMs) {
      this.#kill(member, `timeout: not ready after ${workerTimeoutMs / 1000} s`);
    } else if ((state === "ready" || state === "draining") && this.#now - member.heardAt > workerTimeoutMs) {
      this.#kill(member, `timeout: its loop has not answered for ${workerTimeoutMs / 1000} s`);
      const { inFlight } = member.report;
      const requests = inFlight.length === 0 ? "none that it told of" : inFlight.join(", ");
      this.#say("ERROR", `${nameOf(member)} hangs; requests in flight: ${requests}`);
    } else if (state === "draining" && this.#now - member.since > member.drainMs) {
      this.#kill(member, `timeout: not drained after ${member.drainMs / 1000} s`);
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
    if (!successors) this.#plan(member.nr, this.generation);
  }

  // ---- reload

  #reload({ why, detail, ticket }: Fact & { kind: "reload" }): void {
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
      this.#drop(this.#pending.generation, "superseded");
    }
    const generation = ++this.#lastGeneration;
    this.#pending = { generation, why, detail, tickets, startedAt: this.#now };
    for (let nr = 1; nr <= this.#target; nr++) this.#plan(nr, generation);
  }

  #drop(generation: number, fault: string): void {
    for (const member of this.#of(generation)) this.#kill(member, fault);
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
      if (!this.members.has(member.id) || member.state === "killed") this.#passing?.old.delete(member.id);
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
    this.#drop(pending.generation, "superseded");
    const what = pending.why === "reload" ? "not reloaded" : "not restarted";
    const text = `${what}: gen=${this.generation} goes on serving; ${message}`;
    this.#say("ERROR", text);
    for (const ticket of pending.tickets) this.#actions.push({ do: "verdict", ticket, ok: false, message: text });
    this.#reconcile();
  }

  // ---- what the operator wants

  #scale(to: number): void {
    if (this.#isStopping) return;
    const target = Math.min(MAX_WORKERS, Math.max(1, to));
    if (target === this.#target) return;
    this.#say("INFO", `workers: ${this.#target} -> ${target}`);
    this.#target = target;
    // A generation that is not whole yet is brought to strength once it is.
    this.#reconcile();
  }

  #stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    if (this.#pending !== null) {
      const { tickets, generation } = this.#pending;
      this.#pending = null;
      this.#drop(generation, "superseded");
      for (const ticket of tickets) {
        this.#actions.push({ do: "verdict", ticket, ok: false, message: "not reloaded: stopping" });
      }
    }
    for (const member of [...this.members.values()]) this.#release(member, "stop");
    if (this.members.size === 0) this.#actions.push({ do: "end", code: 0 });
  }

  /** Every worker cuts what it has; one that does not even do that is killed a moment later. */
  #stopNow(): void {
    this.#stop();
    for (const member of this.members.values()) {
      if (member.state !== "draining") continue;
      this.#actions.push({ do: "abort", id: member.id });
      // The next ticks see to it.
      member.since = this.#now - member.drainMs + ABORT_MS;
    }
  }

  #say(level: "INFO" | "WARN" | "ERROR", message: string): void {
    this.#actions.push({ do: "say", level, message });
  }
}

/** What a worker has to write its last lines once it was told to abort. */
const ABORT_MS = 500;
