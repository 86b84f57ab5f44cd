// The scenarios: what is served, how it is loaded, which figure counts and what it should be.
// Data only; a scenario that needs code of its own gets a kind of load, not a function here.

import { HELLO } from "./apps/answers.ts";
import type { RequestSpec } from "./loads/client.ts";
import { type PeerName, type Scenario, SERVER_NAMES } from "./scenario.ts";

const ALL: readonly PeerName[] = SERVER_NAMES;
const ON_A_RUNTIME: readonly PeerName[] = ["weft", "deno", "node", "bun"];
/** nginx serves files and fixed text, and the bare loop one fixed answer. */
const WITH_NGINX: readonly PeerName[] = ["weft", "deno", "node", "bun", "nginx"];

/** As many as keep one core busy without a queue that is all latency. */
const CONNECTIONS = 64;

const index: RequestSpec = { method: "GET", path: "/" };
const hello = { request: index, text: HELLO };

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

const MIB = 1024 ** 2;

/** The scenarios, by number from 1. */
export const SCENARIOS: readonly Scenario[] = [
  {
    nr: 1,
    title: "plain string",
    app: "plain",
    load: { kind: "http", request: index, connections: CONNECTIONS },
    figure: "perCpuSecond",
    unit: "requests",
    target: 0.95,
    targetToBare: 0.92,
    peers: ALL,
    check: hello,
  },
  {
    nr: 2,
    title: "Hono JSON: parameter, query, header",
    app: "hono",
    load: { kind: "http", request: user, connections: CONNECTIONS },
    figure: "perCpuSecond",
    unit: "requests",
    target: 1.05,
    peers: ON_A_RUNTIME,
    check: { request: user, text: '{"id":"4711","fields":"name,mail","agent":"shuttle/3"}' },
  },
  {
    nr: 3,
    title: "16 requests pipelined",
    app: "plain",
    load: { kind: "http", request: index, connections: CONNECTIONS, pipeline: 16 },
    figure: "perCpuSecond",
    unit: "requests",
    target: 3,
    peers: ALL,
    check: hello,
  },
  {
    nr: 4,
    title: "POST 1 KiB JSON, parsed and echoed",
    app: "echo",
    load: { kind: "http", request: post, connections: CONNECTIONS },
    figure: "perCpuSecond",
    unit: "requests",
    target: 1,
    peers: ON_A_RUNTIME,
    check: { request: post, text: json },
  },
  {
    nr: 5,
    title: "upload 1 GiB, counted",
    app: "count",
    load: { kind: "upload", bytes: 1024 * MIB, quickBytes: 128 * MIB },
    figure: "perCpuSecond",
    unit: "MiB",
    target: 1,
    peers: ON_A_RUNTIME,
    check: { request: post, text: String(json.length) },
  },
  {
    nr: 6,
    title: "download 1 GiB stream",
    app: "stream",
    load: { kind: "download", bytes: 1024 * MIB, quickBytes: 128 * MIB },
    figure: "perCpuSecond",
    unit: "MiB",
    target: 1,
    peers: WITH_NGINX,
    check: { request: { method: "GET", path: "/bytes/1000" }, text: /^\0{1000}$/ },
  },
  {
    nr: 7,
    title: "server-sent events, 1,000 clients",
    app: "events",
    load: { kind: "events", clients: 1000, quickClients: 1000 },
    figure: "perCpuSecond",
    unit: "events",
    target: 1,
    peers: ON_A_RUNTIME,
  },
  {
    nr: 8,
    title: "10,000 idle keep-alive connections",
    app: "plain",
    load: { kind: "idle", connections: 10_000, quickConnections: 2000 },
    figure: "bytesEach",
    unit: "connections",
    target: 1,
    mostFigure: 8 * 1024,
    peers: ALL,
    check: hello,
  },
  {
    nr: 9,
    title: "small GETs while 32 uploads run: p99",
    app: "mixed",
    load: { kind: "mixed", connections: 8, uploads: 32 },
    figure: "p99Ms",
    unit: "requests",
    target: 1,
    peers: ON_A_RUNTIME,
    check: hello,
  },
  {
    nr: 10,
    title: "a new connection for each request",
    app: "closing",
    load: { kind: "http", request: { ...index, headers: { connection: "close" } }, connections: CONNECTIONS },
    figure: "perCpuSecond",
    unit: "requests",
    target: 0.9,
    peers: ALL,
    check: { request: { ...index, headers: { connection: "close" } }, text: HELLO },
  },
  {
    nr: 11,
    title: "cold start to first answer",
    app: "plain",
    load: { kind: "start" },
    figure: "startMs",
    unit: "starts",
    target: 1.25,
    peers: ALL,
    check: hello,
  },
  {
    nr: 12,
    title: "reads every header, answers ten",
    app: "headers",
    load: { kind: "http", request: browser, connections: CONNECTIONS },
    figure: "perCpuSecond",
    unit: "requests",
    target: 1.2,
    peers: ON_A_RUNTIME,
    check: { request: browser, text: HELLO },
  },
  {
    nr: 13,
    title: "plain string",
    app: "plain",
    load: { kind: "http", request: index, connections: CONNECTIONS },
    figure: "perCpuSecond",
    unit: "requests",
    baseline: "single",
    judged: ["w1", "w2", "w4"],
    target: 0.95,
    // What several event loops on one core cost by themselves stands beside it, and is not judged.
    peers: ["single", "w1", "w2", "w4", "serve", "serve2", "serve4"],
    check: hello,
  },
  {
    nr: 14,
    title: "p99 of paced GETs",
    app: "plain",
    load: { kind: "paced", connections: CONNECTIONS },
    figure: "p99Ms",
    unit: "requests",
    baseline: "w2",
    judged: ["kills", "reloads"],
    target: 2,
    peers: ["w2", "kills", "reloads"],
    onAllCores: true,
    check: hello,
  },
  {
    nr: 15,
    title: "spawn to first answer",
    app: "plain",
    load: { kind: "start" },
    figure: "startMs",
    unit: "starts",
    judged: ["w1"],
    target: 1.3,
    // What the program costs by itself stands beside it, and is not judged.
    peers: ["deno", "single", "w1"],
    check: hello,
  },
  {
    nr: 16,
    title: "idle supervisor",
    app: "plain",
    load: { kind: "nothing" },
    figure: "corePercent",
    unit: "seconds",
    judged: ["w2"],
    mostFigure: 0.1,
    peers: ["w2"],
    check: hello,
  },
  // With more than 128 ready connections, some are starved unless the server sees to their order. A time-out (2 s) is an error.
  {
    nr: 17,
    title: "256 active connections: p99",
    app: "plain",
    load: { kind: "http", request: index, connections: 256 },
    figure: "p99Ms",
    unit: "requests",
    target: 2,
    peers: ON_A_RUNTIME,
    check: hello,
  },
  {
    nr: 18,
    title: "1,000 active connections: p99",
    app: "plain",
    load: { kind: "http", request: index, connections: 1000 },
    figure: "p99Ms",
    unit: "requests",
    target: 2,
    peers: ON_A_RUNTIME,
    check: hello,
  },
];
