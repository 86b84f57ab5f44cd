// Bytes of a message whose length is announced by its sender, who must not be able to have memory for the announcement alone.

/** A message up to this length gets its array at once. */
const AT_ONCE_BYTES = 1024 * 1024;
/** A longer one grows by this factor with what has come, which bounds the copying. */
const GROWTH = 4;

const NOTHING = new Uint8Array(0);

/** An array that grows. */
export class GrowingBytes {
  /** How many bytes are in it. */
  length = 0;
  #bytes: Uint8Array<ArrayBuffer> = NOTHING;

  /** Over the bytes that are in it, and room for more. */
  get view(): DataView {
    return new DataView(this.#bytes.buffer);
  }

  /**
   * Makes room.
   *
   * @param expected bytes that are announced
   * @param options `least`: how many have to fit now; `isLast`: true if nothing is expected after them
   * @returns where they may be written, not longer than expected
   */
  room(expected: number, { least = 1, isLast }: { least?: number; isLast: boolean }): Uint8Array {
    const { length } = this;
    const end = length + expected;
    if (this.#bytes.length - length < Math.min(expected, least)) {
      const most = Math.max(AT_ONCE_BYTES, length * GROWTH, length + least);
      // Among many fragments an array of the right length would be one for each.
      this.#resize(isLast ? Math.min(end, most) : Math.min(most, Math.max(length + least, length * 2)));
    }
    return this.#bytes.subarray(length, end);
  }

  /**
   * Adds bytes.
   *
   * @param piece they are copied
   * @param options `expected`: bytes that are announced, these included; `isLast`: true if nothing is expected after them
   */
  put(piece: Uint8Array, { expected, isLast }: { expected: number; isLast: boolean }): void {
    this.room(expected, { least: piece.length, isLast }).set(piece);
    this.length += piece.length;
  }

  /** Takes all of them. They are the caller's own. */
  take(): Uint8Array {
    const { length } = this;
    const bytes = this.#bytes;
    this.clear();
    return bytes.length === length ? bytes : bytes.slice(0, length);
  }

  /** Forgets them. */
  clear(): void {
    this.#bytes = NOTHING;
    this.length = 0;
  }

  #resize(length: number): void {
    const next = new Uint8Array(length);
    if (this.length > 0) next.set(this.#bytes.subarray(0, this.length));
    this.#bytes = next;
  }
}
