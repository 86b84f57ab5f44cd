// What the supervisor, its workers and `weft ctl` say to each other: one JSON object in each line.
// The first message of a connection is checked before it is believed. A peer that has shown its token is this program.

import type { BackendRow, ConnectionFacts, LimitFacts } from "../inspect/dump.ts";
import type { Progress } from "../progress/progress.ts";
import type { Report } from "./report.ts";

/** Why a worker could not serve: its application, its address, what it was told, or none of these. */
export type BootFault = "app" | "listen" | "usage" | "error";

/** How connections ended in a worker that has stopped. */
export interface Tally {
  finished: number;
  /** Cut by the deadline or by a second signal. */
  cut: number;
  /** Closed before they were answered anything. */
  refused: number;
}

/** What a worker says of itself once it serves. */
export interface Ready {
  /** What a user types. */
  url: string;
  /** The port that it listens on; 0 if it has none. */
  port: number;
  /** The longest that it takes to drain, in milliseconds. */
  drainMs: number;
  /** For the dump. */
  configuration: Record<string, string | number | boolean>;
}

/** Why a worker is told to leave. */
export type LeaveReason =
  | "stop"
  | "reload"
  | "restart"
  | "scale"
  | "superseded"
  | "max-requests"
  | "max-rss"
  | "signal";

/** What a worker tells for a dump. */
export interface WorkerInsides {
  report: Report;
  accepted: number;
  pauses: number;
  /** Null without a limit of requests in flight. */
  limit: LimitFacts | null;
  connections: ConnectionFacts[];
  backends: BackendRow[];
}

/** From a worker to its supervisor. */
export type WorkerMessage =
  | { kind: "hello"; token: string }
  | { kind: "loaded" }
  | ({ kind: "ready" } & Ready)
  | { kind: "failed"; fault: BootFault; message: string }
  | { kind: "report"; report: Report }
  /** It accepts no more, and no connection idles: only answers that have begun go on. */
  | { kind: "quiet" }
  | { kind: "bye"; tally: Tally }
  /** How far an upload is; at most ten a second of each. */
  | { kind: "progress"; id: string; progress: Progress }
  /** How far is this upload, of which this worker knows nothing? */
  | { kind: "find"; ask: number; id: string }
  /** Which connections are there, in all processes? */
  | { kind: "survey"; ask: number }
  | ({ kind: "state"; ask: number } & WorkerInsides);

/** From the supervisor to a worker. */
export type SupervisorMessage =
  | { kind: "found"; ask: number; progress: Progress | null }
  | { kind: "surveyed"; ask: number; connections: ConnectionFacts[] }
  /** Comes when the application is loaded. The port to listen on; null means: find out which port is free. */
  | { kind: "listen"; port: number | null }
  /** Finish what runs. */
  | { kind: "drain"; why: LeaveReason }
  | { kind: "abort" }
  | { kind: "dump"; ask: number };

/** What `weft ctl` asks for. */
export type Question =
  | { ask: "status" }
  | { ask: "dump" }
  | { ask: "reload" }
  | { ask: "scale"; to?: number; by?: number }
  | { ask: "stop" };

/** A worker, as `ctl status` shows it. */
export interface WorkerStatus {
  nr: number;
  generation: number;
  pid: number;
  state: string;
  ageMs: number;
  requests: number;
  connections: number;
  rssBytes: number;
  restarts: number;
}

/** Everything that `ctl status` shows. */
export interface Status {
  version: string;
  runtime: string;
  pid: number;
  /** "serving" once the first worker is ready. */
  state: "starting" | "serving" | "draining";
  url: string | null;
  generation: number;
  uptimeMs: number;
  workers: WorkerStatus[];
}

/** What `weft ctl` is answered. */
export type Reply =
  | { ok: true; text: string }
  | { ok: true; status: Status }
  | { ok: false; text: string; code: number };

/** The first line of a connection to the control socket: a worker's hello, a question, or nothing that is known. */
export function readFirst(value: unknown): { hello: string } | { question: Question } | null {
  if (!isObject(value)) return null;
  if (value.kind === "hello" && typeof value.token === "string") return { hello: value.token };
  return isQuestion(value) ? { question: value } : null;
}

function isQuestion(value: Record<string, unknown>): value is Question {
  switch (value.ask) {
    case "status":
    case "dump":
    case "reload":
    case "stop":
      return true;
    case "scale":
      return Number.isInteger(value.to ?? value.by);
    default:
      return false;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
