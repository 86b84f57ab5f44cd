// Knows: buffers for bytes that leave, kept from one write to the next, in three sizes.
// Does not know: what stands in them.
// Rule: a buffer belongs to one connection from take to give; what was in it is written over, never read.

/** A head with a short body, an event of a stream: what most writes are. */
export const SMALL_BYTES = 1024;
/** Answers to pipelined requests, put together. */
export const MIDDLE_BYTES = 16 * 1024;
/** A chunk of 64 KiB with its size line and its end. */
export const LARGE_BYTES = 64 * 1024 + 16;

/** Sizes, and how many are kept of each: a megabyte of every size, about what one turn of the loop has under way. */
const SIZES = [
  { bytes: SMALL_BYTES, most: 1024, free: [] as Uint8Array[] },
  { bytes: MIDDLE_BYTES, most: 64, free: [] as Uint8Array[] },
  { bytes: LARGE_BYTES, most: 16, free: [] as Uint8Array[] },
] as const;

/**
 * Takes a buffer.
 *
 * @param least how many bytes must fit
 * @returns a buffer of the next size, or of just so many bytes where that is more than the largest
 */
export function takeBuffer(least: number): Uint8Array {
  for (const { bytes, free } of SIZES) {
    if (least <= bytes) return free.pop() ?? new Uint8Array(bytes);
  }
  return new Uint8Array(least);
}

/**
 * Gives a buffer back.
 *
 * @param buffer what `takeBuffer` gave; nobody else may hold it
 */
export function giveBuffer(buffer: Uint8Array): void {
  for (const { bytes, most, free } of SIZES) {
    if (buffer.length === bytes && free.length < most) free.push(buffer);
  }
}
