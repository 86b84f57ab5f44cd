// How people write sizes, times, counts and switches.

import { isPort } from "../platform/address.ts";

/** A value that cannot be read; the message says what was expected and what came. */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

// Maps, because an object has entries that are not in its literal, such as "constructor".
const SIZE_UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["k", 1024],
  ["kib", 1024],
  ["m", 1024 ** 2],
  ["mib", 1024 ** 2],
  ["g", 1024 ** 3],
  ["gib", 1024 ** 3],
]);

const TIME_UNITS: ReadonlyMap<string, number> = new Map([
  ["", 1000],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Reads a size.
 *
 * @param text such as `64KiB`, `1g` or `0`
 * @returns bytes
 * @throws {BadValue} if it is none
 */
export function readSize(text: string): number {
  const [, figure, unit = ""] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const factor = SIZE_UNITS.get(unit.toLowerCase());
  if (figure === undefined || factor === undefined) {
    throw new BadValue(`expected a size such as 64KiB, 10m or 1g, got "${text}"`);
  }
  return Math.round(Number(figure) * factor);
}

/**
 * Reads a time.
 *
 * @param text seconds, or with a unit: `200ms`, `10s`, `5m`, `1h`
 * @returns milliseconds
 * @throws {BadValue} if it is none
 */
export function readTime(text: string): number {
  const [, figure, unit = ""] = /^(\d+(?:\.\d+)?)\s*(|ms|s|m|h)$/i.exec(text.trim()) ?? [];
  const factor = TIME_UNITS.get(unit.toLowerCase());
  if (figure === undefined || factor === undefined) {
    throw new BadValue(`expected seconds, or a time such as 200ms, 10s, 5m or 1h, got "${text}"`);
  }
  return Number(figure) * factor;
}

/**
 * Reads a whole number.
 *
 * @param text digits
 * @returns the number
 * @throws {BadValue} if it is none
 */
export function readCount(text: string): number {
  if (!/^\d{1,15}$/.test(text.trim())) throw new BadValue(`expected a whole number from 0, got "${text}"`);
  return Number(text);
}

/** More processes would be a mistake of typing. */
const MAX_PROCESSES = 1024;

/**
 * Reads a number of processes.
 *
 * @param text digits; `auto` is its caller's to know
 * @returns 0 to 1024
 * @throws {BadValue} if it is none
 */
function readProcesses(text: string): number {
  const count = /^\d{1,4}$/.test(text.trim()) ? Number(text) : NaN;
  if (!(count <= MAX_PROCESSES)) {
    throw new BadValue(`expected a whole number from 0 to ${MAX_PROCESSES}, or auto, got "${text}"`);
  }
  return count;
}

/**
 * Reads an address to listen on.
 *
 * @param text without a port
 * @returns the text
 * @throws {BadValue} if it has a port
 */
function readHost(text: string): string {
  const [, host, port] = /^([^:]+|\[.*\]):(\d+)$/.exec(text) ?? [];
  if (host === undefined) return text;
  throw new BadValue(`expected an address without a port, got "${text}"; type --host ${host} --port ${port}`);
}

/**
 * Shows the words that may be chosen from.
 *
 * @param words two at least
 * @returns such as `auto, whole or stream`
 */
export function oneOf(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

/**
 * Reads a port.
 *
 * @param text digits
 * @returns 0 to 65535
 * @throws {BadValue} if it is none
 */
export function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text.trim()) ? Number(text) : NaN;
  if (!isPort(port)) throw new BadValue(`expected a port from 0 to 65535, got "${text}"`);
  return port;
}

/**
 * Reads a switch, as a variable gives it.
 *
 * @param text `1`, `true`, `yes`, `on`, or `0`, `false`, `no`, `off` or nothing
 * @returns whether it is on
 * @throws {BadValue} if it is neither
 */
export function readSwitch(text: string): boolean {
  const word = text.trim().toLowerCase();
  if (["1", "true", "yes", "on"].includes(word)) return true;
  if (["", "0", "false", "no", "off"].includes(word)) return false;
  throw new BadValue(`expected 1 or 0, got "${text}"`);
}

/** Reads each kind of value. */
export const READERS = {
  switch: readSwitch,
  port: readPort,
  host: readHost,
  count: readCount,
  rate: readCount,
  size: readSize,
  time: readTime,
  processes: (text: string): number | "auto" => text === "auto" ? text : readProcesses(text),
  text: (text: string): string => text,
  path: readPath,
};

/** A kind of value. */
export type ValueKind = keyof typeof READERS;

/** What a value of a kind is once it is read. */
export type ValueOfKind<Kind extends ValueKind> = ReturnType<typeof READERS[Kind]>;

function readPath(text: string): string {
  if (text === "") throw new BadValue("expected a path, got an empty one");
  return text;
}
