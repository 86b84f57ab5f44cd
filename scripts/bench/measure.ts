// One measurement: a fresh server, a warm-up, a load, and the readings before and after it.
// Every measurement starts its own server, so that no round inherits another's heap or compiled code.

import { disturbWhile } from "./disturb.ts";
import { RunningLoad, runOwn } from "./load_own.ts";
import type { HttpLoad } from "./load_wrk.ts";
import type { LoadResult, OwnLoad } from "./loads/reports.ts";
import type { Peer } from "./peers.ts";
import { Interrupted } from "./process.ts";
import { cpuSeconds, readCpu, readOwnCpu, readRss } from "./procfs.ts";
import type { Load, Scenario } from "./scenario.ts";
import { checkAnswer, type Serving, startPeer, waitListening, whatItSaid, withoutPaths } from "./serving.ts";

/** What all measurements of a run share. */
export interface Terms {
  seconds: number;
  warmSeconds: number;
  isQuick: boolean;
  /** Most connections that the descriptor limit allows. */
  mostConnections: number;
  /** Runs wrk, or what stands in for it. */
  runHttp: (load: HttpLoad, port: number) => Promise<LoadResult>;
}

/** What one measurement has found; a figure that the scenario has not is undefined. */
export interface Sample {
  figure: number;
  perSecond?: number;
  p50Ms?: number;
  p99Ms?: number;
  rssBytes: number;
  /** What the uploads beside the requests moved. */
  uploadMibPerSecond?: number;
  /** How often workers were killed or reloaded. */
  disturbances?: number;
  /** Requests that were lost with a worker, and asked again. */
  failed?: number;
  /** Milliseconds from spawn to ready that the supervisor tells of its first worker. */
  readyMs?: number;
  /** What the server said on standard error. */
  said: string;
  errors: string[];
}

type Found = Omit<Sample, "said">;

const MIB = 1024 ** 2;
/** After a change of connections: time for a runtime to collect what it no longer needs. */
const SETTLE_MS = 1000;
/** Uploads at full speed before the requests beside them are counted. */
const UPLOADS_ALONE_MS = 300;
/** A p99 of a few hundred requests a second needs longer than a count of many thousands. */
const P99_LONGER = 2;
/** What idles is read to a thousandth: what it does every five seconds shall be seen several times. */
const IDLE_MS = 20_000;

/**
 * Measures one peer once.
 *
 * @param peer the server
 * @param scenario what
 * @param terms how long, and with what
 * @returns the figures, or errors
 * @throws {Interrupted} if the benchmark is being stopped; nothing else
 */
export async function measure(peer: Peer, scenario: Scenario, terms: Terms): Promise<Sample> {
  let serving: Serving | undefined;
  try {
    serving = await startPeer(peer, scenario);
    await waitListening(serving);
    const found = await measureLoad(serving, scenario, terms);
    if (serving.child.hasEnded) found.errors.push("the server ended under the load");
    return { ...found, said: whatItSaid(serving), errors: found.errors.map(withoutPaths) };
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const message = serving?.child.hasEnded
      ? "the server ended under the load"
      : withoutPaths(error instanceof Error ? error.message : String(error));
    return { figure: NaN, rssBytes: NaN, said: serving ? whatItSaid(serving) : "", errors: [message] };
  } finally {
    await serving?.child.stop();
  }
}

async function measureLoad(serving: Serving, scenario: Scenario, terms: Terms): Promise<Found> {
  const { isQuick, seconds, mostConnections } = terms;
  const { load } = scenario;
  if (load.kind === "start") return await measureStart(serving, scenario);
  await checkAnswer(serving, scenario);
  switch (load.kind) {
    case "http":
      return await measureHttp(serving, load, { ...terms, isP99: scenario.figure === "p99Ms" });
    case "upload":
    case "download":
      return await measureBytes(serving, { kind: load.kind, bytes: isQuick ? load.quickBytes : load.bytes });
    case "events":
      return await measureEvents(serving, {
        kind: "events",
        clients: isQuick ? load.quickClients : load.clients,
        milliseconds: seconds * 1000,
      });
    case "idle":
      return await measureIdle(
        serving,
        terms,
        Math.min(isQuick ? load.quickConnections : load.connections, mostConnections),
      );
    case "mixed":
      return await measureMixed(serving, load, terms);
    case "paced":
      return await measurePaced(serving, load, terms);
    case "nothing":
      return await measureNothing(serving, terms);
  }
}

async function measureHttp(
  serving: Serving,
  load: Omit<HttpLoad, "seconds">,
  terms: Terms & { isP99: boolean },
): Promise<Found> {
  const { child, port, peer: { loops = 1 } } = serving;
  await terms.runHttp({ ...load, seconds: terms.warmSeconds * loops }, port);
  const before = await readCpu(child.pid);
  const result = await terms.runHttp({ ...load, seconds: terms.seconds }, port);
  const cpu = cpuSeconds(before, await readCpu(child.pid));
  const figure = terms.isP99 ? result.p99Ms ?? NaN : result.done / cpu;
  return { ...speedOf(result), figure, rssBytes: await readRss(child.pid), errors: result.errors };
}

async function measureBytes(serving: Serving, load: { kind: "upload" | "download"; bytes: number }): Promise<Found> {
  const { child, port } = serving;
  const warm = await runOwn({ ...load, bytes: load.bytes / 8 }, port);
  const before = await readCpu(child.pid);
  const result = await runOwn(load, port);
  const cpu = cpuSeconds(before, await readCpu(child.pid));
  const errors = [...warm.errors, ...result.errors];
  const mib = result.done / MIB;
  return { figure: mib / cpu, perSecond: mib / result.seconds, rssBytes: await readRss(child.pid), errors };
}

async function measureEvents({ child, port }: Serving, load: OwnLoad): Promise<Found> {
  await using running = RunningLoad.start(load, port);
  await running.waitReady();
  const before = await readCpu(child.pid);
  const result = await running.waitResult();
  const cpu = cpuSeconds(before, await readCpu(child.pid));
  return { ...speedOf(result), figure: result.done / cpu, rssBytes: await readRss(child.pid), errors: result.errors };
}

/** Warmed up first, or the heap that any first request costs would be counted as the connections'. */
async function measureIdle({ child, port }: Serving, terms: Terms, connections: number): Promise<Found> {
  const warm: HttpLoad = { request: { method: "GET", path: "/" }, connections: 16, seconds: terms.warmSeconds };
  const { errors } = await terms.runHttp(warm, port);
  await pause(SETTLE_MS);
  const before = await readRss(child.pid);
  await using running = RunningLoad.start({ kind: "idle", connections }, port);
  await running.waitReady();
  await pause(SETTLE_MS);
  const rssBytes = await readRss(child.pid);
  const result = await running.finish();
  return { figure: (rssBytes - before) / connections, rssBytes, errors: [...errors, ...result.errors] };
}

/** The uploads give way on the load's core: a late request shall be the server's doing, not theirs. */
async function measureMixed(serving: Serving, load: Load & { kind: "mixed" }, terms: Terms): Promise<Found> {
  const { child, port } = serving;
  const uploads: OwnLoad = { kind: "uploads", connections: load.uploads };
  await using running = RunningLoad.start(uploads, port, { isNice: true });
  await running.waitReady();
  await pause(UPLOADS_ALONE_MS);
  const milliseconds = terms.seconds * 1000 * P99_LONGER;
  const result = await runOwn({ kind: "gets", connections: load.connections, milliseconds }, port);
  const rssBytes = await readRss(child.pid);
  const uploaded = await running.finish();
  return {
    ...speedOf(result),
    figure: result.p99Ms ?? NaN,
    rssBytes,
    uploadMibPerSecond: uploaded.done / MIB / uploaded.seconds,
    errors: [...result.errors, ...uploaded.errors],
  };
}

/** A kill costs the requests of its worker: they are asked again, and only the others' waits are measured. */
async function measurePaced(serving: Serving, load: Load & { kind: "paced" }, terms: Terms): Promise<Found> {
  const { child, port, peer } = serving;
  const mayFail = peer.disturbance === "kill";
  const gets = (seconds: number) =>
    runOwn({ kind: "gets", connections: load.connections, milliseconds: seconds * 1000, mayFail }, port);
  const warm = await gets(terms.warmSeconds);
  const loading = gets(terms.seconds * P99_LONGER);
  const disturbances = await disturbWhile(serving, loading);
  const result = await loading;
  return {
    ...speedOf(result),
    figure: result.p99Ms ?? NaN,
    disturbances,
    failed: result.failed,
    rssBytes: await readRss(child.pid),
    errors: [...warm.errors, ...result.errors],
  };
}

/** The supervisor alone: what its workers do while they idle is theirs. */
async function measureNothing({ child }: Serving, terms: Terms): Promise<Found> {
  await pause(SETTLE_MS);
  const begun = performance.now();
  const before = await readOwnCpu(child.pid);
  await pause(terms.isQuick ? IDLE_MS / 4 : IDLE_MS);
  const cpu = cpuSeconds(before, await readOwnCpu(child.pid));
  const seconds = (performance.now() - begun) / 1000;
  return { figure: 100 * cpu / seconds, rssBytes: await readRss(child.pid), errors: [] };
}

/**
 * A worker's start begins when its supervisor spawns it and ends with its first answer, as that of a server without a
 * supervisor does; "ready" comes earlier. The others start through a shell and `taskset`, some 2 ms.
 */
async function measureStart(serving: Serving, scenario: Scenario): Promise<Found> {
  await checkAnswer(serving, scenario);
  const { child, log, startedAt } = serving;
  const figure = performance.now() - (log?.spawnedAt ?? startedAt);
  return { figure, readyMs: log?.readyMs, rssBytes: await readRss(child.pid), errors: [] };
}

function speedOf({ done, seconds, p50Ms, p99Ms }: LoadResult): Pick<Found, "perSecond" | "p50Ms" | "p99Ms"> {
  return { perSecond: done / seconds, p50Ms, p99Ms };
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
