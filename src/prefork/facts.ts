// What a roster is told (facts), and what it answers (actions).

import type { BootFault, LeaveReason } from "./messages.ts";
import type { Report } from "./report.ts";

/** What a roster is told once. Times are milliseconds. */
export interface RosterOptions {
  /** Workers that there should be at first. */
  workers: number;
  /** The most that there may be: more would be a mistake of typing, and could take the machine. */
  mostWorkers: number;
  /** On a reload so many load the application at a time: the old one goes on serving meanwhile, on what is left. */
  bootsAtOnce: number;
  /** A worker that was not heard for so long, or has not booted after it, is killed; 0 for never. */
  workerTimeoutMs: number;
  /** A worker leaves after so many requests; 0 for never. Up to `jitter` more, so that not all leave at once. */
  maxRequests: number;
  maxRequestsJitter: number;
  /** A worker leaves once it holds so many bytes; 0 for never. */
  maxRssBytes: number;
}

/** Something that has happened. */
export type Fact =
  | { kind: "start" }
  | { kind: "spawned"; id: number; pid: number }
  | { kind: "notSpawned"; id: number; message: string }
  | { kind: "loaded"; id: number }
  /** `drainMs` is the longest that it takes to drain. */
  | { kind: "ready"; id: number; drainMs: number }
  | { kind: "failed"; id: number; fault: BootFault; message: string }
  | { kind: "report"; id: number; report: Report }
  | { kind: "quiet"; id: number }
  | { kind: "exited"; id: number; code: number; signal: string | null }
  /** Time has passed; `lateMs` is how much later this comes than it should. */
  | { kind: "tick"; lateMs: number }
  /** `ticket` names the caller that waits for the result; 0 if none does. */
  | { kind: "reload"; why: "reload" | "restart"; detail: string; ticket: number }
  | { kind: "scale"; to: number }
  | { kind: "stop" }
  | { kind: "stopNow" };

/** Something to do. */
export type Action =
  | { do: "spawn"; id: number; nr: number; generation: number; afterMs: number }
  | { do: "listen"; id: number }
  | { do: "drain"; id: number; why: LeaveReason }
  | { do: "abort"; id: number }
  | { do: "kill"; id: number }
  | { do: "say"; level: "INFO" | "WARN" | "ERROR"; message: string }
  | { do: "verdict"; ticket: number; ok: boolean; message: string }
  | { do: "end"; code: number; message?: string };
