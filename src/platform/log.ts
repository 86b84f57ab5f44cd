// Formats the lines of the log.

import type { Clock, Log, Process } from "./ports.ts";

/**
 * Makes the log that writes lines to stderr: `[2026-11-22T09:00:00.000Z] [4711] [ERROR] what happened`.
 *
 * @param process its stderr and pid are used
 * @param clock its time is used
 * @returns the log
 */
export function lineLog(process: Process, clock: Clock): Log {
  return (level, message) => {
    process.stderr(`[${new Date(clock.date()).toISOString()}] [${process.pid}] [${level}] ${message}\n`);
  };
}

/**
 * Logs every error and rejection that no code catches, with its stack. From then on they do not end the process.
 *
 * @param process its errors are logged
 * @param log takes the lines
 */
export function logUncaught(process: Process, log: Log): void {
  process.onUncaught((error) => log("ERROR", `uncaught error: ${showError(error)}`));
}

/**
 * The message of an error, for a line of the log.
 *
 * @param error anything that was thrown
 * @returns its message alone
 */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Formats an error for the log, with its causes and stacks. Frames of Weft are left out of a stack that has others: the
 * application's author looks for a line of the application.
 *
 * @param error anything that was thrown
 * @param options `allFrames`: keep the frames of Weft
 * @returns several lines
 */
export function showError(error: unknown, options: { allFrames?: boolean } = {}): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}: ${String(error)}`;
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  const own = options.allFrames === true ? stack : withoutOwnFrames(stack);
  return error.cause === undefined ? own : `${own}\ncaused by ${showError(error.cause, options)}`;
}

/** URL of the directory of this package's modules. */
const OWN_ROOT = new URL("../", import.meta.url).href;
/** A frame of a stack. Only one with a URL has a file. */
const FRAME = /^ +at .*\b[a-z]+:\S*:\d+:\d+\)?$/;
/** A frame of the runtime. */
const OF_RUNTIME = /\b(?:ext|node|internal):/;

function withoutOwnFrames(stack: string): string {
  const lines = stack.split("\n");
  const isFrame = (line: string) => FRAME.test(line);
  const isOwn = (line: string) => isFrame(line) && line.includes(OWN_ROOT);
  const isApplications = (line: string) => isFrame(line) && !isOwn(line) && !OF_RUNTIME.test(line);
  return lines.some(isApplications) ? lines.filter((line) => !isOwn(line)).join("\n") : stack;
}

/**
 * Formats a path for a line of the log. A name may contain a line break or control characters that a terminal obeys.
 *
 * @param path of a file
 * @returns the path, in quotes and escaped if necessary
 */
export function pathInLine(path: string): string {
  if (path.search(CONTROL) === -1) return path;
  return JSON.stringify(path).replace(CONTROL, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Control characters and line breaks. */
// deno-lint-ignore no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g;
