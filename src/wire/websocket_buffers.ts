// The buffers that sockets read into. A socket that waits pins its buffer, so an idle one waits with a small one.

/** For sockets that idle: ten thousand of them pin 10 MiB. */
const SMALL_BYTES = 1024;
/** For those that are busy: as much as one read of the system brings. */
const LARGE_BYTES = 64 * 1024;

/**
 * After so many reads in a row that fit into a small buffer, a socket is not busy any more. The end of a message often comes
 * alone, and a message of 1,030 bytes must not take a small buffer and a large one in turn.
 */
const QUIET_READS = 4;

/** Large buffers that may be in use: 8 MiB. A busy socket without one reads its payloads straight into their arrays. */
const MAX_LARGE = 128;

const NOTHING = new Uint8Array(0);

const pool: Uint8Array[] = [];
/** How many large buffers are in use. */
let lent = 0;

/** What one socket reads into. */
export class ReadBuffer {
  bytes: Uint8Array = NOTHING;
  /** Over the same bytes. */
  view: DataView = new DataView(NOTHING.buffer);
  /** The first byte that was not taken. Changed by the reader. */
  at = 0;
  /** One past the last byte that came. */
  end = 0;
  /** Reads since the last one that needed more than a small buffer. Changed by `filled`. */
  #quietReads = QUIET_READS;
  /** True if the bytes are of the pool. */
  #isLarge = false;
  /** The part that was asked for last. Messages of one socket often have the same length and place. */
  #part: Uint8Array = NOTHING;

  /**
   * Where the next bytes may be written. What was not taken moves to the front.
   *
   * @returns room for a header and a control frame at least, if no more than such a frame waits
   */
  room(): Uint8Array {
    if (this.at === this.end) {
      this.at = this.end = 0;
      this.#choose();
      return this.bytes;
    }
    if (this.at > 0) {
      this.bytes.copyWithin(0, this.at, this.end);
      this.end -= this.at;
      this.at = 0;
    }
    return this.bytes.subarray(this.end);
  }

  /**
   * Notes what came.
   *
   * @param count bytes that were written into the room that was given last
   */
  filled(count: number): void {
    const isBusy = count > SMALL_BYTES || count === this.bytes.length - this.end;
    this.#quietReads = isBusy ? 0 : this.#quietReads + 1;
    this.end += count;
  }

  /**
   * Takes bytes that came before the first read.
   *
   * @param bytes they are copied
   */
  put(bytes: Uint8Array): void {
    this.#use(new Uint8Array(Math.max(SMALL_BYTES, bytes.length)));
    this.bytes.set(bytes);
    this.end = bytes.length;
  }

  /**
   * A part of the bytes, valid until they change.
   *
   * @param from the first
   * @param to one past the last
   * @returns a view of them
   */
  part(from: number, to: number): Uint8Array {
    const part = this.#part;
    if (part.buffer === this.bytes.buffer && part.byteOffset === from && part.length === to - from) return part;
    return this.#part = this.bytes.subarray(from, to);
  }

  /** Lets go of the bytes. */
  close(): void {
    this.#letGo();
    this.#use(NOTHING);
    this.#part = NOTHING;
    this.at = this.end = 0;
  }

  /** Chooses a buffer for what comes next. The current one holds nothing. */
  #choose(): void {
    const { length } = this.bytes;
    const isBusy = this.#quietReads < QUIET_READS;
    if (isBusy ? this.#isLarge : length === SMALL_BYTES) return;
    if (isBusy && lent < MAX_LARGE) {
      lent++;
      this.#use(pool.pop() ?? new Uint8Array(LARGE_BYTES));
      this.#isLarge = true;
    } else if (length !== SMALL_BYTES) {
      this.#letGo();
      this.#use(new Uint8Array(SMALL_BYTES));
    }
  }

  #letGo(): void {
    if (!this.#isLarge) return;
    this.#isLarge = false;
    lent--;
    pool.push(this.bytes);
  }

  #use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer);
  }
}
