// Reads messages out of the frames that a client sends (RFC 6455, sections 5 and 8.1). Strict: whatever the RFC forbids is a
// FrameError, found as soon as its bytes are here.
// No I/O: the caller asks for room, says how much came, and asks what there is next.
// The payload is unmasked in place. Bytes are copied once, into the array that the application gets. The rest of a long
// binary message is read straight into it. Text is decoded piece by piece as it comes.

import { decodeUtf8, Utf8Text } from "./utf8.ts";
import { GrowingBytes } from "./growing_bytes.ts";
import { ReadBuffer } from "./websocket_buffers.ts";
import { CLOSE, FrameError, isCloseCode, OPCODE } from "./websocket_codes.ts";
import { FrameHeader } from "./websocket_header.ts";
import { rotated, unmask } from "./websocket_mask.ts";

/** A frame of this size is worth an array of its own before all of it has come. */
const DIRECT_BYTES = 4 * 1024;
/** Most frames of a message: 4 MiB in fragments of 64 bytes are 65,536. A message in more of them is an attack. */
const MAX_FRAMES = 128 * 1024;

const NOTHING = new Uint8Array(0);

/** Inflates the messages of one connection. */
export interface Inflater {
  /**
   * Inflates one message.
   *
   * @param bytes as they came
   * @param most most bytes that it may become
   * @throws {FrameError} if it is not valid, or becomes longer
   */
  inflate(bytes: Uint8Array, most: number): Uint8Array;
}

/** What a client has sent; `text`, `bytes` and `code` of the reader have the contents. */
export type Received = "text" | "binary" | "ping" | "pong" | "close" | "needMore";

/** Limits of what a client may send. */
export interface MessageLimits {
  /** Most bytes of a message; more is a FrameError with 1009. */
  readonly maxMessageBytes: number;
}

/** Reads what one client sends. */
export class MessageReader {
  /** Of the text message or the Close frame that {@linkcode MessageReader.next} told of last. */
  text = "";
  /** Of the binary message, ping or pong that was told of last. They are the caller's own. */
  bytes: Uint8Array = NOTHING;
  /** Of the Close frame that was told of last; 1005 if it had none. */
  code = 0;

  readonly #maxMessageBytes: number;
  /** Null if compression was not negotiated. */
  readonly #inflater: Inflater | null;

  readonly #header: FrameHeader;
  readonly #buffer = new ReadBuffer();
  /** True while the room that was given is in `#whole`. Set by `room`, used by `filled`. */
  #isDirect = false;

  /** Bytes of the current frame's payload that were not taken yet; -1 between two frames. */
  #left = -1;
  /** The mask, turned to the next byte of the payload. */
  #mask = 0;
  #isFinal = true;
  /** The opcode of the message that is being read; 0 between two messages. */
  #opcode = 0;
  #isCompressed = false;
  /** The kind of the message that has ended last. Set by `#endFrame`. */
  #wasText = false;
  /** Frames and bytes of the message so far, those of the current frame included. */
  #frames = 0;
  #length = 0;
  /** The text of a message that did not come as a whole. */
  #text = new Utf8Text();
  /** Bytes of a message that did not come as a whole. */
  readonly #whole = new GrowingBytes();

  /**
   * @param limits what a client may send
   * @param inflater inflates compressed messages; null if that was not negotiated
   */
  constructor({ maxMessageBytes }: MessageLimits, inflater: Inflater | null = null) {
    this.#maxMessageBytes = maxMessageBytes;
    this.#inflater = inflater;
    this.#header = new FrameHeader(inflater !== null);
  }

  /**
   * Where the next bytes are to be written. Call it when {@linkcode MessageReader.next} needs more.
   *
   * @returns room for at least one byte
   */
  room(): Uint8Array {
    const { at, end } = this.#buffer;
    this.#isDirect = at === end && this.#left >= DIRECT_BYTES && this.#isCollecting;
    if (!this.#isDirect) return this.#buffer.room();
    return this.#whole.room(this.#left, { isLast: this.#isFinal });
  }

  /**
   * Notes what came.
   *
   * @param count bytes that were written into the room that was given last
   */
  filled(count: number): void {
    if (!this.#isDirect) return this.#buffer.filled(count);
    const whole = this.#whole;
    unmask(whole.view, whole.length, { to: whole.length + count, mask: this.#mask });
    whole.length += count;
    this.#mask = rotated(this.#mask, count);
    this.#left -= count;
  }

  /**
   * Takes bytes that came before the first read.
   *
   * @param bytes they are copied
   */
  put(bytes: Uint8Array): void {
    this.#buffer.put(bytes);
  }

  /** Lets go of the message that was told of last: the reader of an idle client would keep it, of any size, until the next. */
  letGo(): void {
    this.text = "";
    this.bytes = NOTHING;
  }

  /** Lets go of the buffers. Nothing is read any more. */
  close(): void {
    this.#buffer.close();
    this.#whole.clear();
    this.#text.clear();
  }

  /**
   * Takes the next message or control frame.
   *
   * @returns what it is, or that more bytes are needed
   * @throws {FrameError} if the client has broken the protocol; do not call it again
   */
  next(): Received {
    for (;;) {
      if (this.#left < 0) {
        const control = this.#readHeader();
        if (control !== null) return control;
      }
      const received = this.#isCollecting ? this.#collect() : this.#takeText();
      if (received !== null) return received;
    }
  }

  /** True if the payload is collected as bytes. */
  get #isCollecting(): boolean {
    return this.#opcode === OPCODE.binary || this.#isCompressed;
  }

  /** Reads a header. A control frame is taken as a whole and told of; null if a data frame begins. */
  #readHeader(): Received | null {
    const buffer = this.#buffer;
    const header = this.#header;
    if (!header.read(buffer, this.#maxMessageBytes - this.#length)) return "needMore";
    const { length, mask, opcode } = header;
    const from = buffer.at + header.size;
    if (header.isControl) {
      if (buffer.end < from + length) return "needMore";
      buffer.at = from + length;
      unmask(buffer.view, from, { to: buffer.at, mask });
      return this.#tellControl(opcode, buffer.bytes.subarray(from, buffer.at));
    }
    buffer.at = from;
    this.#mask = mask;
    this.#left = length;
    this.#isFinal = header.isFinal;
    header.isContinued = !header.isFinal;
    if (opcode !== OPCODE.continuation) {
      this.#opcode = opcode;
      this.#isCompressed = header.isCompressed;
      this.#frames = 0;
    }
    this.#length += length;
    if (++this.#frames > MAX_FRAMES) {
      throw new FrameError(CLOSE.policy, `a message has at most ${MAX_FRAMES} fragments`);
    }
    return null;
  }

  #tellControl(opcode: number, payload: Uint8Array): Received {
    const { length } = payload;
    if (opcode !== OPCODE.close) {
      this.bytes = length === 0 ? NOTHING : payload.slice();
      return opcode === OPCODE.ping ? "ping" : "pong";
    }
    if (length === 1) throw new FrameError(CLOSE.protocolError, "a Close frame has a code of two bytes, got one byte");
    this.code = length === 0 ? CLOSE.noCode : payload[0]! << 8 | payload[1]!; // In range: two bytes at least.
    if (length > 0 && !isCloseCode(this.code)) {
      throw new FrameError(CLOSE.protocolError, `the close code ${this.code} cannot be sent`);
    }
    this.text = textOf(payload.subarray(2));
    return "close";
  }

  /** Unmasks and takes what is here of the payload of a text. Null if the next frame is to be read. */
  #takeText(): Received | null {
    const piece = this.#takePiece();
    const isOver = this.#left === 0 && this.#isFinal;
    if (isOver && piece.length === this.#length) {
      this.#endFrame();
      this.text = textOf(piece);
      return "text";
    }
    if (!this.#text.add(piece)) throw notUtf8();
    if (this.#left > 0) return "needMore";
    this.#endFrame();
    if (!isOver) return null;
    if (!this.#text.isWhole) throw notUtf8();
    this.text = this.#text.text;
    this.#text.clear();
    return "text";
  }

  /** The same for bytes. */
  #collect(): Received | null {
    const piece = this.#takePiece();
    const count = piece.length;
    if (count > 0) {
      if (this.#left === 0 && this.#isFinal && count === this.#length) {
        this.#endFrame();
        return this.#tell(this.#isCompressed ? piece : piece.slice());
      }
      this.#whole.put(piece, { expected: count + this.#left, isLast: this.#isFinal });
    }
    if (this.#left > 0) return "needMore";
    const isOver = this.#isFinal;
    this.#endFrame();
    if (!isOver) return null;
    return this.#tell(this.#whole.take());
  }

  /** Unmasks and takes what is in the buffer of the payload. */
  #takePiece(): Uint8Array {
    const buffer = this.#buffer;
    const from = buffer.at;
    const to = buffer.at = Math.min(buffer.end, from + this.#left);
    const count = to - from;
    unmask(buffer.view, from, { to, mask: this.#mask });
    this.#left -= count;
    this.#mask = rotated(this.#mask, count);
    return buffer.part(from, to);
  }

  #tell(bytes: Uint8Array): Received {
    if (!this.#isCompressed) {
      this.bytes = bytes;
      return "binary";
    }
    const inflated = this.#inflater!.inflate(bytes, this.#maxMessageBytes);
    if (this.#wasText) {
      this.text = textOf(inflated);
      return "text";
    }
    this.bytes = inflated;
    return "binary";
  }

  #endFrame(): void {
    this.#left = -1;
    if (!this.#isFinal) return;
    this.#wasText = this.#opcode === OPCODE.text;
    this.#opcode = this.#length = 0;
  }
}

function textOf(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  if (text === null) throw notUtf8();
  return text;
}

function notUtf8(): FrameError {
  return new FrameError(CLOSE.badData, "the text is not UTF-8");
}
