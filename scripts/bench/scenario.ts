// What a scenario is made of: peers, an application, a load, the figure that counts and what it should be.

import type { AppName } from "./apps/answers.ts";
import type { RequestSpec } from "./loads/client.ts";

/** Servers that `--peers` chooses from. */
export const SERVER_NAMES = ["weft", "deno", "bare", "node", "bun", "nginx"] as const;

/** Weft's program, alone or with workers, and what is done to them meanwhile; they come along with `weft`. */
export const PROGRAM_NAMES = ["single", "w1", "w2", "w4", "kills", "reloads"] as const;

/** One of those. */
export type ProgramName = typeof PROGRAM_NAMES[number];

/** `deno serve`, alone or with threads that share its port; they come along with `deno`. */
export const THREADS_NAMES = ["serve", "serve2", "serve4"] as const;

/** One of those. */
export type ThreadsName = typeof THREADS_NAMES[number];

/** Everything that can be measured; each is a row of a scenario's table. */
export const PEER_NAMES = [...SERVER_NAMES, ...PROGRAM_NAMES, ...THREADS_NAMES] as const;

/** One of those. */
export type PeerName = typeof PEER_NAMES[number];

/** What each is called in tables and charts. */
export const PEER_TITLES: Readonly<Record<PeerName, string>> = {
  weft: "Weft",
  deno: "Deno.serve",
  bare: "bare loop",
  node: "node:http",
  bun: "Bun.serve",
  nginx: "nginx",
  single: "one process",
  w1: "1 worker",
  w2: "2 workers",
  w4: "4 workers",
  kills: "kills",
  reloads: "reloads",
  serve: "deno serve",
  serve2: "2 threads",
  serve4: "4 threads",
};

/** How a scenario's server is loaded. */
export type Load =
  | { kind: "http"; request: RequestSpec; connections: number; pipeline?: number }
  | { kind: "upload" | "download"; bytes: number; quickBytes: number }
  | { kind: "events"; clients: number; quickClients: number }
  | { kind: "idle"; connections: number; quickConnections: number }
  | { kind: "mixed"; connections: number; uploads: number }
  | { kind: "paced"; connections: number }
  | { kind: "start" | "nothing" };

/** The figure that counts: more of the first is better, less of the others. */
export type Figure = "perCpuSecond" | "bytesEach" | "p99Ms" | "startMs" | "corePercent";

/** One scenario. */
export interface Scenario {
  nr: number;
  title: string;
  app: AppName;
  load: Load;
  figure: Figure;
  /** What is counted: `done` in the figures. */
  unit: "requests" | "MiB" | "events" | "connections" | "starts" | "seconds";
  /** The server that the others are compared with. @default {"deno"} */
  baseline?: PeerName;
  /** Whose figures the targets are for. @default {["weft"]} */
  judged?: readonly PeerName[];
  /** To the baseline, medians: at least this if more is better, else at most. */
  target?: number;
  /** At least this against the bare loop. */
  targetToBare?: number;
  /** The figure is at most this, whatever the baseline has. */
  mostFigure?: number;
  peers: readonly PeerName[];
  /** Servers may run on any core, that of the load too: what is measured is how they share several. */
  onAllCores?: boolean;
  /** Asked once of every server before it is loaded. */
  check?: { request: RequestSpec; text: string | RegExp };
}

/** What a scenario compares with, if it does not say. */
export const BASELINE: PeerName = "deno";

/** What a scenario judges, if it does not say. */
export const JUDGED: readonly PeerName[] = ["weft"];

/** What a figure is called, at length and over a column, and which way is better. */
export const FIGURES: Readonly<
  Record<Figure, { title(unit: string): string; head: string; isMoreBetter: boolean }>
> = {
  perCpuSecond: { title: (unit) => `${unit} a server CPU second`, head: "per CPU s", isMoreBetter: true },
  bytesEach: { title: () => "bytes a connection", head: "bytes", isMoreBetter: false },
  p99Ms: { title: () => "p99 in ms", head: "p99", isMoreBetter: false },
  startMs: { title: () => "ms to the first answer", head: "ms", isMoreBetter: false },
  corePercent: { title: () => "% of a core", head: "% of a core", isMoreBetter: false },
};
