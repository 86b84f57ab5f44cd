// What the harness asks of a load, and what a load reports. Types only: no runtime, no I/O.

/** A request as the loads send it. */
export interface RequestSpec {
  method: "GET" | "POST";
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

/** A load: which requests, over how many connections. */
export type Load =
  /** Each connection sends the next request when the last is answered; `pipeline` requests go into one write. */
  | { kind: "wrk"; request: RequestSpec; connections: number; pipeline?: number }
  /** Small requests at a steady pace, over kept connections. */
  | { kind: "gets"; connections: number; perSecond: number }
  | { kind: "download"; mib: number }
  /** A body over each connection; `untilStop` sends the next over the same one until the harness says stop. */
  | { kind: "upload"; mib: number; connections: number; untilStop?: boolean }
  /** Clients of an event stream. */
  | { kind: "events"; connections: number }
  /** Connections that each ask once and then stay, until the harness says stop. */
  | { kind: "idle"; connections: number }
  /** WebSockets whose messages are said back, `outstanding` of them under way on each. */
  | { kind: "echoes"; bytes: number; isText: boolean; connections: number; outstanding: number }
  /** WebSockets that all hear what one of them says. */
  | { kind: "broadcast"; bytes: number; connections: number }
  /** WebSockets that each say something once and then stay, until the harness says stop. */
  | { kind: "idleSockets"; connections: number };

/** One run of a load. */
export type Job = Load & {
  port: number;
  /** How long it runs, if it has no end of its own; wrk takes whole seconds only. */
  seconds: number;
  /**
   * `gets` asks again, over a new connection, if an answer is lost, and counts it as failed. Otherwise that is an error.
   * @default {false}
   */
  mayFail?: boolean;
};

/** What a load reports at its end. */
export interface LoadResult {
  /** Requests, MiB, events or messages. */
  done: number;
  seconds: number;
  p50Ms?: number | undefined;
  p99Ms?: number | undefined;
  /** Requests that found no answer and were asked again. */
  failed?: number | undefined;
  errors: string[];
}

/** A load of this folder while it runs; main.ts makes a LoadResult of it. */
export interface Run {
  done: number;
  waitsMs: number[];
  failed?: number;
  errors: unknown[];
  /** When counting began and ended, by `performance.now()`; main.ts sets what a load does not. */
  beganAt?: number;
  endedAt?: number;
  /** Tells the harness that all is ready to be counted, and waits until it says go. */
  ready(): Promise<void>;
  /** Waits until the harness says stop. */
  waitStop(): Promise<void>;
  /** Does so many things at the same time, each told its number from 0, and gathers their errors. */
  all(count: number, one: (nr: number) => Promise<void>): Promise<void>;
}

/** One line of a load's standard output. It reads "go" on standard input after it is ready; the end of that is "stop". */
export type LoadLine = { ready: true } | { result: LoadResult };
