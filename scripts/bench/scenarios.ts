// The scenarios: what is served, how it is loaded, which figure counts and what it should be.
// Data only; a scenario that needs code of its own gets a kind of load, not a function here.

import { type AppName, HELLO } from "./apps/answers.ts";
import type { Load, RequestSpec } from "./loads/job.ts";
import type { PeerName } from "./peers.ts";

/** The figures that can count: how each is called at length and over a column, and which way is better. */
export const FIGURES = {
  perCpuSecond: { title: (unit: string) => `${unit} a server CPU second`, head: "per CPU s", isMoreBetter: true },
  cpuUs: { title: () => "µs of server CPU a request", head: "CPU µs", isMoreBetter: false },
  bytesEach: { title: () => "bytes a connection", head: "bytes", isMoreBetter: false },
  p99Ms: { title: () => "p99 in ms", head: "p99", isMoreBetter: false },
  startMs: { title: () => "ms to the first answer", head: "ms", isMoreBetter: false },
  corePercent: { title: () => "% of a core", head: "% of a core", isMoreBetter: false },
};

/** One scenario. */
export interface Scenario {
  nr: number;
  title: string;
  app: AppName;
  /** `start` measures the start itself; `nothing` leaves the server alone. */
  load: Load | { kind: "start" | "nothing" };
  /** A load that runs beside it, and is not counted. */
  beside?: Load;
  figure: keyof typeof FIGURES;
  /** What the load counts. @default {"requests"} */
  unit?: string;
  peers: readonly PeerName[];
  /** The server that the others are compared with. @default {"deno"} */
  baseline?: PeerName;
  /** The rows that the targets are for. @default {["weft"]} */
  judged?: readonly PeerName[];
  /** The ratio of medians to the baseline: at least this if more is better, else at most. */
  target?: number;
  /** The ratio to the bare loop of the same runtime is at least this. */
  targetToBare?: number;
  /** The figure is at most this, whatever the baseline has. */
  mostFigure?: number;
  /** Servers may run on any core, that of the load too: what is measured is how they share several. */
  onAllCores?: boolean;
  /** Asked once of every server before it is loaded. */
  check?: { request: RequestSpec; text: string | RegExp };
}

const ALL: readonly PeerName[] = ["weft", "deno", "bare", "node", "bun", "nginx"];
const ON_A_RUNTIME: readonly PeerName[] = ["weft", "deno", "node", "bun"];
/** nginx serves files and fixed text, and the bare loop one fixed answer. */
const WITH_NGINX: readonly PeerName[] = [...ON_A_RUNTIME, "nginx"];

/** As many as keep one core busy without a queue that is all latency. */
const CONNECTIONS = 64;

const index: RequestSpec = { method: "GET", path: "/" };
const closing: RequestSpec = { ...index, headers: { connection: "close" } };
const user: RequestSpec = {
  method: "GET",
  path: "/users/4711?fields=name,mail",
  headers: { "accept": "application/json", "user-agent": "weft-bench", "x-agent": "shuttle/3" },
};
/** 1 KiB, as a form with a few nested values. */
const json = JSON.stringify({
  name: "Ada Lovelace",
  tags: ["loom", "engine", "note g"],
  address: { street: "St James's Square 12", city: "London", at: [51.5072, -0.1357] },
  active: true,
  text: "x".repeat(1024 - 154),
});
const post: RequestSpec = { method: "POST", path: "/", headers: { "content-type": "application/json" }, body: json };
/** What a browser sends through a proxy. */
const browser: RequestSpec = {
  method: "GET",
  path: "/",
  headers: {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "accept-language": "en-GB,en;q=0.7,de;q=0.3",
    "referer": "http://127.0.0.1/index.html",
    "cookie": "session=9f86d081884c7d659a2feaa0c55ad015; theme=dark",
    "upgrade-insecure-requests": "1",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "same-origin",
    "x-forwarded-for": "192.0.2.7",
    "x-forwarded-proto": "https",
  },
};

function wrk(request: RequestSpec, options: { connections?: number; pipeline?: number } = {}): Load {
  return { kind: "wrk", request, connections: CONNECTIONS, ...options };
}

const batches = wrk(index, { pipeline: 16 });
const upload: Load = { kind: "upload", mib: 1024, connections: 1 };
const download: Load = { kind: "download", mib: 1024 };
const events: Load = { kind: "events", connections: 1000 };
const idle: Load = { kind: "idle", connections: 10_000 };
/** Pages that poll, far from what a server can do: each connection asks 50 times a second. */
const polls = (connections: number): Load => ({ kind: "gets", connections, perSecond: connections * 50 });
/** A server that is busy and not saturated. More connections would only be more timers for the load. */
const paced: Load = { kind: "gets", connections: 16, perSecond: 20_000 };
const crowd = (connections: number) => wrk(index, { connections });

type Kind = Pick<Scenario, "app" | "figure" | "check">;
const plain = { app: "plain", check: { request: index, text: HELLO } } as const;
const work: Kind = { ...plain, figure: "perCpuSecond" };
const light: Kind = { ...plain, figure: "cpuUs" };
const waiting: Kind = { ...plain, figure: "p99Ms" };
const memory: Kind = { ...plain, figure: "bytesEach" };
const starting: Kind & Pick<Scenario, "load"> = { ...plain, figure: "startMs", load: { kind: "start" } };
const resting: Kind & Pick<Scenario, "load"> = { ...plain, figure: "corePercent", load: { kind: "nothing" } };

const userText = '{"id":"4711","fields":"name,mail","agent":"shuttle/3"}';
const hono: Kind = { ...work, app: "hono", check: { request: user, text: userText } };
const echo: Kind = { ...work, app: "echo", check: { request: post, text: json } };
const count: Kind = { ...work, app: "count", check: { request: post, text: String(json.length) } };
const zeros = { request: { method: "GET", path: "/bytes/1000" }, text: /^\0{1000}$/ } as const;
const stream: Kind = { ...work, app: "stream", check: zeros };
const pushing: Kind = { app: "events", figure: "perCpuSecond" };
const fresh: Kind = { ...work, app: "closing", check: { request: closing, text: HELLO } };
const headers: Kind = { ...work, app: "headers", check: { request: browser, text: HELLO } };
const mixed: Kind & Pick<Scenario, "beside"> = {
  ...waiting,
  app: "mixed",
  beside: { kind: "upload", mib: 16, connections: 32, untilStop: true },
};

const sockets: Kind = { ...work, app: "sockets" };
const idleSockets: Kind = { ...memory, app: "sockets" };
const ON_DENO: readonly PeerName[] = ["weft", "deno"];
const inMessages = { ...sockets, unit: "messages", peers: ON_DENO } as const;
const texts = (bytes: number, outstanding: number): Load => ({
  kind: "echoes",
  bytes,
  isText: true,
  connections: CONNECTIONS,
  outstanding,
});
const blocks = (bytes: number, connections: number): Load => ({
  kind: "echoes",
  bytes,
  isText: false,
  connections,
  outstanding: 1,
});
const toAll: Load = { kind: "broadcast", bytes: 64, connections: 1000 };
const stayingSockets: Load = { kind: "idleSockets", connections: 10_000 };

const WORKERS: readonly PeerName[] = ["w1", "w2", "w4"];
const DISTURBED: readonly PeerName[] = ["kills", "reloads"];
/** What several event loops on one core cost by themselves is shown beside Weft's workers, and is not judged. */
const ON_ONE_CORE: readonly PeerName[] = ["single", ...WORKERS, "serve", "serve2", "serve4"];
const onOneCore = { peers: ON_ONE_CORE, baseline: "single", judged: WORKERS } as const;
const onAllCores = { peers: ["w2", ...DISTURBED], baseline: "w2", judged: DISTURBED, onAllCores: true } as const;
/** What the program costs by itself is shown beside its worker, and is not judged. */
const worker = { peers: ["deno", "single", "w1", "w1Published"], judged: ["w1Published"] } as const;
/** A start is that of the package as users have it. From the sources it takes longer. */
const published = { peers: [...ALL, "weftPublished"], judged: ["weftPublished"] } as const;
const supervisor = { peers: ["w2"], judged: ["w2"] } as const;

const rows: Omit<Scenario, "nr">[] = [
  { title: "plain string", ...work, load: wrk(index), peers: ALL, target: 0.95, targetToBare: 0.92 },
  { title: "Hono JSON: parameter, query, header", ...hono, load: wrk(user), peers: ON_A_RUNTIME, target: 1.05 },
  { title: "16 requests pipelined", ...work, load: batches, peers: ALL, target: 3 },
  { title: "POST 1 KiB JSON, parsed and echoed", ...echo, load: wrk(post), peers: ON_A_RUNTIME, target: 1 },
  { title: "upload 1 GiB, counted", ...count, load: upload, unit: "MiB", peers: ON_A_RUNTIME, target: 1 },
  { title: "download 1 GiB stream", ...stream, load: download, unit: "MiB", peers: WITH_NGINX, target: 1 },
  {
    title: "server-sent events, 1,000 clients",
    ...pushing,
    load: events,
    unit: "events",
    peers: ON_A_RUNTIME,
    target: 1,
  },
  { title: "10,000 idle keep-alive connections", ...memory, load: idle, peers: ALL, target: 1, mostFigure: 8192 },
  { title: "small GETs while 32 uploads run: p99", ...mixed, load: polls(8), peers: ON_A_RUNTIME, target: 1 },
  { title: "a new connection for each request", ...fresh, load: wrk(closing), peers: ALL, target: 0.9 },
  { title: "cold start to first answer", ...starting, ...published, target: 1.25 },
  { title: "reads every header, answers ten", ...headers, load: wrk(browser), peers: ON_A_RUNTIME, target: 1.2 },
  { title: "plain string", ...work, load: wrk(index), ...onOneCore, target: 0.95 },
  { title: "p99 of paced GETs", ...waiting, load: polls(CONNECTIONS), ...onAllCores, target: 2 },
  { title: "spawn to first answer", ...starting, ...worker, target: 1.3 },
  { title: "idle supervisor", ...resting, ...supervisor, mostFigure: 0.1 },
  // With more than 128 ready connections, some are starved unless the server sees to their order. A time-out (2 s) is an error.
  { title: "256 active connections: p99", ...waiting, load: crowd(256), peers: ON_A_RUNTIME, target: 2 },
  { title: "1,000 active connections: p99", ...waiting, load: crowd(1000), peers: ON_A_RUNTIME, target: 2 },
  { title: "20,000 requests a second", ...light, load: paced, peers: ALL, target: 1.05 },
  { title: "one connection, one request at a time", ...light, load: crowd(1), peers: ALL, target: 1.05 },
  { title: "WebSocket: 64 B, 16 outstanding", ...inMessages, load: texts(64, 16), target: 4 },
  { title: "WebSocket: 64 B, one outstanding", ...inMessages, load: texts(64, 1), target: 0.95 },
  { title: "WebSocket: 1 KiB, one outstanding", ...inMessages, load: texts(1024, 1), target: 0.95 },
  { title: "WebSocket: 16 KiB binary", ...inMessages, load: blocks(16 * 1024, 16), target: 0.9 },
  { title: "WebSocket: 1 MiB binary", ...inMessages, load: blocks(1024 ** 2, 4), target: 1 },
  { title: "WebSocket: one message to 1,000", ...inMessages, load: toAll, target: 1.5 },
  { title: "10,000 idle WebSockets", ...idleSockets, load: stayingSockets, peers: ON_DENO, mostFigure: 16 * 1024 },
];

/** On Node, the limit is a loop over node:net, about twice as fast as node:http. */
const onNode: Pick<Scenario, "peers" | "baseline" | "judged"> = {
  peers: ["weftNode", "nodeHttp", "honoNode", "srvx", "srvxFast"],
  baseline: "nodeHttp",
  judged: ["weftNode"],
};
const beside: readonly PeerName[] = [...onNode.peers, "bareNet"];
/** Beside @hono/node-server, which is the usual server for Hono on Node. */
const asHono: Pick<Scenario, "peers" | "baseline" | "judged"> = {
  ...onNode,
  peers: ["weftNode", "honoNode", "srvx", "srvxFast"],
  baseline: "honoNode",
};

const nodeRows: Omit<Scenario, "nr">[] = [
  { title: "plain string", ...work, load: wrk(index), ...onNode, peers: beside, target: 1.6, targetToBare: 0.8 },
  { title: "Hono JSON: parameter, query, header", ...hono, load: wrk(user), ...asHono, target: 1.45 },
  { title: "16 requests pipelined", ...work, load: batches, ...onNode, peers: beside, target: 3 },
  { title: "upload 1 GiB, counted", ...count, load: upload, unit: "MiB", ...onNode, target: 0.75 },
  { title: "download 1 GiB stream", ...stream, load: download, unit: "MiB", ...onNode, target: 0.7 },
  { title: "cold start to first answer", ...starting, ...asHono, target: 1.3 },
];

function numbered(all: readonly Omit<Scenario, "nr">[]): Scenario[] {
  return all.map((row, at) => ({ nr: at + 1, ...row }));
}

/** The scenarios, by number from 1. */
export const SCENARIOS: readonly Scenario[] = numbered(rows);

/** Those of `--node`. */
export const NODE_SCENARIOS: readonly Scenario[] = numbered(nodeRows);
