// Knows: what a scenario is made of: peers, an application, a load, the figure that counts and what it should be.
// Does not know: the scenarios (scenarios.ts), or how anything is measured.

import type { AppName } from "./apps/answers.ts";
import type { RequestSpec } from "./loads/client.ts";

/** Who can be measured. */
export const PEER_NAMES = ["weft", "deno", "bare", "node", "bun", "nginx"] as const;

/** One of those. */
export type PeerName = typeof PEER_NAMES[number];

/** How a scenario's server is loaded. */
export type Load =
  | { kind: "http"; request: RequestSpec; connections: number; pipeline?: number }
  | { kind: "upload" | "download"; bytes: number; quickBytes: number }
  | { kind: "events"; clients: number; quickClients: number }
  | { kind: "idle"; connections: number; quickConnections: number }
  | { kind: "mixed"; connections: number; uploads: number }
  | { kind: "start" };

/** The figure that counts: more of the first is better, less of the others. */
export type Figure = "perCpuSecond" | "bytesEach" | "p99Ms" | "startMs";

/** One scenario. */
export interface Scenario {
  nr: number;
  title: string;
  app: AppName;
  load: Load;
  figure: Figure;
  /** What is counted: `done` in the figures. */
  unit: "requests" | "MiB" | "events" | "connections" | "starts";
  /** Weft against Deno.serve, medians: at least this where more is better, else at most. */
  target: number;
  /** At least this against the bare loop. */
  targetToBare?: number;
  /** At most this, whatever the baseline has. */
  mostBytesEach?: number;
  peers: readonly PeerName[];
  /** Asked once of every server before it is loaded. */
  check?: { request: RequestSpec; text: string | RegExp };
}

/** What a figure is called, and which way is better. */
export const FIGURES: Readonly<Record<Figure, { title(unit: string): string; isMoreBetter: boolean }>> = {
  perCpuSecond: { title: (unit) => `${unit} a server CPU second`, isMoreBetter: true },
  bytesEach: { title: () => "bytes a connection", isMoreBetter: false },
  p99Ms: { title: () => "p99 in ms", isMoreBetter: false },
  startMs: { title: () => "ms to the first answer", isMoreBetter: false },
};
