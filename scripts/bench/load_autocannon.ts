// How npm's autocannon is told a request, and what it reports: the load if wrk is missing.
// It is slower than wrk, so figures per second compare only within one tool; the results name it.

import { runOwn } from "./load_own.ts";
import type { HttpLoad } from "./load_wrk.ts";
import type { LoadResult } from "./loads/reports.ts";
import { Child, LOAD_CORE } from "./process.ts";

/** What autocannon may take beyond the time it was given, before it is killed; the first run fetches it. */
const SLACK_MS = 30_000;

/** The part of its JSON that is used; latencies are milliseconds. */
interface Summary {
  requests: { total: number };
  latency: { p50: number; p99: number };
  duration: number;
  errors: number;
  timeouts: number;
  mismatches: number;
  non2xx: number;
}

/**
 * Runs autocannon once.
 *
 * @param load what to send, and how long
 * @param port of the server on loopback
 * @returns what it counted
 */
export async function runAutocannon(load: HttpLoad, port: number): Promise<LoadResult> {
  const { request, connections, pipeline = 1, seconds } = load;
  if (request.headers?.connection === "close") {
    // Under Deno, autocannon counts errors here that no server has made.
    return await runOwn({ kind: "fresh", connections, milliseconds: seconds * 1000 }, port);
  }
  const argv = [Deno.execPath(), "run", "--allow-all", "--no-lock", "--quiet", "npm:autocannon@^8", "--json"];
  argv.push("--no-progress", "-c", String(connections), "-d", String(seconds), "-p", String(pipeline));
  argv.push("-m", request.method);
  if (request.body !== undefined) argv.push("-b", request.body);
  for (const [name, value] of Object.entries(request.headers ?? {})) argv.push("-H", `${name}=${value}`);
  argv.push(`http://127.0.0.1:${port}${request.path}`);
  await using child = Child.start(argv, { core: LOAD_CORE });
  const output = await child.output(seconds * 1000 + SLACK_MS);
  const line = output.split("\n").find((text) => text.startsWith("{"));
  if (line === undefined) throw new Error(`autocannon did not finish: ${child.stderr || output.slice(-300)}`);
  return resultOf(JSON.parse(line));
}

function resultOf(summary: Summary): LoadResult {
  const { requests, latency, duration, timeouts, non2xx, mismatches } = summary;
  const counts = { errors: summary.errors, timeouts, non2xx, mismatches };
  const errors = Object.entries(counts).flatMap(([kind, count]) => count > 0 ? [`${count} x ${kind}`] : []);
  if (requests.total === 0) errors.push("not one request was answered");
  return { done: requests.total, seconds: duration, p50Ms: latency.p50, p99Ms: latency.p99, errors };
}
