// The grammar of a request head and of a trailer section (RFC 9112, sections 2 to 5 and 7.1.2).
// No byte is looked at twice. A head that comes in pieces is resumed where it stopped, at any byte.
// `bytes[i]!` is in range: `i` is below `limit` at each of these reads, and `limit` is never past the buffer.

import {
  isDigit,
  lineEnding,
  MAJOR_PLACE,
  MINOR_PLACE,
  noVersion,
  refuseNoVersion,
  refuseVersion,
  unexpected,
} from "./head_refusals.ts";
import { COLON, CR, FIELD_VALUE, LF, SP, TAB, TARGET, TOKEN, ZERO } from "./octets.ts";
import { badRequest, ProtocolError } from "./protocol_error.ts";

/** Where the reader stands between two bytes, in the line and in the fields of a head, in their order. */
type At = LineAt | FieldAt;
type LineAt = "start" | "startLf" | "method" | "target" | "noVersionLf" | "version" | "otherVersion" | "lineLf";
type FieldAt = "field" | "name" | "blank" | "value" | "valueLf" | "endLf";

const VERSION = [0x48, 0x54, 0x54, 0x50, 0x2f, 0x31, 0x2e]; // HTTP/1.
const TLS_HANDSHAKE = 0x16;
/** What follows the target in a request line: a space and `HTTP/1.1`. */
const VERSION_BYTES = 9;

/** Told of every field as it is complete; the four places are offsets from the head's first byte, `bytes[from]`. */
export interface FieldNotes {
  note(bytes: Uint8Array, from: number, field: FieldPlaces): void;
}

/** Where a field stands in its head. One record is used again and again: read it, do not keep it. */
export type FieldPlaces = Readonly<Record<"nameStart" | "nameEnd" | "valueStart" | "valueEnd", number>>;

/** Reads one head, or one trailer section, over bytes that may come in pieces. */
export class HeadReader {
  /** The text of the head that was read last, set by the code that decodes it. */
  text = "";
  /** Offsets from the head's first byte, valid once {@linkcode HeadReader.read} has answered. */
  methodStart = 0;
  methodEnd = 0;
  targetEnd = 0;
  fieldsAt = 0;
  minor: 0 | 1 = 1;
  /** True if the target has bytes past ASCII. */
  isTargetUtf8 = false;

  #stage: "empty" | "line" | "fields" | "done" = "empty";
  #at: At = "start";
  #seen = 0;
  #field = { nameStart: 0, nameEnd: 0, valueStart: 0, valueEnd: 0 };
  /** Most bytes of the head, and of its request line; set by `startHead` and `startTrailers`. */
  #maxBytes = 0;
  #maxLineBytes = 0;
  #notes: FieldNotes;

  /** @param notes told of every field as it is complete */
  constructor(notes: FieldNotes) {
    this.#notes = notes;
  }

  /** True while nothing of a head but empty lines has come. */
  get isFresh(): boolean {
    return this.#stage === "empty";
  }

  /**
   * Makes ready for a request head.
   *
   * @param maxBytes the most bytes it may have, request line included
   * @param maxLineBytes the most bytes its request line may have, without CR LF
   */
  startHead(maxBytes: number, maxLineBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#maxLineBytes = maxLineBytes;
    this.isTargetUtf8 = false;
    this.#stage = "empty";
    this.#at = "start";
    this.#seen = 0;
  }

  /**
   * Makes ready for a trailer section, which is a head without its first line.
   *
   * @param maxBytes the most bytes it may have
   */
  startTrailers(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#stage = "fields";
    this.#at = "field";
    this.#seen = 0;
    this.methodStart = 0;
  }

  /**
   * Reads on.
   *
   * @param bytes the buffer
   * @param from where the head starts in it
   * @param end one past the last byte that came
   * @returns how many bytes the head has, or 0 if more must come
   * @throws {ProtocolError} if it can never become a head
   */
  read(bytes: Uint8Array, from: number, end: number): number {
    const limit = Math.min(end, from + this.#maxBytes);
    let i = from + this.#seen;
    if (this.#stage === "empty") i = this.#passEmptyLines(bytes, from, i, limit);
    if (this.#stage === "line") i = this.#readLine(bytes, from, i, limit);
    if (this.#stage === "fields") i = this.#readFields(bytes, from, i, limit);
    if (this.#stage === "done") return i - from;
    this.#seen = i - from;
    if (this.#seen >= this.#maxBytes) throw this.#tooLarge(this.#maxBytes);
    return 0;
  }

  /** RFC 9112, section 3, says which status tells that a method (501) or a target (414) is too long. */
  #tooLarge(most: number): ProtocolError {
    if (this.#stage !== "line") return new ProtocolError("head-too-large", 431, `the head has more than ${most} bytes`);
    if (this.#at === "method") return new ProtocolError("not-implemented", 501, `the method has ${most} bytes or more`);
    return new ProtocolError("target-too-long", 414, `the request line has more than ${most} bytes`);
  }

  /** RFC 9112, section 2.2: an empty line before the request line is passed over. */
  #passEmptyLines(bytes: Uint8Array, from: number, at: number, limit: number): number {
    let i = at;
    for (; i < limit; i++) {
      if (this.#at === "startLf") {
        if (bytes[i] !== LF) throw lineEnding(bytes[i]!);
        this.#at = "start";
      } else if (bytes[i] === CR) this.#at = "startLf";
      else {
        this.methodStart = i - from;
        this.#stage = "line";
        this.#at = "method";
        break;
      }
    }
    return i;
  }

  #readLine(bytes: Uint8Array, from: number, at: number, limit: number): number {
    let i = at;
    switch (this.#at) {
      case "method":
        while (i < limit && TOKEN[bytes[i]!] === 1) i++;
        if (i - from - this.methodStart >= this.#maxLineBytes) throw this.#tooLarge(this.#maxLineBytes);
        if (i === limit) return i;
        if (bytes[i] !== SP || i - from === this.methodStart) {
          const wanted = bytes[i] === TLS_HANDSHAKE ? "plain HTTP, not TLS, and so a method" : "a method";
          throw unexpected("bad-request-line", `${wanted} and one space`, bytes[i]!);
        }
        this.methodEnd = i - from;
        i++;
        this.#at = "target";
      // falls through
      case "target":
        while (i < limit && TARGET[bytes[i]!] === 1) i++;
        if (i < limit && TARGET[bytes[i]!] === 2) {
          this.isTargetUtf8 = true;
          while (i < limit && TARGET[bytes[i]!] !== 0) i++;
        }
        if (i - from - this.methodStart + VERSION_BYTES > this.#maxLineBytes) throw this.#tooLarge(this.#maxLineBytes);
        if (i === limit) return i;
        this.targetEnd = i - from;
        if (this.targetEnd === this.methodEnd + 1) {
          throw unexpected("bad-request-line", "one space and a target after the method", bytes[i]!);
        }
        if (bytes[i] === CR) {
          this.#at = "noVersionLf";
          return refuseNoVersion(bytes, this.#wordsIn(from), i + 1, limit);
        }
        if (bytes[i] !== SP) throw unexpected("bad-target", "a target of visible characters", bytes[i]!);
        i++;
        this.#at = "version";
      // falls through
      case "version":
        i = this.#readVersion(bytes, from, i, limit);
        if (i === limit) return i;
        if (bytes[i] !== CR) throw lineEnding(bytes[i]!);
        i++;
        this.#at = "lineLf";
      // falls through
      case "lineLf":
        if (i === limit) return i;
        if (bytes[i] !== LF) throw lineEnding(bytes[i]!);
        i++;
        this.fieldsAt = i - from;
        this.#stage = "fields";
        this.#at = "field";
        return i;
      case "otherVersion":
        return refuseVersion(bytes, from + this.targetEnd + 1, i, limit);
      case "noVersionLf":
        return refuseNoVersion(bytes, this.#wordsIn(from), i, limit);
    }
    return i;
  }

  #wordsIn(from: number): { method: number; target: number } {
    return { method: from + this.methodStart, target: from + this.methodEnd + 1 };
  }

  /** RFC 9110, section 2.5: a later minor version has the rules of the highest one that is known. */
  #readVersion(bytes: Uint8Array, from: number, at: number, limit: number): number {
    const start = from + this.targetEnd + 1;
    let i = at;
    for (; i < limit; i++) {
      const place = i - start;
      if (place < VERSION.length) {
        if (bytes[i] === VERSION[place]) continue;
        if (place !== MAJOR_PLACE || !isDigit(bytes[i]!)) throw noVersion(bytes[i]!);
        this.#at = "otherVersion";
        return refuseVersion(bytes, from + this.targetEnd + 1, i, limit);
      } else if (place === MINOR_PLACE) {
        if (!isDigit(bytes[i]!)) throw noVersion(bytes[i]!);
        this.minor = bytes[i] === ZERO ? 0 : 1;
      } else break;
    }
    return i;
  }

  /** Reads field lines and the empty line after them. */
  #readFields(bytes: Uint8Array, from: number, at: number, limit: number): number {
    let i = at;
    const field = this.#field;
    while (i < limit) {
      switch (this.#at) {
        case "field":
          if (bytes[i] === CR) {
            i++;
            this.#at = "endLf";
            break;
          }
          field.nameStart = i - from;
          this.#at = "name";
        // falls through
        case "name":
          while (i < limit && TOKEN[bytes[i]!] === 1) i++;
          if (i === limit) break;
          field.nameEnd = i - from;
          if (bytes[i] !== COLON || field.nameEnd === field.nameStart) throw this.#badName(bytes[i]!);
          i++;
          this.#at = "blank";
        // falls through
        case "blank":
          while (i < limit && (bytes[i] === SP || bytes[i] === TAB)) i++;
          if (i === limit) break;
          field.valueStart = i - from;
          this.#at = "value";
        // falls through
        case "value":
          while (i < limit && FIELD_VALUE[bytes[i]!] === 1) i++;
          if (i === limit) break;
          if (bytes[i] !== CR) {
            if (bytes[i] === LF) throw lineEnding(LF);
            throw unexpected("bad-field", "a field value without control characters", bytes[i]!);
          }
          i++;
          this.#at = "valueLf";
          break;
        case "valueLf": {
          if (bytes[i] !== LF) throw lineEnding(bytes[i]!);
          let valueEnd = i - 1;
          const valueStart = from + field.valueStart;
          while (valueEnd > valueStart && (bytes[valueEnd - 1] === SP || bytes[valueEnd - 1] === TAB)) valueEnd--;
          field.valueEnd = valueEnd - from;
          this.#notes.note(bytes, from, field);
          i++;
          this.#at = "field";
          break;
        }
        case "endLf":
          if (bytes[i] !== LF) throw lineEnding(bytes[i]!);
          this.#stage = "done";
          return i + 1;
      }
    }
    return i;
  }

  #badName(octet: number): ProtocolError {
    if (this.#field.nameEnd === this.#field.nameStart && (octet === SP || octet === TAB)) {
      return badRequest("bad-field", "a field line starts with white space (obs-fold, RFC 9112, section 5.2)");
    }
    if (octet === LF) return lineEnding(LF);
    return unexpected("bad-field", "a field name followed by a colon", octet);
  }
}
