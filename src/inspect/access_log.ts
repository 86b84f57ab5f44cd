// Writes a line for each request when it is over. That of a WebSocket comes when it is closed.

import type { ConnectionView, Lap, PhaseReader, Traffic } from "../connection/phases.ts";
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
  /** What a WebSocket has moved. */
  traffic: Traffic | null;
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
  const write = (entry: Entry | null) => {
    if (entry !== null) options.write(`${show(entry)}\n`);
  };
  /** When WebSockets were opened, as far as their lines are not written. */
  const opened = new WeakMap<ConnectionView, { at: number; laps: Readonly<Record<Lap, number>> }>();
  const laps = lapReader(options.now, (connection, laps) => {
    const isSocket = connection.exchange?.status === 101 && connection.exchange.traffic !== null;
    if (isSocket) opened.set(connection, { at: options.now(), laps });
    else write(entryOf(connection, durationOf(laps), options.date()));
  });
  return {
    see(connection, phase) {
      laps.see(connection, phase);
      const socket = phase === "closed" ? opened.get(connection) : undefined;
      if (socket === undefined) return;
      write(entryOf(connection, durationOf(socket.laps) + options.now() - socket.at, options.date()));
    },
  };
}

function entryOf(connection: ConnectionView, durationMs: number, date: number): Entry | null {
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
    bytes: exchange?.traffic?.bytesSent ?? exchange?.sent ?? 0,
    traffic: exchange?.traffic ?? null,
    durationMs,
    referer: head?.field("referer") ?? null,
    userAgent: head?.field("user-agent") ?? null,
  };
}

function showRemote(address: Address): string {
  return address.transport === "tcp" ? address.hostname : "unix";
}

function showShort(entry: Entry): string {
  const { remote, method, target, status, bytes, traffic, durationMs } = entry;
  const line = `${remote} ${method} ${target} ${status} ${bytes} ${durationMs.toFixed(1)} ms`;
  if (traffic === null) return line;
  const { messagesReceived, messagesSent, bytesReceived } = traffic;
  return `${line} messages=${messagesReceived}/${messagesSent} received=${bytesReceived}`;
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
    ...(entry.traffic === null ? {} : {
      messages_received: entry.traffic.messagesReceived,
      messages_sent: entry.traffic.messagesSent,
      bytes_received: entry.traffic.bytesReceived,
    }),
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
