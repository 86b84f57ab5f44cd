// Collects what a roster wants done, in order, while it takes in one fact.

import type { Action } from "./facts.ts";

/** The actions that follow from one fact, and the time at which it was noted. */
export class ActionQueue {
  /** Milliseconds of the clock. Set by `begin`. */
  now = 0;
  #actions: Action[] = [];

  /** Called for each fact. */
  begin(now: number): void {
    this.now = now;
    this.#actions = [];
  }

  /** What has been collected since `begin`. */
  get all(): Action[] {
    return this.#actions;
  }

  push(action: Action): void {
    this.#actions.push(action);
  }

  /** Adds a line for the log. */
  say(level: "INFO" | "WARN" | "ERROR", message: string): void {
    this.push({ do: "say", level, message });
  }

  /** Answers everything that waits for a reload. */
  answer(tickets: readonly number[], ok: boolean, message: string): void {
    for (const ticket of tickets) this.push({ do: "verdict", ticket, ok, message });
  }
}
