// How a field's value is followed by parameters: `form-data; name="a"; filename="b.txt"` (RFC 9110, section 5.6.6).
// A parameter that is given twice has no value that everybody would agree on.

import { TCHAR } from "../wire/octets.ts";

/** A value and its parameters. */
export interface Parameterized {
  /** What stands before the first semicolon, in lower case. */
  readonly value: string;
  /** By names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const NAME = new RegExp(`[${TCHAR}]+`, "y");
const PLAIN_VALUE = /[^\s;",]*/y;
const SPACE = /[ \t]*/y;
/** What follows the closing quote of a file's name: the end, or the next parameter. */
const BEHIND_NAME = new RegExp(`[ \\t]*(?:$|;[ \\t]*(?:$|;|[${TCHAR}]+=))`, "y");

/**
 * Reads a value with parameters.
 *
 * @param text the field's value
 * @returns what it says, or null if it is malformed
 */
export function readParameters(text: string): Parameterized | null {
  return read(text, (_, from) => endOfQuoted(text, from));
}

/**
 * Reads a value whose parameter `filename` may have quotes inside its quotes. Internet Explorer and Firefox up to 3.6 sent
 * names so. A quote closes the name if the next parameter, or the end, follows.
 *
 * @param text the field's value
 * @returns what it says, or null if it is malformed in another way
 */
export function readLooseParameters(text: string): Parameterized | null {
  return read(text, (name, from) => name === "filename" ? endOfLoose(text, from) : endOfQuoted(text, from));
}

function read(text: string, endOf: (name: string, from: number) => number): Parameterized | null {
  const first = text.indexOf(";");
  const value = (first < 0 ? text : text.slice(0, first)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  for (let at = first < 0 ? text.length : first; at < text.length;) {
    if (text[at] !== ";") return null;
    at = skip(text, at + 1, SPACE);
    if (at === text.length || text[at] === ";") continue;
    const name = text.slice(at, skip(text, at, NAME)).toLowerCase();
    at += name.length;
    if (name === "" || text[at] !== "=" || parameters.has(name)) return null;
    at++;
    if (text[at] === '"') {
      const end = endOf(name, at + 1);
      if (end < 0) return null;
      parameters.set(name, unquote(text.slice(at + 1, end)));
      at = end + 1;
    } else {
      const end = skip(text, at, PLAIN_VALUE);
      parameters.set(name, text.slice(at, end));
      at = end;
    }
    at = skip(text, at, SPACE);
  }
  return { value, parameters };
}

function skip(text: string, at: number, what: RegExp): number {
  what.lastIndex = at;
  return what.test(text) ? what.lastIndex : at;
}

/** The place of the closing quote; -1 if there is none. */
function endOfQuoted(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return at;
    if (text[at] === "\\" && (text[at + 1] === '"' || text[at + 1] === "\\")) at++;
  }
  return -1;
}

/** The place of the first quote that closes the name; -1 if there is none. */
function endOfLoose(text: string, from: number): number {
  for (let at = endOfQuoted(text, from); at >= 0; at = endOfQuoted(text, at + 1)) {
    BEHIND_NAME.lastIndex = at + 1;
    if (BEHIND_NAME.test(text)) return at;
  }
  return -1;
}

/** Only a quote and a backslash are escaped by a backslash: a path of Windows, sent as it stands, keeps the others. */
function unquote(text: string): string {
  return text.replace(/\\(["\\])/g, "$1");
}
