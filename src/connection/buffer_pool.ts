// Buffers for outgoing bytes, kept from one write to the next, in three sizes.
// A buffer belongs to one connection from take to give. Old content is written over, never read.

/** A head with a short body, an event of a stream: what most writes are. */
export const SMALL_BYTES = 1024;
/** Answers to pipelined requests, put together. */
export const MIDDLE_BYTES = 16 * 1024;
/** A chunk of 64 KiB with its size line and its end. */
export const LARGE_BYTES = 64 * 1024 + 16;

/** How many of each size are kept: a megabyte each, about what one turn of the event loop uses. */
const MOST_SMALL = 1024;
const MOST_MIDDLE = 64;
const MOST_LARGE = 16;

/** Bytes to be written, and the pooled buffer that holds them, to be given back afterwards; null if there is none. */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly buffer: Uint8Array | null;
}

type Filled = Piece & { readonly buffer: Uint8Array };

/** Small buffers, each with the view that was sent last. The next answer often has the same length and needs no new view. */
const pieces: Filled[] = [];
const small: Uint8Array[] = [];
const middle: Uint8Array[] = [];
const large: Uint8Array[] = [];

/**
 * Takes a buffer.
 *
 * @param least how many bytes must fit
 * @returns a buffer of the next size, or a new one if that is more than the largest
 */
export function takeBuffer(least: number): Uint8Array {
  if (least <= SMALL_BYTES) return small.pop() ?? new Uint8Array(SMALL_BYTES);
  if (least <= MIDDLE_BYTES) return middle.pop() ?? new Uint8Array(MIDDLE_BYTES);
  if (least <= LARGE_BYTES) return large.pop() ?? new Uint8Array(LARGE_BYTES);
  return new Uint8Array(least);
}

/**
 * Gives a buffer back.
 *
 * @param buffer what `takeBuffer` returned; nothing else may hold it
 */
export function giveBuffer(buffer: Uint8Array): void {
  const { length } = buffer;
  if (length === SMALL_BYTES) {
    if (small.length < MOST_SMALL) small.push(buffer);
  } else if (length === MIDDLE_BYTES) {
    if (middle.length < MOST_MIDDLE) middle.push(buffer);
  } else if (length === LARGE_BYTES && large.length < MOST_LARGE) large.push(buffer);
}

/**
 * Takes a buffer to be filled and sent.
 *
 * @param least how many bytes must fit
 * @returns the buffer; its view may show any part of it
 */
export function takePiece(least: number): Filled {
  const piece = least <= SMALL_BYTES ? pieces.pop() : undefined;
  if (piece !== undefined) return piece;
  const buffer = takeBuffer(least);
  return { bytes: buffer, buffer };
}

/**
 * Gives back a piece that was sent.
 *
 * @param piece of {@linkcode takePiece}, or one without a buffer; nothing else may hold it
 */
export function givePiece(piece: Piece): void {
  const { buffer } = piece;
  if (buffer === null) return;
  if (buffer.length > SMALL_BYTES) giveBuffer(buffer);
  else if (pieces.length < MOST_SMALL) pieces.push(piece as Filled);
}
