// How to tell a roster what happened to workers that do not exist, and to note what it wants done.

import assert from "node:assert/strict";
import { Backoff } from "../../src/prefork/backoff.ts";
import type { Action, Fact, RosterOptions } from "../../src/prefork/facts.ts";
import type { Member } from "../../src/prefork/member.ts";
import type { BootFault } from "../../src/prefork/messages.ts";
import type { Report } from "../../src/prefork/report.ts";
import { Roster } from "../../src/prefork/roster.ts";

const TERMS: RosterOptions = {
  mostWorkers: 32,
  bootsAtOnce: 32,
  workers: 2,
  workerTimeoutMs: 30_000,
  maxRequests: 0,
  maxRequestsJitter: 0,
  maxRssBytes: 0,
};

/** What a worker says that does nothing. */
export const QUIET_REPORT: Report = { requests: 0, rssBytes: 0, connections: 0, inFlight: [] };
const DRAIN_MS = 10_000;

/** A spawn that was asked for, and when it is due. */
interface Spawn {
  id: number;
  nr: number;
  generation: number;
  at: number;
}

/** A roster, and everything that it has asked for. */
export class Fleet {
  readonly roster: Roster;
  now = 0;
  /** Everything so far, in order. */
  readonly actions: Action[] = [];
  /** Spawns that were asked for and have not been done. */
  readonly spawns: Spawn[] = [];
  /** Workers that tell of themselves every second. */
  readonly alive: Set<number> = new Set();

  #tickedAt = -1;

  constructor(terms: Partial<RosterOptions> = {}, random: () => number = () => 0.5) {
    this.roster = new Roster({ ...TERMS, ...terms }, { backoff: new Backoff(random), random });
  }

  /** A roster all of whose workers are ready. */
  static serving(terms: Partial<RosterOptions> = {}, random?: () => number): Fleet {
    const fleet = new Fleet(terms, random);
    fleet.note({ kind: "start" });
    fleet.bringAll();
    return fleet;
  }

  /** A tick, which should come every second. */
  tick(): Action[] {
    const lateMs = this.#tickedAt < 0 ? 0 : Math.max(0, this.now - this.#tickedAt - 1_000);
    this.#tickedAt = this.now;
    return this.note({ kind: "tick", lateMs });
  }

  /** Tells a fact; gives what follows from it. */
  note(fact: Fact): Action[] {
    const actions = this.roster.note(fact, this.now);
    this.actions.push(...actions);
    for (const action of actions) {
      if (action.do === "spawn") this.spawns.push({ ...action, at: this.now + action.afterMs });
    }
    return actions;
  }

  /** Does the spawns that are due; gives their ids. */
  spawnDue(): number[] {
    const due = this.spawns.filter(({ at }) => at <= this.now);
    for (const spawn of due) this.spawns.splice(this.spawns.indexOf(spawn), 1);
    const there = due.filter(({ id }) => this.roster.members.has(id));
    for (const { id } of there) {
      this.note({ kind: "spawned", id, pid: 1000 + id });
      this.alive.add(id);
    }
    return there.map(({ id }) => id);
  }

  /** Every worker that is due boots and gets ready. */
  bringAll(): number[] {
    const ids = this.spawnDue();
    for (const id of ids) this.note({ kind: "loaded", id });
    for (const id of ids) if (this.wasTold("listen", id)) this.ready(id);
    for (const id of ids) assert.equal(this.member(id).state, "ready");
    return ids;
  }

  ready(id: number): Action[] {
    return this.note({ kind: "ready", id, drainMs: DRAIN_MS });
  }

  report(id: number, report: Partial<Report> = {}): Action[] {
    return this.note({ kind: "report", id, report: { ...QUIET_REPORT, ...report } });
  }

  fail(id: number, fault: BootFault, message: string): Action[] {
    return this.note({ kind: "failed", id, fault, message });
  }

  exit(id: number, code = 0, signal: string | null = null): Action[] {
    this.alive.delete(id);
    return this.note({ kind: "exited", id, code, signal });
  }

  /** Seconds pass; every worker that lives reports, and a tick follows. */
  pass(seconds: number): Action[] {
    const from = this.actions.length;
    for (let i = 0; i < seconds; i++) {
      this.now += 1_000;
      for (const id of this.alive) {
        const member = this.roster.members.get(id);
        if (member?.state === "ready" || member?.state === "draining") this.report(id, member.report);
      }
      this.tick();
    }
    return this.actions.slice(from);
  }

  member(id: number): Member {
    const member = this.roster.members.get(id);
    assert.ok(member, `worker ${id} is not there`);
    return member;
  }

  /** Ids of the workers in a state. */
  in(state: Member["state"]): number[] {
    return [...this.roster.members.values()].filter((member) => member.state === state).map(({ id }) => id);
  }

  wasTold(what: "listen" | "drain" | "abort" | "kill", id: number): boolean {
    return this.actions.some((action) => action.do === what && action.id === id);
  }

  /** Lines of the log. */
  get said(): string[] {
    return saidIn(this.actions);
  }

  get ends(): (Action & { do: "end" })[] {
    return this.actions.filter((action) => action.do === "end");
  }

  get verdicts(): (Action & { do: "verdict" })[] {
    return this.actions.filter((action) => action.do === "verdict");
  }
}

/** Lines of the log in these actions. */
export function saidIn(actions: readonly Action[]): string[] {
  return actions.filter((action) => action.do === "say").map(({ level, message }) => `${level} ${message}`);
}
