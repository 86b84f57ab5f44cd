// Knows: what is told of a worker to who asks how it stands.
// Does not know: who asks, or how it is printed.

import type { ConnectionFacts, WorkerFacts } from "../inspect/dump.ts";
import type { Member } from "./member.ts";
import type { WorkerStatus } from "./messages.ts";
import type { WorkerState } from "./worker_handle.ts";

/** What the supervisor knows of a worker besides what it is. */
export interface Beside {
  ageMs: number;
  /** Of its place. */
  restarts: number;
}

/** A worker in the dump; `state` is what it says of itself, null where it did not answer. */
export function factsOf(member: Member, state: WorkerState | null, beside: Beside): WorkerFacts {
  const { nr, generation, pid } = member;
  const { requests, rssBytes } = state?.report ?? member.report;
  return { nr, generation, pid, ready: member.state === "ready", requests, rssBytes, ...beside };
}

/** A worker in the status. */
export function statusOf(member: Member, beside: Beside): WorkerStatus {
  const { nr, generation, pid, state } = member;
  const { requests, connections, rssBytes } = member.report;
  return { nr, generation, pid, state, requests, connections, rssBytes, ...beside };
}

/** A connection in the dump of several workers: two of them may have the same number. */
export function ofWorker(nr: number, facts: ConnectionFacts): ConnectionFacts {
  return { ...facts, id: `${nr}.${facts.id}` };
}

/** Adds up a figure of each. */
export function sum<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
