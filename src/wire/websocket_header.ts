// The header of a frame that a client sends (RFC 6455, section 5.2). What is wrong with it is found as soon as it is here.

import type { ReadBuffer } from "./websocket_buffers.ts";
import { CLOSE, COMPRESSED, FINAL, FrameError, OPCODE } from "./websocket_codes.ts";

/** Section 5.5. */
const MAX_CONTROL_BYTES = 125;
/** Bits that no negotiated extension uses. */
const RESERVED = 0x70;
/** The first bit of the second byte: the frame is masked. */
const MASKED = 0x80;
/** Short lengths that announce one of two or eight bytes. */
const TWO_BYTES = 126;

/** The header that was read last. */
export class FrameHeader {
  opcode = 0;
  isFinal = true;
  isCompressed = false;
  /** Bytes of the payload. */
  length = 0;
  /** The mask as one number; its lowest byte is for the first byte of the payload. */
  mask = 0;
  /** Bytes of the header itself. */
  size = 0;
  /** True in the middle of a fragmented message. Set by the reader. */
  isContinued = false;

  readonly #mayCompress: boolean;

  /** @param mayCompress true if the compression of messages was negotiated */
  constructor(mayCompress: boolean) {
    this.#mayCompress = mayCompress;
  }

  get isControl(): boolean {
    return this.opcode >= OPCODE.close;
  }

  /**
   * Reads a header at the beginning of what a buffer holds, and leaves it there.
   *
   * @param buffer what came
   * @param most most bytes of a data frame
   * @returns false if more bytes are needed
   * @throws {FrameError} if it is wrong
   */
  read({ view, at, end }: ReadBuffer, most: number): boolean {
    if (at === end) return false;
    this.#readFirst(view.getUint8(at));
    if (end - at < 2) return false;
    const second = view.getUint8(at + 1);
    if (second < MASKED) throw wrong("expected a masked frame, got one without a mask");
    const short = second - MASKED;
    if (this.isControl && short > MAX_CONTROL_BYTES) {
      throw wrong(`a control frame has at most ${MAX_CONTROL_BYTES} bytes`);
    }
    const size = this.size = short < TWO_BYTES ? 6 : short === TWO_BYTES ? 8 : 14;
    if (end - at < size - 4) return false;
    this.length = short < TWO_BYTES ? short : readLength(view, at + 2, size);
    if (this.length > most && !this.isControl) throw new FrameError(CLOSE.tooBig, "the message is too long");
    if (end - at < size) return false;
    this.mask = view.getInt32(at + size - 4, true);
    return true;
  }

  #readFirst(first: number): void {
    const opcode = this.opcode = first & 0x0f;
    const isFinal = this.isFinal = (first & FINAL) !== 0;
    this.isCompressed = this.#mayCompress && (first & COMPRESSED) !== 0;
    if (opcode > OPCODE.pong || opcode > OPCODE.binary && opcode < OPCODE.close) {
      throw wrong(`the opcode ${opcode} is not known`);
    }
    // Only the first frame of a message says whether it is compressed (RFC 7692, section 6.1).
    const begins = opcode === OPCODE.text || opcode === OPCODE.binary;
    if ((first & RESERVED & (this.#mayCompress && begins ? ~COMPRESSED : ~0)) !== 0) {
      throw wrong("a reserved bit is set, and no extension that uses it was negotiated");
    }
    if (opcode >= OPCODE.close) {
      if (!isFinal) throw wrong("a control frame cannot be fragmented");
    } else if (opcode === OPCODE.continuation) {
      if (!this.isContinued) throw wrong("a continuation without a message to continue");
    } else if (this.isContinued) throw wrong("a new message before the end of the last one");
  }
}

/** A length of 2 or 8 bytes. The shortest form must be used. */
function readLength(view: DataView, at: number, size: number): number {
  if (size === 8) {
    const length = view.getUint16(at);
    if (length < TWO_BYTES) throw wrong("a length is in a longer form than it needs");
    return length;
  }
  const high = view.getUint32(at);
  if (high >= 0x8000_0000) throw wrong("the first bit of a length is set");
  const length = high * 0x1_0000_0000 + view.getUint32(at + 4);
  if (length < 0x1_0000) throw wrong("a length is in a longer form than it needs");
  return length;
}

function wrong(message: string): FrameError {
  return new FrameError(CLOSE.protocolError, message);
}
