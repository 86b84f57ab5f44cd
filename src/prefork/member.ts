// What a roster remembers of one worker.

import type { LeaveReason } from "./messages.ts";
import { NO_REPORT, type Report } from "./report.ts";

/** One worker process, from the plan to its end. */
export interface Member {
  /** Never used twice. */
  readonly id: number;
  /** Its place, from 1: a successor has the same. */
  readonly nr: number;
  readonly generation: number;
  state: "planned" | "booting" | "loaded" | "listening" | "ready" | "draining" | "killed";
  pid: number;
  /** Since when it drains, if it does. */
  since: number;
  spawnedAt: number;
  /** When it last told of anything. */
  heardAt: number;
  report: Report;
  /** The longest that it may take to drain. */
  drainMs: number;
  /** Requests after which it leaves. */
  readonly lastRequest: number;
  leaving: LeaveReason | null;
  /** It takes no new request any more. */
  isQuiet: boolean;
  /** Why it was killed. */
  fault: string | null;
  /** Its end is not worth a line in the log. */
  isDropped: boolean;
}

/**
 * Makes a member that is planned.
 *
 * @param place its number, its place, its generation and its share of requests
 * @param now milliseconds of the clock
 * @returns the member
 */
export function planned(place: Pick<Member, "id" | "nr" | "generation" | "lastRequest">, now: number): Member {
  return {
    ...place,
    state: "planned",
    pid: 0,
    since: now,
    spawnedAt: now,
    heardAt: now,
    report: NO_REPORT,
    drainMs: 0,
    leaving: null,
    isQuiet: false,
    fault: null,
    isDropped: false,
  };
}

/** A worker's name in the log. */
export function nameOf({ nr, generation, pid }: Member): string {
  return `worker=${nr} gen=${generation} pid=${pid}`;
}

/** Why it ended: what it was killed for, or what the system says. */
export function reasonOf(member: Member, code: number, signal: string | null): string {
  if (member.fault !== null) return member.fault;
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}
