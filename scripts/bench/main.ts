// The benchmark's flags, the order of its rounds, and the files of its results.
// Rounds interleave (A B C A B C), nothing is left running, and a full run fails if a target is missed.

import { parseArgs } from "node:util";
import { drawChart } from "./chart.ts";
import { runAutocannon } from "./load_autocannon.ts";
import { runWrk } from "./load_wrk.ts";
import { describeMachine, readWrkVersion } from "./machine.ts";
import { measure, type Terms } from "./measure.ts";
import { findPeers, type Found, pathOf, type Peer } from "./peers.ts";
import { Interrupted, pinHarness, readDescriptorLimit, stopAll } from "./process.ts";
import { describeRun, type Outcome, type Results, showOutcome, showVerdicts } from "./report.ts";
import { judge, rowsOf, type Samples } from "./rows.ts";
import { BASELINE, FIGURES, JUDGED, PEER_TITLES, type PeerName, PROGRAM_NAMES, THREADS_NAMES } from "./scenario.ts";
import { type Scenario, SERVER_NAMES } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

const USAGE = `Usage: deno run -A scripts/bench/main.ts [--quick] [--only 1,2] [--peers weft,deno]
         [--rounds N] [--seconds N] [--results DIR] [--json]

  --quick      one short round of everything, some 3 minutes; no target counts, but an error does
  --only       numbers of scenarios (default: all)
  --peers      of ${SERVER_NAMES.join(", ")} (default: all that are installed);
               weft brings its program with workers along
  --rounds     rounds of each scenario (default: 9)
  --seconds    whole seconds of one measurement (default: 3)
  --results    where JSON and chart go (default: results, beside this program)
  --json       prints the JSON on standard output, and the tables on standard error
`;

/** Descriptors that a server or a load needs besides its connections. */
const OTHER_DESCRIPTORS = 200;

/** What the flags ask for. */
interface Order {
  isQuick: boolean;
  isWhole: boolean;
  scenarios: Scenario[];
  peers: PeerName[];
  rounds: number;
  seconds: number;
  dir: string;
  isJson: boolean;
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
  const dir = await Deno.makeTempDir({ prefix: "weft-bench-" });
  const tidy = async () => {
    await stopAll();
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void tidy().then(() => Deno.exit(signal === "SIGINT" ? 130 : 143)));
  }
  try {
    return await run(order, dir);
  } catch (error) {
    if (error instanceof Interrupted) await new Promise(() => {}); // the signal's listener ends the program
    throw error;
  } finally {
    await tidy();
  }
}

async function run(order: Order, dir: string): Promise<number> {
  const { isQuick, isJson, rounds, seconds } = order;
  const print = (text: string) => isJson ? console.error(text.trimEnd()) : console.log(text.trimEnd());
  const begun = performance.now();
  const notes = await pinHarness() ? [] : ["server and load are not pinned: taskset or a second core is missing"];
  const wrk = await readWrkVersion();
  if (wrk === undefined) notes.push("wrk is not installed: npm's autocannon sends the requests");
  const mostConnections = await readDescriptorLimit() - OTHER_DESCRIPTORS;
  for (const { nr, load } of order.scenarios) {
    if (load.kind !== "idle" || mostConnections >= (isQuick ? load.quickConnections : load.connections)) continue;
    notes.push(`(${nr}) runs with ${mostConnections} connections: the descriptor limit could not be raised`);
  }
  const terms: Terms = {
    seconds,
    // What a compiler does at first is not how a server runs; the start has a scenario of its own.
    warmSeconds: isQuick ? 1 : 3,
    isQuick,
    mostConnections,
    runHttp: (load, port) => wrk === undefined ? runAutocannon(load, port) : runWrk(load, port, dir),
  };
  if (isQuick) {
    notes.push("quick: 128 MiB in (5) and (6), 2,000 connections in (8), and one short round proves nothing");
  }
  const found = await findPeers(order.peers, dir);
  const results: Results = {
    date: new Date().toISOString(),
    isQuick,
    rounds,
    seconds,
    minutes: 0,
    load: wrk ?? "autocannon 8",
    hono: found.hono,
    machine: await describeMachine(),
    peers: found.peers.map(({ name, version }) => ({ name, title: PEER_TITLES[name], version })),
    leftOut: found.leftOut,
    notes,
    scenarios: [],
  };
  print(describeRun(results));
  for (const scenario of order.scenarios) {
    const outcome = await runScenario(scenario, { found, rounds, terms });
    results.scenarios.push(outcome);
    print(showOutcome(outcome));
  }
  results.minutes = Math.round((performance.now() - begun) / 6000) / 10;
  if (!isQuick) print(showVerdicts(results.scenarios));
  const name = isQuick ? "quick" : order.isWhole ? "bench" : "partial";
  await writeResults(results, order.dir, name);
  print(`\nwritten: ${name}.json, ${name}.svg; ${results.minutes} min`);
  if (isJson) console.log(JSON.stringify(results, null, 2));
  const isVoid = results.scenarios.some(({ rows, judged }) =>
    rows.some(({ peer, figure }) => judged.includes(peer) && !figure)
  );
  const isMissed = !isQuick && results.scenarios.some(({ verdicts }) => verdicts.some(({ isMet }) => !isMet));
  return isVoid || isMissed ? 1 : 0;
}

async function runScenario(
  scenario: Scenario,
  { found, rounds, terms }: { found: Found; rounds: number; terms: Terms },
): Promise<Outcome> {
  const peers: Peer[] = found.peers.filter(({ name }) => scenario.peers.includes(name));
  const samples: Samples = new Map(peers.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      const taken = samples.get(peer.name) ?? [];
      if (taken.some(({ errors }) => errors.length > 0)) continue; // the row is void already
      taken.push(await measure(peer, scenario, terms));
    }
  }
  const { nr, title, figure, unit, target, baseline = BASELINE, judged = JUDGED } = scenario;
  const { head, isMoreBetter } = FIGURES[figure];
  const rows = rowsOf(samples, baseline);
  const verdicts = judge(scenario, rows);
  const what = { nr, title, figure: FIGURES[figure].title(unit), head, isMoreBetter, baseline, judged, target };
  return { ...what, rows, verdicts };
}

async function writeResults(results: Results, dir: string, name: string): Promise<void> {
  await Deno.mkdir(dir, { recursive: true });
  await Deno.writeTextFile(`${dir}/${name}.json`, `${JSON.stringify(results, null, 2)}\n`);
  await Deno.writeTextFile(`${dir}/${name}.svg`, drawChart(results));
}

function readOrder(args: string[]): Order | null {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      results: { type: "string", default: pathOf("results") },
      json: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const scenarios = pickFrom("--only", SCENARIOS, { asked: values.only, nameOf: ({ nr }) => String(nr) });
  const servers = pickFrom("--peers", SERVER_NAMES, { asked: values.peers, nameOf: (name) => name });
  return {
    isQuick: values.quick,
    isWhole: scenarios.length === SCENARIOS.length && servers.length === SERVER_NAMES.length,
    scenarios,
    peers: [
      ...servers,
      ...(servers.includes("weft") ? PROGRAM_NAMES : []),
      ...(servers.includes("deno") ? THREADS_NAMES : []),
    ],
    rounds: readNumber("--rounds", values.rounds ?? (values.quick ? "1" : "9")),
    seconds: readNumber("--seconds", values.seconds ?? (values.quick ? "1" : "3")),
    dir: values.results,
    isJson: values.json,
  };
}

function pickFrom<T>(
  flag: string,
  all: readonly T[],
  { asked, nameOf }: { asked: string | undefined; nameOf: (one: T) => string },
): T[] {
  if (asked === undefined) return [...all];
  const names = asked.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !all.some((one) => nameOf(one) === name));
  if (unknown !== undefined) throw new TypeError(`${flag}: expected ${all.map(nameOf).join(", ")}, got ${unknown}`);
  return all.filter((one) => names.includes(nameOf(one)));
}

function readNumber(flag: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 600) return value;
  throw new RangeError(`${flag}: expected a whole number from 1 to 600, got ${text}`);
}
