// Gathers the bytes of answers and writes them to the socket. It is the only writer of the socket.
// Small pieces are put together, large ones are sent as they are and are never copied.

import type { Socket } from "../platform/ports.ts";
import { givePiece, MIDDLE_BYTES, type Piece, takePiece } from "./buffer_pool.ts";

/** Pieces up to this size are copied into one buffer: a copy costs less than a write of its own. */
const COPY_BYTES = 4 * 1024;

/** The same for a chunk, because its size line and its end would be two more writes. */
const CHUNK_COPY_BYTES = 64 * 1024;

const LINE_END = new Uint8Array([0x0d, 0x0a]);

/** Longest text after a header block; `digitsOf` counts no more digits. */
const MAX_BLOCK_TEXT = 99_999;

/** Up to this length a loop is quicker than a call of the encoder. */
const SHORT_TEXT = 64;

const encoder = new TextEncoder();

/** The writing side of a connection. */
export class Outbound {
  /** Bytes that the system has taken. */
  written = 0;
  /** True while the client is awaited: a write is under way. Set by `write` and `wrote`. */
  isWriting = false;
  /** True if more answers are about to follow the next one. Set by the protocol before each answer. */
  isBatch = false;

  #socket: Socket;
  /** The buffer that small pieces are copied into; null if nothing was copied since the last one was sealed. */
  #filling: Piece & { buffer: Uint8Array } | null = null;
  /** How many bytes of that buffer are used. */
  #used = 0;
  /** Pieces that wait before what is being filled; null until there is one. Most answers are one piece. */
  #queue: Piece[] | null = null;
  #sending: Piece | null = null;
  #sent = 0;
  #size = 0;
  /** The write of an interim response while it is under way. */
  #interim: Promise<void> | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** How many bytes wait to be written. */
  get size(): number {
    return this.#size;
  }

  /** True if everything that waits was copied into buffers of its own. */
  get isCopied(): boolean {
    return this.#queue === null || this.#queue.every(({ buffer }) => buffer !== null);
  }

  /**
   * Puts text that is ASCII.
   *
   * @param text what to put
   * @returns false, and nothing was put, if it is not ASCII
   */
  putAscii(text: string): boolean {
    const { length } = text;
    const target = this.#roomFor(length);
    const { read, written } = encoder.encodeInto(text, target);
    // If the room was just enough for ASCII, other text fills it too, but not all of the text was read.
    if (written !== length || read !== length) return false;
    this.#took(length);
    return true;
  }

  /**
   * Puts a head that lacks only its length, and its body.
   *
   * @param head ends before the digits of the length
   * @param body a text
   * @returns false, and nothing was put, if the text is not ASCII or very long
   */
  putBlock(head: Uint8Array, body: string): boolean {
    const { length } = body;
    if (length > MAX_BLOCK_TEXT) return false;
    let at = head.length + digitsOf(length);
    const room = this.#roomFor(at + 4 + length);
    room.set(head);
    for (let rest = length, place = at - 1; place >= head.length; place--) {
      room[place] = 0x30 + rest % 10;
      rest = (rest / 10) | 0;
    }
    room[at] = room[at + 2] = 0x0d;
    room[at + 1] = room[at + 3] = 0x0a;
    at += 4;
    if (length <= SHORT_TEXT) {
      for (let i = 0; i < length; i++) {
        const code = body.charCodeAt(i);
        if (code > 0x7f) return false;
        room[at + i] = code;
      }
    } else {
      const { read, written } = encoder.encodeInto(body, room.subarray(at));
      if (read !== length || written !== length) return false;
    }
    this.#took(at + length);
    return true;
  }

  /**
   * Puts a head: one byte a character.
   *
   * @param text characters up to U+00FF
   */
  putLatin1(text: string): void {
    if (this.putAscii(text)) return;
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    this.putBytes(bytes);
  }

  /**
   * Puts bytes; large ones are not copied and must not change until they are written.
   *
   * @param bytes what to put
   */
  putBytes(bytes: Uint8Array): void {
    if (bytes.length > COPY_BYTES) {
      this.#seal();
      this.#enqueue({ bytes, buffer: null });
      this.#size += bytes.length;
    } else if (bytes.length > 0) {
      this.#roomFor(bytes.length).set(bytes);
      this.#took(bytes.length);
    }
  }

  /**
   * Puts a chunk of a body in the chunked coding (RFC 9112, section 7.1). Up to 64 KiB it is copied into one piece: extra
   * writes for its size line and its end cost more than the copy.
   *
   * @param bytes the chunk's data, not empty
   */
  putChunk(bytes: Uint8Array): void {
    const { length } = bytes;
    const digits = length.toString(16);
    const size = digits.length + 2;
    const isCopied = length <= CHUNK_COPY_BYTES;
    const room = this.#roomFor(isCopied ? size + length + 2 : size);
    for (let i = 0; i < digits.length; i++) room[i] = digits.charCodeAt(i);
    room[size - 2] = 0x0d;
    room[size - 1] = 0x0a;
    if (!isCopied) {
      this.#took(size);
      this.putBytes(bytes);
      this.putBytes(LINE_END);
      return;
    }
    room.set(bytes, size);
    room[size + length] = 0x0d;
    room[size + length + 1] = 0x0a;
    this.#took(size + length + 2);
  }

  /**
   * Writes an interim response (1xx) before everything that waits, and after the interim response before it. Only before the
   * final head is written.
   *
   * @param bytes the whole interim response
   * @returns resolved when the system has taken it; rejected if the socket fails
   */
  writeInterim(bytes: Uint8Array): Promise<void> {
    const before = this.#interim;
    const written = before === null ? this.#writeAll(bytes) : before.then(() => this.#writeAll(bytes));
    // Another one may have begun to wait for this one.
    const interim = written.then(() => {
      if (this.#interim === interim) this.#interim = null;
    });
    return this.#interim = interim;
  }

  /**
   * Puts an interim response behind the answers that wait, or writes it at once if there are none.
   *
   * @param text the whole interim response, one byte a character
   */
  hint(text: string): void {
    if (this.#size > 0) return this.putLatin1(text);
    // If the socket fails, the next read or write tells the connection.
    this.writeInterim(Uint8Array.from(text, (character) => character.charCodeAt(0))).catch(() => {});
  }

  /**
   * Starts to write what waits. Call until it returns null, and call {@linkcode Outbound.wrote} after each write.
   *
   * @returns how many bytes the system took, or null if nothing waits
   */
  write(): Promise<number> | number | null {
    if (this.#sending === null) {
      if (this.#size === 0) return null;
      this.#sending = this.#queue === null || this.#queue.length === 0
        ? this.#takeFilled()
        : this.#nextPiece(this.#queue);
      this.#sent = 0;
    }
    this.isWriting = true;
    const { bytes } = this.#sending;
    const rest = this.#sent === 0 ? bytes : bytes.subarray(this.#sent);
    return this.#interim === null ? this.#socket.write(rest) : this.#interim.then(() => this.#socket.write(rest));
  }

  /**
   * Notes the end of a write.
   *
   * @param count what the promise of {@linkcode Outbound.write} gave
   */
  wrote(count: number): void {
    const piece = this.#sending!;
    this.isWriting = false;
    this.written += count;
    this.#size -= count;
    this.#sent += count;
    if (this.#sent < piece.bytes.length) return;
    this.#sending = null;
    givePiece(piece);
  }

  #roomFor(length: number): Uint8Array {
    if (this.#filling !== null && this.#filling.buffer.length - this.#used < length) this.#seal();
    if (this.#filling === null) {
      const isAlone = this.#size === 0 && !this.isBatch;
      this.#filling = takePiece(isAlone ? length : Math.max(length, MIDDLE_BYTES));
    }
    const { buffer } = this.#filling;
    return this.#used === 0 ? buffer : buffer.subarray(this.#used);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }

  /** Notes that `length` bytes were put into the room that was given last. */
  #took(length: number): void {
    this.#used += length;
    this.#size += length;
  }

  #nextPiece(queue: Piece[]): Piece {
    this.#seal();
    return queue.shift()!;
  }

  #enqueue(piece: Piece): void {
    (this.#queue ??= []).push(piece);
  }

  /** Ends the current buffer; what follows goes into another one. */
  #seal(): void {
    if (this.#used > 0) this.#enqueue(this.#takeFilled());
    else if (this.#filling !== null) givePiece(this.#filling);
    this.#filling = null;
  }

  #takeFilled(): Piece {
    const filled = this.#filling!;
    const used = this.#used;
    this.#filling = null;
    this.#used = 0;
    // The last answer in this buffer often had the same length. Then its view is used again.
    return filled.bytes.length === used ? filled : { bytes: filled.buffer.subarray(0, used), buffer: filled.buffer };
  }
}

function digitsOf(length: number): number {
  return length < 10 ? 1 : length < 100 ? 2 : length < 1000 ? 3 : length < 10_000 ? 4 : 5;
}
