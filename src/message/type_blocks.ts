// The heads of answers 200 that have no field but their type: most answers of most applications.

import { HeadBlock } from "../wire/head_block.ts";

/** The type of a text. */
export const TEXT = "text/plain;charset=UTF-8";

/** The head of an answer without a type. */
export const NO_FIELDS = new HeadBlock(200, []);
/** The head of a text. */
export const TEXT_FIELDS = new HeadBlock(200, [["content-type", TEXT]]);
const typeBlocks = new Map<string, HeadBlock>();

/** Most content types remembered: an application has a handful; one that makes them up must not fill memory. */
const MAX_TYPES = 64;

/**
 * Finds the head of another type.
 *
 * @param type the value of content-type
 * @returns the head, the same for each answer while not too many types are in use
 */
export function blockOfType(type: string): HeadBlock {
  const known = typeBlocks.get(type);
  if (known !== undefined) return known;
  const block = new HeadBlock(200, [["content-type", type]]);
  if (typeBlocks.size < MAX_TYPES) typeBlocks.set(type, block);
  return block;
}

/**
 * Tells whether an answer was sent with a type, so that its letters need no second look.
 *
 * @param type the value of content-type
 * @returns true if it is remembered
 */
export function isKnownType(type: string): boolean {
  return typeBlocks.has(type);
}
