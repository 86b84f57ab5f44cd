// What one socket sends: frames wait here until the system has taken them. Small ones are put together, so that what is sent
// while a write is under way goes out with the next one. A frame that was made for many sockets is not copied.

import { OPCODE } from "../wire/websocket_codes.ts";
import { headerLength, MAX_HEADER_BYTES, textFrame, writeHeader, writeText } from "../wire/websocket_writer.ts";
import { giveSlab, type Piece, Slab, takeSlab } from "./slabs.ts";
import type { Writer, WriteTurns } from "./write_turns.ts";

/** The size of a buffer is a power of two. The smallest is for a message alone, the next for those that wait together. */
const ALONE_BITS = 11;
const TOGETHER_BITS = 14;
/** A longer message gets an array of its own. */
const MAX_SLAB_BYTES = 2 * 1024 * 1024;
/** Up to this length a frame is put together with others: a copy costs less than a write of its own. */
const COPY_BYTES = 2 * 1024;

/** A longer text is encoded again: it would be kept for nothing. */
const MAX_KEPT_TEXT = 64 * 1024;
/** The text that was sent last and, if it was sent more than once, its frame: a broadcast is encoded once. */
let lastText = "";
let lastFrame: Piece | null = null;

/** Where the bytes go. */
export interface Sink {
  /** Writes at least one byte and gives their number. */
  write(bytes: Uint8Array): Promise<number> | number;
}

/** Told of the end of writes. */
export interface OutgoingEvents {
  /** Nothing waits any more. */
  emptied(): void;
  /** A write has failed. Called once. */
  failed(error: unknown): void;
}

/** What a socket sends. */
export class Outgoing implements Writer {
  /** Bytes that the system has taken. */
  written = 0;

  readonly #sink: Sink;
  readonly #told: OutgoingEvents;
  readonly #turns: WriteTurns;
  #slab: Slab | null = null;
  #used = 0;
  #slabPayload = 0;
  /** The piece that is sent next, and those after it; the slab comes last. */
  #next: Piece | null = null;
  #queue: Piece[] = [];
  /** What is being written, and how much of it is gone; null if no write is under way. */
  #sending: Piece | null = null;
  #sent = 0;
  /** Bytes that wait, and payload of pieces that wait or are being written. */
  #size = 0;
  #payload = 0;
  #isCorked = false;
  /** True while the next write waits for its turn. */
  #isInLine = false;
  /** True once a write has failed: nothing is written any more. */
  #hasFailed = false;
  /** Resolved when so few bytes are left; null if nothing waits for it. */
  #awaited: { readonly most: number; readonly resolve: () => void } | null = null;

  /**
   * @param sink where the bytes go
   * @param options `told`: told of the end of writes; `turns`: say when a write may begin
   */
  constructor(sink: Sink, { told, turns }: { told: OutgoingEvents; turns: WriteTurns }) {
    this.#sink = sink;
    this.#told = told;
    this.#turns = turns;
  }

  /** Bytes that the system has not taken. */
  get size(): number {
    return this.#size;
  }

  /** The payload among them. */
  get payload(): number {
    const sending = this.#sending;
    if (sending === null) return this.#payload;
    return this.#payload - sending.payload + Math.min(sending.payload, sending.bytes.length - this.#sent);
  }

  /** Puts a text message. */
  putText(text: string): void {
    if (this.#hasFailed) return;
    const { length } = text;
    if (length > 0 && text === lastText) {
      return this.#putFrame(lastFrame ??= pieceOf(textFrame(text)));
    }
    if (length <= MAX_KEPT_TEXT) {
      lastText = text;
      lastFrame = null;
    }
    const most = length * 3 + MAX_HEADER_BYTES;
    if (most > MAX_SLAB_BYTES) return this.#putFrame(pieceOf(textFrame(text)));
    const room = this.#roomFor(most);
    const frame = writeText(room, text);
    this.#took(frame, frame - headerOf(frame));
  }

  /**
   * Puts a message or a control frame.
   *
   * @param first the first byte of the frame
   * @param payload what it carries; it is copied
   */
  putBytes(first: number, payload: Uint8Array): void {
    if (this.#hasFailed) return;
    const { length } = payload;
    const header = headerLength(length);
    const whole = header + length;
    // What an application has sent is snapped at once: it may change the array afterwards.
    const room = whole > MAX_SLAB_BYTES ? new Uint8Array(whole) : this.#roomFor(whole);
    writeHeader(room, first, length);
    room.set(payload, header);
    const counted = (first & 0x0f) < OPCODE.close ? length : 0;
    if (whole > MAX_SLAB_BYTES) this.#push({ bytes: room, payload: counted });
    else this.#took(whole, counted);
  }

  /** Called after a read. Writes nothing until `uncork`, so that everything until then goes out together. */
  cork(): void {
    this.#turns.haveRead();
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.flush();
  }

  /** Begins to write what waits. */
  flush(): void {
    if (this.#isCorked || this.#isInLine || this.#sending !== null || this.#size === 0 || this.#hasFailed) return;
    if (!this.#turns.begin(this)) {
      this.#isInLine = true;
      return;
    }
    const piece = this.#next ?? this.#seal();
    this.#next = this.#queue.length === 0 ? null : this.#queue.shift()!;
    this.#sending = piece;
    this.#sent = 0;
    this.#write(piece.bytes);
  }

  #write(bytes: Uint8Array): void {
    Promise.resolve(this.#sink.write(bytes)).then(this.#onWritten, this.#onBroken);
  }

  /** Called by the turns when this socket may write. */
  goOn(): void {
    this.#isInLine = false;
    this.flush();
  }

  /**
   * Waits until little is left.
   *
   * @param most bytes that may be left
   * @returns resolved when it is so, or when a write has failed; one wait at a time
   */
  until(most: number): Promise<void> {
    if (this.#size <= most || this.#hasFailed) return Promise.resolve();
    return new Promise((resolve) => this.#awaited = { most, resolve });
  }

  /** Gives everything up. */
  abandon(): void {
    this.#hasFailed = true;
    this.#next = null;
    this.#queue.length = 0;
    this.#slab = null;
    this.#used = this.#size = this.#payload = 0;
    // The runtime may still read from it, so its slab is not given back.
    this.#sending = null;
    this.#awaited?.resolve();
    this.#awaited = null;
  }

  #putFrame(frame: Piece): void {
    const { bytes, payload } = frame;
    // Among other small frames a copy is cheaper than a write of its own. Until `uncork`, others may follow.
    if ((this.#size > 0 || this.#isCorked) && bytes.length <= COPY_BYTES) {
      this.#slabFor(bytes.length).whole.set(bytes, this.#used);
      this.#took(bytes.length, payload);
    } else this.#push(frame);
  }

  #push(piece: Piece): void {
    if (this.#used > 0) this.#enqueue(this.#seal());
    this.#enqueue(piece);
    this.#size += piece.bytes.length;
    this.#payload += piece.payload;
  }

  #enqueue(piece: Piece): void {
    if (this.#next === null) this.#next = piece;
    else this.#queue.push(piece);
  }

  #roomFor(length: number): Uint8Array {
    const { whole } = this.#slabFor(length);
    return this.#used === 0 ? whole : whole.subarray(this.#used);
  }

  /** Gives a slab that has so much room after what is used of it. */
  #slabFor(length: number): Slab {
    if (this.#slab !== null && this.#slab.whole.length - this.#used < length) {
      if (this.#used > 0) this.#enqueue(this.#seal());
      else {
        giveSlab(this.#slab);
        this.#slab = null;
      }
    }
    return this.#slab ??= takeSlab(length, this.#size === 0 ? ALONE_BITS : TOGETHER_BITS);
  }

  #took(length: number, payload: number): void {
    this.#used += length;
    this.#slabPayload += payload;
    this.#size += length;
    this.#payload += payload;
  }

  /** Ends the slab; what follows goes into another one. */
  #seal(): Slab {
    const slab = this.#slab!; // Called only if bytes wait that are in no piece.
    slab.seal(this.#used, this.#slabPayload);
    this.#slab = null;
    this.#used = this.#slabPayload = 0;
    return slab;
  }

  #onWritten = (count: number): void => {
    this.written += count;
    const piece = this.#sending;
    if (piece === null) return;
    this.#sent += count;
    this.#size -= count;
    if (this.#sent < piece.bytes.length) {
      this.#write(piece.bytes.subarray(this.#sent));
      return;
    }
    this.#sending = null;
    this.#payload -= piece.payload;
    if (piece instanceof Slab) giveSlab(piece);
    if (this.#size === 0) this.#told.emptied();
    this.flush();
    if (this.#awaited === null || this.#size > this.#awaited.most) return;
    this.#awaited.resolve();
    this.#awaited = null;
  };

  #onBroken = (error: unknown): void => {
    if (this.#hasFailed) return;
    this.abandon();
    this.#told.failed(error);
  };
}

function pieceOf(frame: Uint8Array): Piece {
  return { bytes: frame, payload: frame.length - headerOf(frame.length) };
}

/** The header's share of a whole frame. */
function headerOf(frame: number): number {
  return frame < 128 ? 2 : frame < 0x1_0004 ? 4 : MAX_HEADER_BYTES;
}
