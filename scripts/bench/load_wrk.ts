// How wrk is told a request as raw bytes, also several in one write, and what it reports.
// Every kind of error that wrk counts becomes an error of the run.

import { type RequestSpec, requestText } from "./loads/client.ts";
import type { LoadResult } from "./loads/reports.ts";
import { Child, LOAD_CORE } from "./process.ts";

/** A closed loop of requests: each connection sends the next when the last is answered. */
export interface HttpLoad {
  request: RequestSpec;
  connections: number;
  /** Requests in one write. @default {1} */
  pipeline?: number;
  /** How long; wrk takes whole seconds only. */
  seconds: number;
}

/** What wrk may take beyond the time it was given, before it is killed. */
const SLACK_MS = 10_000;

/**
 * Runs wrk once.
 *
 * @param load what to send, and how long
 * @param port of the server on loopback
 * @param dir for the script; the caller removes it
 * @returns what it counted
 */
export async function runWrk(load: HttpLoad, port: number, dir: string): Promise<LoadResult> {
  const script = `${dir}/wrk-${port}.lua`;
  await Deno.writeTextFile(script, scriptOf(load, port));
  const argv = ["wrk", "-t1", `-c${load.connections}`, `-d${load.seconds}s`, "-s", script, `http://127.0.0.1:${port}/`];
  await using child = Child.start(argv, { core: LOAD_CORE });
  const output = await child.output(load.seconds * 1000 + SLACK_MS);
  const line = /^RESULT (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk did not finish: ${child.stderr || output.slice(-300)}`);
  const result = resultOf(JSON.parse(line));
  // wrk corrects its percentiles by the pace of single requests; for a batch that leads nowhere.
  return (load.pipeline ?? 1) > 1 ? { ...result, p50Ms: undefined, p99Ms: undefined } : result;
}

/** What the script's last line holds; times are microseconds. */
interface Summary {
  requests: number;
  duration: number;
  p50: number;
  p99: number;
  errors: Record<"connect" | "read" | "write" | "status" | "timeout", number>;
}

function resultOf(summary: Summary): LoadResult {
  const { requests, duration, p50, p99 } = summary;
  const errors = Object.entries(summary.errors).flatMap(([kind, count]) => count > 0 ? [`${count} x ${kind}`] : []);
  if (requests === 0) errors.push("not one request was answered");
  return { done: requests, seconds: duration / 1e6, p50Ms: p50 / 1000, p99Ms: p99 / 1000, errors };
}

function scriptOf({ request, pipeline = 1 }: HttpLoad, port: number): string {
  const text = requestText(request, port).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  const quoted = text.replaceAll("\r", "\\r").replaceAll("\n", "\\n");
  return `
local bytes = string.rep("${quoted}", ${pipeline})
request = function() return bytes end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"duration":%d,"p50":%d,"p99":%d,' ..
    '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
`;
}
