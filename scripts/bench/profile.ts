// Measures what the CPU time of a small request is spent on: microseconds by cause, for Weft, the bare loop and Deno.serve.
// A server is sampled with perf while it is loaded. Each cause gets the part of the CPU time that it has of the samples.
// The runtime's binary has no symbols, so what V8 and Deno do in it is one line, but for the collector, which V8 reports.

import { RunningLoad } from "./load.ts";
import type { Load } from "./loads/job.ts";
import { warmingLoad } from "./measure.ts";
import { findPeers, type Peer, type PeerName } from "./peers.ts";
import { Child, isInstalled, LOAD_CORE, outputOf, pinHarness, stopAll } from "./process.ts";
import { cpuSeconds, readCpu, readTree } from "./procfs.ts";
import { type Scenario, SCENARIOS } from "./scenarios.ts";
import { startPeer, waitListening } from "./serving.ts";

const PEERS: readonly PeerName[] = ["weft", "bare", "deno"];
/** Scenarios of the same application: saturated, one connection, and paced. */
const NUMBERS = [1, 20, 19];
const WARM_SECONDS = 3;
const SECONDS = 5;
/** Samples a second. Not a multiple of a timer's frequency, so that samples do not fall on its ticks. */
const FREQUENCY = 4999;

/** The causes, in the order of the table. */
const CAUSES = [
  "kernel: send, with the way to the client",
  "kernel: receive",
  "kernel: waiting for sockets",
  "kernel: the rest",
  "Weft's code, or the loop's",
  "the handler",
  "Deno's JavaScript",
  "garbage collection",
  "V8, Deno's native code, memory",
  "V8's own threads",
] as const;
type Cause = typeof CAUSES[number];
const COLLECTION: Cause = "garbage collection";
const NATIVE: Cause = "V8, Deno's native code, memory";

/** One server under one load. */
interface Profile {
  /** Server CPU time of a request, in microseconds. */
  us: number;
  /** Of it, by cause. */
  byCause: Map<Cause, number>;
}

if (import.meta.main) Deno.exit(await main());

async function main(): Promise<number> {
  if (Deno.build.os !== "linux" || !await isInstalled("wrk") || !await isInstalled("perf")) {
    console.error("Cannot profile: it needs Linux, wrk and perf (on Debian: apt-get install wrk linux-perf)");
    return 2;
  }
  const dir = await Deno.makeTempDir({ prefix: "weft-profile-" });
  try {
    await pinHarness();
    const { peers } = await findPeers(PEERS, { dir, nodeVersion: null });
    const chosen = PEERS.flatMap((name) => peers.filter((peer) => peer.name === name));
    for (const nr of NUMBERS) {
      const scenario = SCENARIOS.find((one) => one.nr === nr)!;
      const profiles: Profile[] = [];
      for (const peer of chosen) profiles.push(await profile(peer, scenario, `${dir}/perf.data`));
      console.log(showTable(scenario.title, chosen, profiles));
    }
    return 0;
  } finally {
    await stopAll();
    await Deno.remove(dir, { recursive: true });
  }
}

async function profile(peer: Peer, scenario: Scenario, file: string): Promise<Profile> {
  const load = scenario.load as Load;
  // Names for compiled code, and a line for each collection. V8 also writes a log, by default into the current directory.
  const flags = `--perf-basic-prof,--trace-gc,--no-logfile-per-isolate,--logfile=${file}.log`;
  const command: Peer["command"] = async (app, port) =>
    (await peer.command(app, port)).flatMap((word) => word === "run" ? [word, `--v8-flags=${flags}`] : [word]);
  const serving = await startPeer({ ...peer, command }, scenario);
  const { child, port } = serving;
  let collectedMs = 0;
  const reading = (async () => {
    for await (const line of child.lines()) collectedMs += Number(/ MB, ([\d.]+) \/ /.exec(line)?.[1] ?? 0);
  })();
  await waitListening(serving);
  await runLoad({ ...warmingLoad(load), port, seconds: WARM_SECONDS });
  const before = await readCpu(await readTree(child.pid));
  const collectedBefore = collectedMs;
  const record = ["perf", "record", "-F", `${FREQUENCY}`, "-e", "cpu-clock", "-g", "-o", file, "-p", `${child.pid}`];
  const perf = await Child.start(record, { core: LOAD_CORE });
  const done = await runLoad({ ...load, port, seconds: SECONDS });
  perf.signal("SIGINT");
  await Array.fromAsync(perf.lines());
  await perf.stop();
  const us = cpuSeconds(before, await readCpu(await readTree(child.pid))) * 1e6 / done;
  const collectedUs = (collectedMs - collectedBefore) * 1e3 / done;
  const counts = countSamples(await readSamples(file));
  await child.stop();
  await reading;
  await Deno.remove(`/tmp/perf-${child.pid}.map`).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const samples = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const byCause = new Map([...counts].map(([cause, count]) => [cause, us * count / samples]));
  byCause.set(COLLECTION, collectedUs);
  byCause.set(NATIVE, Math.max(0, (byCause.get(NATIVE) ?? 0) - collectedUs));
  return { us, byCause };
}

async function runLoad(job: Parameters<typeof RunningLoad.start>[0]): Promise<number> {
  await using running = await RunningLoad.start(job);
  const { done, errors } = await running.run();
  if (errors.length > 0) throw new Error(errors.join("; "));
  return done;
}

/** One text for each sample: the thread's name, then a line for each frame, the innermost first. */
async function readSamples(file: string): Promise<string[]> {
  const text = await outputOf("perf", ["script", "-i", file, "-F", "comm,ip,sym,dso"]);
  return text.split("\n\n").filter((sample) => sample.trim() !== "");
}

function countSamples(samples: readonly string[]): Map<Cause, number> {
  const counts = new Map<Cause, number>();
  for (const sample of samples) {
    const cause = causeOf(sample);
    counts.set(cause, (counts.get(cause) ?? 0) + 1);
  }
  return counts;
}

function causeOf(sample: string): Cause {
  const [thread = "", leaf = ""] = sample.split("\n");
  if (thread.startsWith("V8")) return "V8's own threads";
  if (leaf.includes("[kernel")) {
    if (/sys_(sendto|write|writev|sendmsg)\b/.test(sample)) return "kernel: send, with the way to the client";
    if (/sys_(recvfrom|read|readv|recvmsg)\b/.test(sample)) return "kernel: receive";
    if (/sys_epoll_\w+\b/.test(sample)) return "kernel: waiting for sockets";
    return "kernel: the rest";
  }
  if (/JS:.* ext:|JS:.* node:/.test(leaf)) return "Deno's JavaScript";
  if (/JS:.*\/bench\/apps\/(handlers|answers)/.test(leaf)) return "the handler";
  if (/JS:.*file:/.test(leaf)) return "Weft's code, or the loop's";
  return NATIVE;
}

function showTable(title: string, peers: readonly Peer[], profiles: readonly Profile[]): string {
  const row = (name: string, values: (number | undefined)[]) =>
    `| ${name.padEnd(40)} | ${values.map((value) => (value ?? 0).toFixed(2).padStart(10)).join(" | ")} |`;
  return [
    "",
    `| ${title.padEnd(40)} | ${peers.map((peer) => peer.title.padStart(10)).join(" | ")} |`,
    `| ${"-".repeat(40)} | ${peers.map(() => `${"-".repeat(9)}:`).join(" | ")} |`,
    ...CAUSES.map((cause) => row(cause, profiles.map(({ byCause }) => byCause.get(cause)))),
    row("all", profiles.map(({ us }) => us)),
  ].join("\n");
}
