// How pieces of bytes are put together until they are worth a write.
// A piece as long as a block is not copied. A shorter one is: a copy costs a tenth of what its own write would.

/**
 * What is written at once. A write is a trip to another thread; at 64 KiB that costs more than the writing, and past this
 * little is gained.
 */
export const BLOCK_BYTES = 512 * 1024;

/** Pieces on their way to a file. */
export class Gathering {
  #block: Uint8Array | null = null;
  #used = 0;

  /**
   * Takes a piece.
   *
   * @param piece bytes that are not changed until the last step is taken
   * @returns what has to be written, each before the next step; nothing if the piece was only kept
   */
  *put(piece: Uint8Array): Generator<Uint8Array, void> {
    for (let rest = piece; rest.length > 0;) {
      if (this.#used === 0 && rest.length >= BLOCK_BYTES) {
        yield rest;
        return;
      }
      const block = this.#block ??= new Uint8Array(BLOCK_BYTES);
      const count = Math.min(rest.length, BLOCK_BYTES - this.#used);
      block.set(count === rest.length ? rest : rest.subarray(0, count), this.#used);
      this.#used += count;
      rest = rest.subarray(count);
      if (this.#used < BLOCK_BYTES) continue;
      yield block;
      this.#used = 0;
    }
  }

  /** Takes what was kept, to be written last; null if nothing was. */
  end(): Uint8Array | null {
    const last = this.#used === 0 ? null : this.#block!.subarray(0, this.#used);
    this.#block = null;
    this.#used = 0;
    return last;
  }
}
