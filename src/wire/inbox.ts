// The bytes that came and were not taken yet, in one growing buffer.
// Bytes that were given away (a body's chunk) are never written over.

/** What one packet of Ethernet brings, and so the head of most requests; ten thousand idle connections hold 15 MiB. */
export const SMALL_BUFFER_BYTES = 1536;

const NOTHING = new Uint8Array(0);

/** Small buffers of connections that have closed, for those that open next. */
const pool: Uint8Array[] = [];
/** Most kept: 1.5 MiB, what a burst of new connections asks for at once. */
const MAX_POOLED = 1024;

/** Where the bytes of one connection wait to be parsed: `bytes[at]` up to `bytes[end]` are not taken yet. */
export class Inbox {
  /** The buffer; only `at` to `end` counts. */
  bytes: Uint8Array = NOTHING;
  /** The first byte that was not taken. */
  at = 0;
  /** One past the last byte that came. */
  end = 0;
  /** True when the peer has said that no more bytes come. */
  ended = false;
  #held = false;
  #promised = false;

  /** How many bytes wait. */
  get size(): number {
    return this.end - this.at;
  }

  /**
   * Where the next bytes may be written. Bytes that wait stay contiguous, so that a head or a small body is one piece.
   * Nothing moves from here until {@linkcode Inbox.filled} tells how it ended.
   *
   * @param least how many bytes must fit, at least 1
   * @returns the free part of the buffer, `least` bytes or more
   */
  room(least: number): Uint8Array {
    this.#refusePromised();
    if (this.at === this.end && !this.#held) this.at = this.end = 0;
    if (this.bytes.length - this.end < least) {
      // Doubling keeps the copying of a head that drips in linear.
      this.#replace(Math.max(this.size + least, this.size * 2, SMALL_BUFFER_BYTES));
    }
    this.#promised = true;
    return this.end === 0 ? this.bytes : this.bytes.subarray(this.end);
  }

  /**
   * Notes that bytes were written into what {@linkcode Inbox.room} gave.
   *
   * @param count how many, 0 for none
   */
  filled(count: number): void {
    this.#promised = false;
    this.end += count;
  }

  /**
   * Takes a copy of bytes, for those that hold them already.
   *
   * @param bytes what came
   */
  put(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.room(bytes.length).set(bytes);
    this.filled(bytes.length);
  }

  /**
   * Takes an array as its buffer, without a copy if nothing waits.
   *
   * @param bytes what came, in an array that nothing else holds
   */
  adopt(bytes: Uint8Array): void {
    if (this.size > 0) return this.put(bytes);
    this.#refusePromised();
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  /** Keeps bytes that were taken from being written over, until {@linkcode Inbox.rest}. */
  hold(): void {
    this.#held = true;
  }

  /** Gives the buffer away with the bytes taken from it, if nothing else waits in it. */
  lend(): void {
    this.#refusePromised();
    this.bytes = NOTHING;
    this.at = this.end = 0;
  }

  /** Ends a hold, and lets a large buffer go when nothing waits in it: an idle connection waits with a small one. */
  rest(): void {
    this.#held = false;
    if (this.at !== this.end || this.#promised) return;
    this.at = this.end = 0;
    if (this.bytes.length !== SMALL_BUFFER_BYTES) this.bytes = NOTHING;
  }

  /** Called once, when nothing more is read: lets go of the buffer. */
  close(): void {
    if (this.bytes.length === SMALL_BUFFER_BYTES && !this.#promised && pool.length < MAX_POOLED) pool.push(this.bytes);
    this.bytes = NOTHING;
    this.at = this.end = 0;
  }

  #refusePromised(): void {
    if (this.#promised) throw new Error("the room that was given is still being written to");
  }

  #replace(length: number): void {
    const next = (length === SMALL_BUFFER_BYTES ? pool.pop() : undefined) ?? new Uint8Array(length);
    next.set(this.bytes.subarray(this.at, this.end));
    this.end = this.size;
    this.at = 0;
    this.bytes = next;
  }
}
