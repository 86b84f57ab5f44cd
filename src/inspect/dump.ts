// Knows: how the state of an engine is shown to its operator.
// Does not know: who asks, or where it is printed.
// Rule: never a field's value, a query or a part of a body: they may be secrets.

import type { Connection } from "../connection/connection.ts";
import type { Address } from "../platform/ports.ts";

/** One process that serves. */
export interface WorkerFacts {
  nr: number;
  generation: number;
  pid: number;
  ready: boolean;
  ageMs: number;
  requests: number;
  rssBytes: number;
  restarts: number;
}

/** One connection, as it stands now. */
export interface ConnectionFacts {
  connection: Connection;
  ageMs: number;
  /** Since a byte last moved on it. */
  idleMs: number;
}

/** What a dump tells. */
export interface State {
  version: string;
  runtime: string;
  uptimeMs: number;
  configuration: Readonly<Record<string, string | number | boolean>>;
  /** Connections accepted so far, and how often accepting had to pause. */
  accepted: number;
  pauses: number;
  workers: readonly WorkerFacts[];
  connections: readonly ConnectionFacts[];
}

/**
 * Shows the state of an engine.
 *
 * @param state what is known
 * @returns lines, from `-- weft engine state --` to `Active clients: N`
 */
export function showState(state: State): string {
  const configuration = Object.entries(state.configuration).map(([name, value]) => `${name}=${value}`);
  return [
    "-- weft engine state --",
    `version: ${state.version} on ${state.runtime}`,
    `uptime: ${seconds(state.uptimeMs)}`,
    `configuration: ${configuration.join(" ")}`,
    `accepted: ${state.accepted} connections, ${state.pauses} pauses`,
    ...table(WORKER_COLUMNS, state.workers.map(workerRow)),
    ...table(CONNECTION_COLUMNS, state.connections.map(connectionRow)),
    `Active clients: ${state.connections.length}`,
    "",
  ].join("\n");
}

const WORKER_COLUMNS = ["nr", "generation", "pid", "ready", "age", "requests", "rss", "restarts"];

function workerRow(worker: WorkerFacts): string[] {
  const { nr, generation, pid, ready, ageMs, requests, rssBytes, restarts } = worker;
  const rss = `${(rssBytes / 1024 ** 2).toFixed(1)}MiB`;
  return [`${nr}`, `${generation}`, `${pid}`, ready ? "yes" : "no", seconds(ageMs), `${requests}`, rss, `${restarts}`];
}

const CONNECTION_COLUMNS = [
  "id",
  "peer",
  "phase",
  "age",
  "requests",
  "METHOD",
  "path",
  "body received/size",
  "written",
  "idle",
];

function connectionRow({ connection, ageMs, idleMs }: ConnectionFacts): string[] {
  const { id, phase, requests, exchange } = connection;
  return [
    `${id}`,
    showPeer(connection.remoteAddr),
    phase,
    seconds(ageMs),
    `${requests}`,
    exchange?.head.method ?? "-",
    exchange?.head.target.split("?", 1)[0] ?? "-",
    exchange === null ? "-" : `${exchange.received}/${exchange.size}`,
    `${connection.outbox.written}`,
    seconds(idleMs),
  ];
}

function showPeer(address: Address): string {
  if (address.transport === "unix") return "unix";
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

/** Lines up columns; a heading without rows is not shown. */
function table(columns: readonly string[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const all = [columns, ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i].length)));
  return all.map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd());
}
