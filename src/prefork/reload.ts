// One reload or restart: a new generation loads, listens when all of it has loaded, and takes over when all of it is ready.
// If one of it fails, the whole generation is given up and nothing changes.

import type { ActionQueue } from "./actions.ts";
import type { Member } from "./member.ts";
import type { Members } from "./members.ts";

/** A generation that is not complete yet. */
export interface Pending {
  readonly generation: number;
  readonly why: "reload" | "restart";
  readonly detail: string;
  /** The callers that wait for the result. */
  readonly tickets: number[];
  /** Places whose workers are planned when those before them have loaded. */
  readonly waiting: number[];
  readonly startedAt: number;
}

/** A new generation serves; some of the old one still take requests. */
interface HandingOver {
  readonly pending: Pending;
  readonly old: Set<number>;
}

/** What a reload is asked with. */
export interface ReloadRequest {
  readonly why: "reload" | "restart";
  readonly detail: string;
  /** Names the caller that is told the result; 0 for none. */
  readonly ticket: number;
}

/** The reloads of one supervisor; at most one is under way, and one is handing over. */
export class Reload {
  #members: Members;
  #queue: ActionQueue;
  #pending: Pending | null = null;
  #handingOver: HandingOver | null = null;
  /** The last generation that was begun. */
  #lastGeneration = 1;

  constructor(members: Members, queue: ActionQueue) {
    this.#members = members;
    this.#queue = queue;
  }

  /** The generation that is not complete yet; null if there is none. */
  get pending(): Pending | null {
    return this.#pending;
  }

  /** True if no reload is under way or handing over. */
  get isDone(): boolean {
    return this.#pending === null && this.#handingOver === null;
  }

  /** True for a worker of the generation that is not complete yet. */
  concerns(member: Member): boolean {
    return this.#pending !== null && member.generation === this.#pending.generation;
  }

  /**
   * Begins a reload. One under way is given up: what it loads may be older than what is asked for now.
   *
   * @param request why, and which caller is told the result
   * @param options `workers`: places to fill; `bootsAtOnce`: how many load at a time
   */
  begin(request: ReloadRequest, { workers, bootsAtOnce }: { workers: number; bootsAtOnce: number }): void {
    const { why, detail, ticket } = request;
    const tickets = ticket > 0 ? [ticket] : [];
    if (this.#pending !== null) {
      tickets.unshift(...this.#pending.tickets);
      this.#members.dropGeneration(this.#pending.generation);
    }
    const generation = ++this.#lastGeneration;
    const places = Array.from({ length: workers }, (_, i) => i + 1);
    // The author who saved a file waits for a restart. A reload leaves processors to those that serve.
    const waiting = places.splice(why === "restart" ? workers : bootsAtOnce);
    this.#pending = { generation, why, detail, tickets, waiting, startedAt: this.#queue.now };
    for (const nr of places) this.#members.plan(nr, generation);
  }

  /** A worker of the new generation has loaded. When all have, all listen. */
  loaded(): void {
    const pending = this.#pending!;
    const next = pending.waiting.shift();
    if (next !== undefined) return this.#members.plan(next, pending.generation);
    const all = this.#members.of(pending.generation);
    if (!all.every(({ state }) => state === "loaded")) return;
    for (const member of all) this.#members.listen(member);
  }

  /** Ends the part that can fail if all of the new generation serve. Returns that generation, or null if one is missing. */
  complete(): Pending | null {
    const pending = this.#pending!;
    if (!this.#members.of(pending.generation).every(({ state }) => state === "ready")) return null;
    this.#pending = null;
    return pending;
  }

  /** The new generation takes over: the old workers leave. */
  handOver(pending: Pending): void {
    const old = this.#members.list().filter(({ generation }) => generation < pending.generation);
    // A reload that is still handing over is overtaken by this one.
    pending.tickets.unshift(...this.#handingOver?.pending.tickets ?? []);
    const ids = new Set(old.map(({ id }) => id));
    this.#handingOver = { pending, old: ids };
    for (const member of old) {
      this.#members.release(member, pending.why);
      const isGone = this.#members.get(member.id) === undefined || member.state === "killed" || member.isQuiet;
      if (isGone) ids.delete(member.id);
    }
    this.quiet(0);
  }

  /** A worker takes no new request any more. When that is true of the whole old generation, the reload is done. */
  quiet(id: number): void {
    const handingOver = this.#handingOver;
    if (handingOver === null) return;
    handingOver.old.delete(id);
    if (handingOver.old.size > 0) return;
    this.#handingOver = null;
    const { why, generation, detail, startedAt, tickets } = handingOver.pending;
    const ms = Math.round(this.#queue.now - startedAt);
    const message = `${why === "reload" ? "reloaded" : "restarted"}: gen=${generation} in ${ms} ms (${detail})`;
    this.#queue.say("INFO", message);
    this.#queue.answer(tickets, true, message);
  }

  /**
   * The new generation cannot serve: it is given up.
   *
   * @param message why
   * @param serving the generation that goes on
   * @returns false if no reload was under way
   */
  fail(message: string, serving: number): boolean {
    const pending = this.#pending;
    if (pending === null) return false;
    this.#pending = null;
    this.#members.dropGeneration(pending.generation);
    const what = pending.why === "reload" ? "not reloaded" : "not restarted";
    const text = `${what}: gen=${serving} goes on serving; ${message}`;
    this.#queue.say("ERROR", text);
    this.#queue.answer(pending.tickets, false, text);
    return true;
  }

  /** Gives up a reload under way because the supervisor stops. */
  stop(): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    this.#members.dropGeneration(pending.generation);
    this.#queue.answer(pending.tickets, false, "not reloaded: stopping");
  }
}
