// Remembers the heads of answers that repeat the same status and fields.
// A security policy, for example, adds the same ten fields to each answer. To compare them costs less than to write them anew.

import type { Answer } from "../wire/answer.ts";
import { HeadBlock } from "../wire/head_block.ts";

type Fields = Answer["fields"];

/** How many different heads are remembered: an application has a few, and each may have some kilobytes. */
const PLACES = 16;

/** The head that was sent last of those that belong in one place. */
interface Seen {
  readonly status: number;
  readonly fields: Fields;
  /** Its block; "unknown" until the head was sent twice in a row; "none" if it cannot have a block. */
  readonly block: HeadBlock | "unknown" | "none";
}

const seen: (Seen | undefined)[] = new Array(PLACES).fill(undefined);

/** Names that the connection has to look at. An answer with one of them has no block. */
const FOR_CONNECTION = /^(?:connection|content-length|date|keep-alive|transfer-encoding|upgrade)$/i;

/**
 * Finds the head of an answer with a body, if the last answer of its kind had the same status and fields.
 *
 * @param status a status code from 200
 * @param fields the answer's fields; the caller may change them later
 * @returns the head, or null if it has to be written
 */
export function blockOfRepeated(status: number, fields: Fields): HeadBlock | null {
  let sum = status + fields.length;
  for (const [, value] of fields) sum += value.length;
  const place = sum % PLACES;
  const last = seen[place];
  if (last === undefined || last.status !== status || !isSame(last.fields, fields)) {
    seen[place] = { status, fields, block: "unknown" };
    return null;
  }
  if (last.block === "unknown") {
    const copy = fields.map(([name, value]) => [name, value] as const);
    const block = fields.some(([name]) => FOR_CONNECTION.test(name)) ? "none" : new HeadBlock(status, copy);
    seen[place] = { status, fields: copy, block };
    return block === "none" ? null : block;
  }
  return last.block === "none" ? null : last.block;
}

function isSame(one: Fields, other: Fields): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) {
    const [name, value] = one[i]!;
    if (name !== other[i]![0] || value !== other[i]![1]) return false;
  }
  return true;
}
