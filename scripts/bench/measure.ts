// One measurement: a fresh server, a warm-up, a load, and the readings before and after it.
// Every measurement starts its own server, so that no round inherits another's heap or compiled code.

import { RunningLoad } from "./load.ts";
import type { Job, Load } from "./loads/job.ts";
import type { Peer } from "./peers.ts";
import { cpuSeconds, readCpu, readRss, readTree } from "./procfs.ts";
import { disturbWhile } from "./program.ts";
import type { Scenario } from "./scenarios.ts";
import { checkAnswer, type Serving, startPeer, waitListening, whatItSaid, withoutPaths } from "./serving.ts";

/** How long the measurements of a run take. */
export interface Terms {
  seconds: number;
  /** True warms up for a shorter time, and divides sizes by QUICK. */
  isQuick: boolean;
}

/** What a measurement finds besides the figure that counts; undefined if the scenario does not have it. */
export interface Besides {
  perSecond?: number | undefined;
  p50Ms?: number | undefined;
  p99Ms?: number | undefined;
  /** What the uploads beside the requests moved. */
  uploadMibPerSecond?: number | undefined;
  /** How often workers were killed or reloaded. */
  disturbances?: number | undefined;
  /** Requests that were lost with a worker, and asked again. */
  failed?: number | undefined;
  /** Milliseconds from spawn to ready that the supervisor reports for its first worker. */
  readyMs?: number | undefined;
}

/** What one measurement has found. */
export interface Sample extends Besides {
  figure: number;
  rssBytes: number;
  /** What the server said on standard error. */
  said: string;
  errors: string[];
}

type Found = Omit<Sample, "said">;

/** A quick run moves an eighth of the bytes and opens an eighth of the idle connections. */
const QUICK = 8;
/** A compiler is busy at first. That is not how a server runs; the start has scenarios of its own. */
const WARM_SECONDS = 3;
/** Enough connections to saturate a server. A light load alone would leave half of the compiler's work to the measurement. */
const WARM_CONNECTIONS = 64;
/** So many small requests until V8 compiles nothing more of Weft. On a busy machine that takes longer than WARM_SECONDS. */
const WARM_REQUESTS = 300_000;
/** With several event loops, those with few connections must reach that number too. */
const UNEVENLY = 2;
/** A server that is too slow for that is measured all the same. */
const MOST_WARM_SECONDS = 30;
/** After a change of connections: time for a runtime to collect what it no longer needs. */
const SETTLE_MS = 1000;
/** A p99 of a few hundred requests a second needs longer than a count of many thousands. */
const P99_LONGER = 2;
/** What a process does every five seconds while it idles is seen several times. */
const IDLE_MS = 20_000;

/** Measures one peer once. It does not throw: what goes wrong is among the sample's errors. */
export async function measure(peer: Peer, scenario: Scenario, terms: Terms): Promise<Sample> {
  let serving: Serving | undefined;
  try {
    serving = await startPeer(peer, scenario);
    await waitListening(serving);
    await checkAnswer(serving, scenario);
    const found = await measureLoad(serving, scenario, terms);
    if (serving.child.hasEnded) found.errors.push("the server ended under the load");
    return { ...found, said: whatItSaid(serving), errors: found.errors.map(withoutPaths) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const errors = [serving?.child.hasEnded ? `the server ended: ${withoutPaths(message)}` : withoutPaths(message)];
    return { figure: NaN, rssBytes: NaN, said: serving ? whatItSaid(serving) : "", errors };
  } finally {
    await serving?.child.stop();
  }
}

async function measureLoad(serving: Serving, scenario: Scenario, terms: Terms): Promise<Found> {
  const { load } = scenario;
  switch (load.kind) {
    case "start":
      return await measureStart(serving);
    case "nothing":
      return await measureNothing(serving, terms);
    case "idle":
    case "idleSockets":
      return await measureIdle(serving, terms, {
        ...load,
        connections: load.connections / (terms.isQuick ? QUICK : 1),
      });
    default:
      return await measureWork(serving, scenario, { ...terms, load });
  }
}

/** Warms the server up, and reads its CPU time before and after the load. */
async function measureWork(serving: Serving, scenario: Scenario, terms: Terms & { load: Load }): Promise<Found> {
  const { child, port, peer } = serving;
  const { figure, beside } = scenario;
  // What runs beside gives way on the load's core: a late answer is to be the server's fault.
  await using uploads = beside && await RunningLoad.start({ ...beside, port, seconds: 0 }, { isNice: true });
  await uploads?.go();
  const warmed = await warmUp(serving, warmingLoad(terms.load), terms);
  await using running = await RunningLoad.start(jobOf(serving, scenario, terms));
  const before = await readCpu(await readTree(child.pid));
  const working = running.run();
  const disturbances = await disturbWhile(serving, working);
  const { done, seconds, p50Ms, p99Ms, failed, errors } = await working;
  const cpu = cpuSeconds(before, await readCpu(await readTree(child.pid)));
  const rssBytes = await readRss(child.pid);
  const uploaded = await uploads?.finish();
  return {
    figure: figure === "p99Ms" ? p99Ms ?? NaN : figure === "cpuUs" ? cpu * 1e6 / done : done / cpu,
    perSecond: done / seconds,
    p50Ms,
    p99Ms,
    rssBytes,
    uploadMibPerSecond: uploaded && uploaded.done / uploaded.seconds,
    disturbances: peer.disturbance && disturbances,
    failed: peer.disturbance && failed,
    errors: [...warmed, ...errors, ...uploaded?.errors ?? []],
  };
}

function jobOf({ port, peer }: Serving, { figure }: Scenario, { load, seconds, isQuick }: Terms & { load: Load }): Job {
  // A kill costs the requests of its worker. They are asked again, and only the others' waits are measured.
  if (load.kind === "gets") {
    const mayFail = peer.disturbance === "kill";
    return { ...load, port, seconds: figure === "p99Ms" ? seconds * P99_LONGER : seconds, mayFail };
  }
  return "mib" in load && isQuick ? { ...load, port, seconds, mib: load.mib / QUICK } : { ...load, port, seconds };
}

/** Runs a load for as long as each event loop's compiler is busy, and returns its errors. */
async function warmUp({ port, peer }: Serving, load: Load, { isQuick }: Terms): Promise<string[]> {
  if (load.kind === "events") return []; // it warms up by itself before it is ready
  const { loops = 1 } = peer;
  const job: Job = { ...load, port, seconds: (isQuick ? 1 : WARM_SECONDS) * loops };
  if ("mib" in job) job.mib /= isQuick ? QUICK ** 2 : QUICK;
  const isCounted = job.kind === "wrk" && job.connections >= WARM_CONNECTIONS && !isQuick;
  const least = WARM_REQUESTS * (loops > 1 ? loops * UNEVENLY : 1);
  const errors: string[] = [];
  let requests = 0;
  let seconds = 0;
  do {
    await using running = await RunningLoad.start(job);
    const run = await running.run();
    errors.push(...run.errors);
    requests += run.done;
    seconds += job.seconds;
  } while (isCounted && requests < least && seconds < MOST_WARM_SECONDS && errors.length === 0);
  return errors;
}

/**
 * Finds the load that a server is warmed up with.
 *
 * @param load what it is measured with
 * @returns the same load, or one of the same requests that saturates the server
 */
export function warmingLoad(load: Load): Load {
  if (load.kind === "gets") {
    return { kind: "wrk", request: { method: "GET", path: "/" }, connections: WARM_CONNECTIONS };
  }
  if (load.kind !== "wrk") return load;
  return { ...load, connections: Math.max(load.connections, WARM_CONNECTIONS) };
}

/** Warmed up first, because any first request makes the heap grow, and that is not a connection's memory. */
async function measureIdle(
  serving: Serving,
  terms: Terms,
  load: Load & { kind: "idle" | "idleSockets" },
): Promise<Found> {
  const { connections } = load;
  const { child, port } = serving;
  const warmed = await warmUp(serving, { kind: "wrk", request: { method: "GET", path: "/" }, connections: 16 }, terms);
  await pause(SETTLE_MS);
  const before = await readRss(child.pid);
  await using running = await RunningLoad.start({ ...load, port, seconds: 0 });
  await pause(SETTLE_MS);
  const rssBytes = await readRss(child.pid);
  const { errors } = await running.finish();
  return { figure: (rssBytes - before) / connections, rssBytes, errors: [...warmed, ...errors] };
}

/** The supervisor alone, without its workers. */
async function measureNothing({ child }: Serving, { isQuick }: Terms): Promise<Found> {
  await pause(SETTLE_MS);
  const begun = performance.now();
  const before = await readCpu([child.pid]);
  await pause(isQuick ? IDLE_MS / 4 : IDLE_MS);
  const cpu = cpuSeconds(before, await readCpu([child.pid]));
  const seconds = (performance.now() - begun) / 1000;
  return { figure: 100 * cpu / seconds, rssBytes: await readRss(child.pid), errors: [] };
}

/**
 * The first answer has just come. A worker's start begins when its supervisor spawns it; "ready" is before its first
 * answer. The others start through a shell and `taskset`, some 2 ms.
 */
async function measureStart({ child, log, startedAt }: Serving): Promise<Found> {
  const figure = performance.now() - (log?.spawnedAt ?? startedAt);
  return { figure, readyMs: log?.readyMs, rssBytes: await readRss(child.pid), errors: [] };
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
