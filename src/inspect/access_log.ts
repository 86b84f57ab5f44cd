// Writes a line for each request when it is over.

import type { ConnectionView, Lap, PhaseReader } from "../connection/phases.ts";
import type { Address } from "../platform/ports.ts";
import { durationOf, lapReader } from "./laps.ts";

/** How a line of the access log looks. */
export type LogFormat = "short" | "combined" | "json";

/** A client that left before its answer; the number is nginx's, and tools know it. */
const CLIENT_LEFT = 499;

/** What is written of one request. */
interface Entry {
  remote: string;
  time: Date;
  method: string;
  target: string;
  version: string;
  status: number;
  bytes: number;
  durationMs: number;
  referer: string | null;
  userAgent: string | null;
}

/**
 * Makes a reader that writes a line for each request.
 *
 * @param options the format, what takes the lines, and the clocks: `now` in milliseconds that never step back, `date` since 1970
 * @returns the reader
 */
export function accessLog(
  options: { format: LogFormat; write: (line: string) => void; now: () => number; date: () => number },
): PhaseReader {
  const show = { short: showShort, combined: showCombined, json: showJson }[options.format];
  return lapReader(options.now, (connection, laps) => {
    const entry = entryOf(connection, laps, options.date());
    if (entry !== null) options.write(`${show(entry)}\n`);
  });
}

function entryOf(connection: ConnectionView, laps: Readonly<Record<Lap, number>>, date: number): Entry | null {
  const { exchange, refusal } = connection;
  // Neither a request nor a refusal: the client left in the middle of a head.
  if (exchange === null && refusal === null) return null;
  const head = exchange?.head;
  return {
    remote: showRemote((exchange ?? connection).remoteAddr),
    time: new Date(date),
    method: head?.method ?? "-",
    target: head?.target ?? "-",
    version: head === undefined ? "-" : `HTTP/1.${head.minor}`,
    status: exchange?.status || refusal?.status || CLIENT_LEFT,
    bytes: exchange?.sent ?? 0,
    durationMs: durationOf(laps),
    referer: head?.field("referer") ?? null,
    userAgent: head?.field("user-agent") ?? null,
  };
}

function showRemote(address: Address): string {
  return address.transport === "tcp" ? address.hostname : "unix";
}

function showShort(entry: Entry): string {
  const { remote, method, target, status, bytes, durationMs } = entry;
  return `${remote} ${method} ${target} ${status} ${bytes} ${durationMs.toFixed(1)} ms`;
}

/** The Combined Log Format, followed by the duration in seconds. */
function showCombined(entry: Entry): string {
  const { remote, method, target, version, status, bytes, durationMs } = entry;
  const request = method === "-" ? "-" : `${method} ${target} ${version}`;
  const quoted = [entry.referer, entry.userAgent].map((value) => `"${value === null ? "-" : escaped(value)}"`);
  return `${remote} - - [${showTime(entry.time)}] "${escaped(request)}" ${status} ${bytes} ${quoted.join(" ")} ${
    (durationMs / 1000).toFixed(6)
  }`;
}

function showJson(entry: Entry): string {
  return JSON.stringify({
    time: entry.time.toISOString(),
    remote: entry.remote,
    method: entry.method,
    target: entry.target,
    version: entry.version,
    status: entry.status,
    bytes: entry.bytes,
    duration_ms: Number(entry.durationMs.toFixed(3)),
    referer: entry.referer,
    user_agent: entry.userAgent,
  });
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `22/Nov/2026:09:15:33 +0000`: the time zone is always UTC, so that lines of two machines compare. */
function showTime(time: Date): string {
  const iso = time.toISOString(); // 2026-11-22T09:15:33.000Z
  return `${iso.slice(8, 10)}/${MONTHS[time.getUTCMonth()]}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}

/** What a client chose must not end the quotes or the line, or act on a terminal. */
function escaped(value: string): string {
  return value.replace(
    // deno-lint-ignore no-control-regex -- control characters are what it looks for
    /["\\\x00-\x1f\x7f-\xff]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
