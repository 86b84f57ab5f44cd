// The workers of one supervisor: how they are planned, asked to leave and killed.
// It does not decide how many there should be (roster.ts).

import type { ActionQueue } from "./actions.ts";
import type { RosterOptions } from "./facts.ts";
import { type Member, planned } from "./member.ts";
import type { LeaveReason } from "./messages.ts";

/** Every worker from its plan to its end. */
export class Members {
  /** By id, in the order in which they were planned. */
  readonly all: Map<number, Member> = new Map();

  #options: RosterOptions;
  #queue: ActionQueue;
  #random: () => number;
  /** The last id that was given; an id is never used again. */
  #lastId = 0;

  /**
   * @param options for how many requests a worker serves
   * @param queue takes the actions
   * @param random chance, from 0 up to 1
   */
  constructor(options: RosterOptions, { queue, random }: { queue: ActionQueue; random: () => number }) {
    this.#options = options;
    this.#queue = queue;
    this.#random = random;
  }

  get(id: number): Member | undefined {
    return this.all.get(id);
  }

  /** Forgets a worker that has ended or was never started. */
  delete(member: Member): void {
    this.all.delete(member.id);
  }

  /** All of them as they are now; the caller may change the map meanwhile. */
  list(): Member[] {
    return [...this.all.values()];
  }

  /** The members of a generation. */
  of(generation: number): Member[] {
    return this.list().filter((member) => member.generation === generation);
  }

  /** The first member in a state. */
  firstIn(state: Member["state"]): Member | undefined {
    return this.list().find((member) => member.state === state);
  }

  /** True if a worker fills a place in a generation, or is about to. A killed worker fills it until it has ended. */
  isFilled(nr: number, generation: number): boolean {
    return this.of(generation).some((member) => member.nr === nr && member.leaving === null);
  }

  /** Plans a worker for a place. */
  plan(nr: number, generation: number, afterMs = 0): void {
    const id = ++this.#lastId;
    const { maxRequests, maxRequestsJitter } = this.#options;
    const lastRequest = maxRequests === 0 ? Infinity : maxRequests + Math.floor(this.#random() * maxRequestsJitter);
    this.all.set(id, planned({ id, nr, generation, lastRequest }, this.#queue.now));
    if (afterMs > 0) this.#queue.say("WARN", `worker=${nr} is started again in ${Math.round(afterMs)} ms`);
    this.#queue.push({ do: "spawn", id, nr, generation, afterMs });
  }

  /** Tells a worker that has loaded to listen. */
  listen(member: Member): void {
    member.state = "listening";
    this.#queue.push({ do: "listen", id: member.id });
  }

  /** Asks a worker to leave. One that serves drains; one that does not serve yet is killed. */
  release(member: Member, why: LeaveReason): void {
    if (member.leaving !== null || member.fault !== null) return;
    member.leaving = why;
    if (member.state === "planned") this.delete(member);
    else if (member.state === "ready") {
      member.state = "draining";
      member.since = this.#queue.now;
      this.#queue.push({ do: "drain", id: member.id, why });
    } else {
      member.state = "killed";
      this.#queue.push({ do: "kill", id: member.id });
    }
  }

  /** Kills a worker, for a reason that the log shows. */
  kill(member: Member, fault: string): void {
    member.fault = fault;
    if (member.state === "planned") this.delete(member);
    else if (member.state !== "killed") this.#queue.push({ do: "kill", id: member.id });
    member.state = "killed";
  }

  /** Kills a worker that is not needed any more. The log does not mention its end. */
  drop(member: Member): void {
    member.isDropped = true;
    this.kill(member, "not needed");
  }

  /** Gives up a generation. Those of it that serve already finish what they have. */
  dropGeneration(generation: number): void {
    for (const member of this.of(generation)) {
      if (member.state === "ready") this.release(member, "superseded");
      else this.drop(member);
    }
  }
}
