// Shows the state of one or more processes to their operator.
// It never shows a field's value, a query or a part of a body: they may be secrets.

import type { Connection } from "../connection/connection.ts";
import { hostPort } from "../platform/address.ts";
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

/** One connection as it stood when it was asked for: plain data, which can go from one process to another. */
export interface ConnectionFacts {
  id: string;
  peer: string;
  phase: string;
  ageMs: number;
  requests: number;
  /** Of the request that is answered now; "-" if there is none. Never a query. */
  method: string;
  path: string;
  /**
   * Bytes of its body that have come, and that were promised (-1 for chunks); null if there is no request. Of a WebSocket, the
   * bytes of its frames, and -1.
   */
  body: { received: number; size: number } | null;
  /** Messages of a WebSocket that came and went; null if it is none. */
  messages: { received: number; sent: number } | null;
  /** Bytes written to the client. */
  written: number;
  /** Since a byte last moved on it. */
  idleMs: number;
}

/** When a connection was opened and when it was last seen to move, in milliseconds of a clock. */
interface Seen {
  openedAt: number;
  movedAt: number;
}

/**
 * Notes how a connection stands.
 *
 * @param connection the connection
 * @param seen what the live table knows of it
 * @param now milliseconds of the same clock
 * @returns what may be shown of it
 */
export function factsOf(connection: Connection, seen: Seen, now: number): ConnectionFacts {
  const { id, phase, requests, exchange, outbound } = connection;
  const traffic = exchange?.traffic ?? null;
  return {
    id: `${id}`,
    peer: showPeer((exchange ?? connection).remoteAddr),
    phase,
    ageMs: now - seen.openedAt,
    requests,
    method: exchange?.head.method ?? "-",
    path: exchange === null ? "-" : showPath(exchange.head.target),
    body: exchange === null
      ? null
      : traffic === null
      ? { received: exchange.received, size: exchange.size }
      : { received: traffic.bytesReceived, size: -1 },
    messages: traffic === null ? null : { received: traffic.messagesReceived, sent: traffic.messagesSent },
    written: outbound.written + (traffic?.bytesSent ?? 0),
    idleMs: now - seen.movedAt,
  };
}

/** The processes behind a FastCGI application, as one process of this server sees them. */
export interface BackendRow {
  /** The number of the worker. */
  nr: number;
  address: string;
  /** Connections that could be used for more requests; requests that have one; requests that wait for one. */
  free: number;
  busy: number;
  waiting: number;
}

/** What the limit of requests in flight has to do; see `InFlight` of the engine. */
export interface LimitFacts {
  readonly running: number;
  readonly waiting: number;
  readonly refused: number;
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
  /** Null without a limit of requests in flight. */
  limit: LimitFacts | null;
  workers: readonly WorkerFacts[];
  /** Empty unless the application is reached over FastCGI. */
  backends: readonly BackendRow[];
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
    ...showLimit(state.limit),
    ...showTable(WORKER_COLUMNS, state.workers.map(workerRow)),
    ...showTable(BACKEND_COLUMNS, state.backends.map(backendRow)),
    ...showConnections(state.connections),
    `Active clients: ${state.connections.length}`,
    "",
  ].join("\n");
}

function showLimit(limit: LimitFacts | null): string[] {
  return limit === null
    ? []
    : [`in flight: ${limit.running} run, ${limit.waiting} wait, ${limit.refused} were refused`];
}

const WORKER_COLUMNS = ["nr", "generation", "pid", "ready", "age", "requests", "rss", "restarts"];

function workerRow(worker: WorkerFacts): string[] {
  const { nr, generation, pid, ready, ageMs, requests, rssBytes, restarts } = worker;
  const rss = mebibytes(rssBytes);
  return [`${nr}`, `${generation}`, `${pid}`, ready ? "yes" : "no", seconds(ageMs), `${requests}`, rss, `${restarts}`];
}

const BACKEND_COLUMNS = ["nr", "backend", "free", "busy", "waiting"];

function backendRow({ nr, address, free, busy, waiting }: BackendRow): string[] {
  return [`${nr}`, address, `${free}`, `${busy}`, `${waiting}`];
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

/** A column that is shown if there are WebSockets. */
const MESSAGES_COLUMN = "messages in/out";

function showConnections(connections: readonly ConnectionFacts[]): string[] {
  const rows = connections.map(connectionRow);
  if (connections.every(({ messages }) => messages === null)) return showTable(CONNECTION_COLUMNS, rows);
  const withMessages = connections.map(({ messages }, i) => [
    ...rows[i] ?? [],
    messages === null ? "-" : `${messages.received}/${messages.sent}`,
  ]);
  return showTable([...CONNECTION_COLUMNS, MESSAGES_COLUMN], withMessages);
}

function connectionRow(facts: ConnectionFacts): string[] {
  const { id, peer, phase, ageMs, requests, method, path, body, written, idleMs } = facts;
  const size = body === null ? "-" : `${body.received}/${body.size}`;
  return [id, peer, phase, seconds(ageMs), `${requests}`, method, path, size, `${written}`, seconds(idleMs)];
}

/** Most characters of a path that are shown: enough to know it by, too little to flood an operator with. */
const MAX_PATH = 200;

/**
 * Shows the path of a request.
 *
 * @param target as it stands in the request
 * @returns its path without a query, cut if it is very long
 */
export function showPath(target: string): string {
  const [path = ""] = target.split("?", 1);
  return path.length > MAX_PATH ? `${path.slice(0, MAX_PATH)}...` : path;
}

function showPeer(address: Address): string {
  return address.transport === "unix" ? "unix" : hostPort(address);
}

/**
 * Shows a time.
 *
 * @param ms milliseconds
 * @returns seconds with their unit
 */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)}s`;
}

/**
 * Lines up columns; a heading without rows is not shown.
 *
 * @param columns the heading
 * @param rows as many cells each
 * @returns lines
 */
export function showTable(columns: readonly string[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const all = [columns, ...rows];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ").trimEnd());
}

/**
 * Shows a size of memory.
 *
 * @param bytes of memory
 * @returns mebibytes with their unit
 */
export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)}MiB`;
}
