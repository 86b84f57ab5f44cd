// The buffers that small frames are put together in. What was sent of one is used again.

/** Buffers that are kept for later messages, in bytes of all of them. */
const MAX_KEPT_BYTES = 8 * 1024 * 1024;

/** Bytes to be written. A frame that many sockets send is one piece for all of them. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** How many of them are payload. */
  readonly payload: number;
}

/** A buffer for small frames. It is its own piece, so that a small message makes nothing new. */
export class Slab implements Piece {
  readonly whole: Uint8Array;
  /** What is sent of it. The next part often has the same length. */
  bytes: Uint8Array;
  payload = 0;

  constructor(size: number) {
    this.whole = this.bytes = new Uint8Array(size);
  }

  /** Ends it: the first bytes are sent. */
  seal(length: number, payload: number): this {
    if (this.bytes.length !== length) this.bytes = this.whole.subarray(0, length);
    this.payload = payload;
    return this;
  }
}

/** Buffers that wait for a message, by the bits of their size. */
const pools: Slab[][] = Array.from({ length: 32 }, () => []);
let keptBytes = 0;

/**
 * Takes a buffer.
 *
 * @param length bytes that it has to hold
 * @param leastBits its size is at least the power of two with this exponent
 * @returns one that is empty
 */
export function takeSlab(length: number, leastBits: number): Slab {
  const bits = Math.max(leastBits, 32 - Math.clz32(length - 1));
  const slab = pools[bits]?.pop();
  if (slab === undefined) return new Slab(2 ** bits);
  keptBytes -= slab.whole.length;
  return slab;
}

/**
 * Gives a buffer back. Nothing may read from it any more.
 *
 * @param slab it is kept for later, unless enough are
 */
export function giveSlab(slab: Slab): void {
  const { length } = slab.whole;
  if (keptBytes + length > MAX_KEPT_BYTES) return;
  keptBytes += length;
  pools[31 - Math.clz32(length)]?.push(slab);
}
