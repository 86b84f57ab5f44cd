// The benchmark's flags, the order of its rounds, and the files of its results.
// Rounds interleave (A B C A B C), nothing is left running, and a run fails if a request is lost or a target missed.
//
// scenarios.ts says what is measured and peers.ts which servers there are. measure.ts starts a server (serving.ts,
// program.ts), lets wrk or a program of loads/ send requests (load.ts), and reads /proc (procfs.ts). results.ts makes
// rows of the samples with statistics.ts; report.ts, table.ts and chart.ts show them. apps/ is what the servers run.

import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import { measure, type Sample, type Terms } from "./measure.ts";
import { findPeers, NODE_SERVER_NAMES, pathOf, type Peer, type PeerName, SERVER_NAMES } from "./peers.ts";
import { isInstalled, outputOf, pinHarness, stopAll, unlessStopping } from "./process.ts";
import { describeRun, showOutcome, showVerdicts } from "./report.ts";
import { hasFailed, outcomeOf, type Results } from "./results.ts";
import { NODE_SCENARIOS, type Scenario, SCENARIOS } from "./scenarios.ts";
import { drawTables } from "./table.ts";

const USAGE =
  `Usage: deno task bench [--node VERSION] [--quick] [--only 1,2] [--peers weft,deno] [--rounds N] [--seconds N]
                       [--results DIR]

  --node       measures the built npm package on a version of Node, such as 20, beside Node's servers; it has
               scenarios and peers of its own, and ratios are to node:http or @hono/node-server

  --quick      one short round of everything, some 3 minutes; no target counts, but an error does
  --only       numbers of scenarios (default: all)
  --peers      of ${SERVER_NAMES.join(", ")} (default: all that are installed);
               weft brings its program with workers along, deno its threads;
               with --node of ${NODE_SERVER_NAMES.join(", ")}
  --rounds     rounds of each scenario (default: 9)
  --seconds    whole seconds of one measurement (default: 3)
  --results    the directory of JSON, tables and chart (default: results, beside this program)
`;

/** What the flags ask for. */
interface Order extends Terms {
  /** The version of Node; null for the runtimes without `--node`. */
  nodeVersion: string | null;
  scenarios: Scenario[];
  servers: PeerName[];
  rounds: number;
  /** The directory of JSON, tables and chart. */
  dir: string;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: string[]): Promise<number> {
  let order: Order | null;
  try {
    order = readOrder(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (order === null) {
    console.log(USAGE);
    return 0;
  }
  if (Deno.build.os !== "linux" || !await isInstalled("wrk")) {
    console.error("Cannot run the benchmark: it needs Linux and wrk (on Debian: apt-get install wrk)");
    return 2;
  }
  const dir = await Deno.makeTempDir({ prefix: "weft-bench-" });
  const tidy = () => stopAll().then(() => Deno.remove(dir, { recursive: true }));
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
    Deno.addSignalListener(signal, () => void tidy().finally(() => Deno.exit(code)));
  }
  try {
    return await run(order, dir);
  } finally {
    await tidy();
  }
}

async function run(order: Order, dir: string): Promise<number> {
  const { isQuick, rounds, seconds, nodeVersion, servers, scenarios } = order;
  const begun = performance.now();
  const notes = await pinHarness() ? [] : ["server and load are not pinned: taskset or a second core is missing"];
  if (isQuick) notes.push("quick: an eighth of the sizes of (5), (6) and (8), and one short round proves nothing");
  const { peers, leftOut, hono } = await findPeers(servers, { dir, nodeVersion });
  // wrk prints its version with its usage and ends with an error.
  const version = /wrk (?:debian\/)?(\d[\w.]*)/.exec(await outputOf("wrk", ["--version"], { mayFail: true }))?.[1];
  const cpu = /^(?:model name|Model|cpu model)\s*:\s*(.+)$/m.exec(await Deno.readTextFile("/proc/cpuinfo"))?.[1];
  const results: Results = {
    date: new Date().toISOString(),
    isQuick,
    rounds,
    seconds,
    minutes: 0,
    load: `wrk ${version ?? "of unknown version"}`,
    hono,
    machine: {
      cpu: cpu?.trim() ?? Deno.build.arch,
      cores: navigator.hardwareConcurrency,
      memoryGib: Math.round(Deno.systemMemoryInfo().total / 1024 ** 3),
      kernel: Deno.osRelease(),
      system: `${Deno.build.os} ${Deno.build.arch}`,
    },
    peers: peers.map(({ name, title, version }) => ({ name, title, version })),
    leftOut,
    notes,
    scenarios: [],
  };
  console.log(describeRun(results));
  for (const scenario of scenarios) {
    const outcome = outcomeOf(scenario, await sample(scenario, peers, order));
    results.scenarios.push(outcome);
    console.log(showOutcome(outcome));
  }
  await unlessStopping(); // what was interrupted is not written
  results.minutes = Math.round((performance.now() - begun) / 6000) / 10;
  if (!isQuick) console.log(showVerdicts(results.scenarios));
  const [all, whole] = nodeVersion === null ? [SCENARIOS, "bench"] : [NODE_SCENARIOS, `node_${nodeVersion}`];
  const path = `${order.dir}/${isQuick ? "quick" : scenarios.length === all.length ? whole : "partial"}`;
  await Deno.mkdir(order.dir, { recursive: true });
  await Deno.writeTextFile(`${path}.json`, `${JSON.stringify(results, null, 2)}\n`);
  await Deno.writeTextFile(`${path}.md`, drawTables(results));
  if (nodeVersion === null) await Deno.writeTextFile(`${path}.svg`, drawChart(results));
  console.log(`\nwritten: ${path}.json, .md${nodeVersion === null ? " and .svg" : ""}; ${results.minutes} min`);
  return hasFailed(results) ? 1 : 0;
}

/** Measures a scenario's peers in interleaved rounds. A peer with an error is not measured again: its row is void. */
async function sample(scenario: Scenario, all: readonly Peer[], order: Order): Promise<Map<PeerName, Sample[]>> {
  const peers = all.filter(({ name }) => scenario.peers.includes(name));
  const samples = new Map<PeerName, Sample[]>(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < order.rounds; round++) {
    for (const peer of peers) {
      const taken = samples.get(peer.name) ?? [];
      if (taken.every(({ errors }) => errors.length === 0)) taken.push(await measure(peer, scenario, order));
    }
  }
  return samples;
}

function readOrder(args: string[]): Order | null {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    options: {
      node: text,
      quick: { type: "boolean", default: false },
      only: text,
      peers: text,
      rounds: text,
      seconds: text,
      results: { ...text, default: pathOf("results") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const nodeVersion = values.node ?? null;
  if (nodeVersion !== null && !/^\d+(\.\d+){0,2}$/.test(nodeVersion)) {
    throw new TypeError(`--node: expected a version such as 20 or 22.12, got ${nodeVersion}`);
  }
  const [all, own] = nodeVersion === null ? [SCENARIOS, SERVER_NAMES] : [NODE_SCENARIOS, NODE_SERVER_NAMES];
  const scenarios = pick("--only", all, { asked: values.only, nameOf: ({ nr }) => `${nr}` });
  const servers = pick("--peers", own, { asked: values.peers, nameOf: (name) => name });
  return {
    nodeVersion,
    isQuick: values.quick,
    scenarios,
    servers,
    rounds: readNumber("--rounds", values.rounds ?? (values.quick ? "1" : "9")),
    seconds: readNumber("--seconds", values.seconds ?? (values.quick ? "1" : "3")),
    dir: values.results,
  };
}

function pick<T>(
  flag: string,
  all: readonly T[],
  { asked, nameOf }: { asked: string | undefined; nameOf(one: T): string },
): T[] {
  const names = asked?.split(",").map((name) => name.trim()) ?? all.map(nameOf);
  const unknown = names.find((name) => !all.some((one) => nameOf(one) === name));
  if (unknown !== undefined) throw new TypeError(`${flag}: expected ${all.map(nameOf).join(", ")}, got ${unknown}`);
  return all.filter((one) => names.includes(nameOf(one)));
}

function readNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 600) return value;
  throw new RangeError(`${flag}: expected a whole number from 1 to 600, got ${text}`);
}
