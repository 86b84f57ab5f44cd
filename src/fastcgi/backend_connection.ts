// A connection to a FastCGI backend: writes whole records, reads what comes into a buffer of its own.

import { giveBuffer, LARGE_BYTES, MIDDLE_BYTES, takeBuffer } from "../connection/buffer_pool.ts";
import type { Socket } from "../platform/ports.ts";
import { RecordReader } from "../wire/fastcgi_records.ts";

/** A connection that was opened. It carries one request at a time. */
export class BackendConnection {
  /** Reads the records in the buffer. */
  readonly reader: RecordReader = new RecordReader();
  /** Requests that were answered over it. Changed by the pool. */
  answered = 0;

  #socket: Socket;
  /** What was read last stands here. Grows if an answer is long. */
  #buffer: Uint8Array = takeBuffer(MIDDLE_BYTES);
  /** The read that is under way, or that a request has not asked for yet; null if there is none. */
  #reading: Promise<number | null> | null = null;
  /** True if the last read has filled the buffer. */
  #isFull = false;
  #isClosed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** The bytes that the reader's events point into. They may be moved about, and change with the next `read`. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /**
   * Writes bytes.
   *
   * @param bytes do not change until they are written
   * @param onTaken called when the system has taken some of them
   */
  async write(bytes: Uint8Array, onTaken: () => void): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      at += await this.#socket.write(at === 0 ? bytes : bytes.subarray(at));
      onTaken();
    }
  }

  /**
   * Reads what comes next, and gives it to the reader, which must have read all that came before.
   *
   * @returns false at the end of file
   */
  async read(): Promise<boolean> {
    if (this.#isFull && this.#reading === null) this.#grow();
    this.#reading ??= this.#socket.read(this.#buffer);
    const count = await this.#reading;
    this.#reading = null;
    if (count === null || count === 0) return false;
    this.#isFull = count === this.#buffer.length;
    this.reader.put(this.#buffer, 0, count);
    return true;
  }

  /**
   * Reads ahead while no request needs the connection. A backend has nothing to say then, but it may close.
   *
   * @param onEnd called if anything comes
   */
  watch(onEnd: () => void): void {
    this.#reading ??= this.#socket.read(this.#buffer);
    this.#reading.then(onEnd, onEnd);
  }

  /** Reads with a larger buffer from now on. All that was read must have been used. */
  #grow(): void {
    if (this.#buffer.length >= LARGE_BYTES) return;
    giveBuffer(this.#buffer);
    this.#buffer = takeBuffer(LARGE_BYTES);
  }

  /**
   * Closes the socket. A read or a write that is under way is rejected. May be called again.
   *
   * @param isBufferFree true if nothing uses what was read any more: a client that is cut off may still be sent a part of it
   */
  close(isBufferFree: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
    // The system may still write to the buffer of a read that is under way.
    if (isBufferFree && this.#reading === null) giveBuffer(this.#buffer);
  }
}
