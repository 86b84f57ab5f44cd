// The one voice in which the program speaks to its operator.

import type { Address, Clock, Log, Process } from "./ports.ts";

/**
 * Makes the log that writes lines to stderr: `[2026-11-22T09:00:00.000Z] [4711] [ERROR] what happened`.
 *
 * @param process whose stderr and pid
 * @param clock whose time
 * @returns the log
 */
export function lineLog(process: Process, clock: Clock): Log {
  return (level, message) => {
    process.stderr(`[${new Date(clock.date()).toISOString()}] [${process.pid}] [${level}] ${message}\n`);
  };
}

/**
 * Logs every error and rejection of this process that is not caught. From then on they do not end it.
 *
 * @param process whose errors
 * @param log takes them, with their stacks
 */
export function logUncaught(process: Process, log: Log): void {
  process.onUncaught((error) => log("ERROR", `uncaught: ${showError(error)}`));
}

/**
 * What an error says, in a line of ours.
 *
 * @param error anything that was thrown
 * @returns its message alone
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Writes an error for the log, its causes and stacks included.
 *
 * @param error anything that was thrown
 * @returns several lines
 */
export function showError(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}: ${String(error)}`;
  const own = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? own : `${own}\ncaused by ${showError(error.cause)}`;
}

/**
 * Writes a path for a line of the log: a name may have a line's end in it, or what a terminal obeys.
 *
 * @param path of a file
 * @returns the path, in quotes and escaped if it has to be
 */
export function pathInLine(path: string): string {
  if (path.search(UNSEEN) === -1) return path;
  return JSON.stringify(path).replace(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// deno-lint-ignore no-control-regex -- control characters are what it looks for
const UNSEEN = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;

/**
 * Writes an address as a URL.
 *
 * @param address where a server listens
 * @param isTls whether it speaks TLS
 * @returns a URL, or the path of a Unix socket
 */
export function showAddress(address: Address, isTls: boolean): string {
  if (address.transport === "unix") return address.path;
  const { hostname, port } = address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `${isTls ? "https" : "http"}://${host}:${port}/`;
}
