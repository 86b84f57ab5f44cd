// The chunked coding (RFC 9112, section 7.1).
// Strict: parsers disagree about white space, signs and bare LF around a chunk's size, so they are refused.

import { CR, hexDigit, LF, showOctet, TAB, TOKEN } from "./octets.ts";
import { HeadReader } from "./head_reader.ts";
import { badRequest, ProtocolError } from "./protocol_error.ts";
import type { Inbox } from "./inbox.ts";

/** Most bytes in the extensions of one body: they are used only to make a server work for nothing. */
export const MAX_EXTENSION_BYTES = 4 * 1024;

/** Twelve hexadecimal digits are 256 TiB, and exact as a number. Leading zeros do not count (RFC 9112, section 7.1). */
const MAX_SIZE_DIGITS = 12;
/** Most leading zeros of a size. A size is padded to a fixed width; without an end it would never become a chunk. */
const MAX_SIZE_ZEROS = 256;

const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

type At =
  | "size"
  | "nameStart"
  | "name"
  | "valueStart"
  | "value"
  | "quoted"
  | "quotedPair"
  | "quotedEnd"
  | "sizeLf"
  | "data"
  | "dataCr"
  | "dataLf"
  | "trailers"
  | "done";

/** Takes the chunks of one body out of an inbox. */
export class ChunkedReader {
  #at: At = "size";
  /** Digits of the size so far, leading zeros included. */
  #digits = 0;
  /** Leading zeros of the size so far. */
  #zeros = 0;
  #left = 0;
  #extensionBytes = 0;
  #trailers: HeadReader;

  /** @param maxTrailerBytes the most bytes the trailer section may have */
  constructor(maxTrailerBytes: number) {
    // RFC 9110, section 6.5.1: a trailer may be dropped, and must not be taken for a header field.
    this.#trailers = new HeadReader({ note() {} });
    this.#trailers.startTrailers(maxTrailerBytes);
  }

  /**
   * Reads on.
   *
   * @param inbox what came; the bytes that were read are taken from it
   * @returns data that stands in the inbox's buffer, or `"done"` after the last trailer, or null if more must come
   * @throws {ProtocolError} if it can never become a chunked body
   */
  read(inbox: Inbox): Uint8Array | "done" | null {
    while (this.#at !== "done") {
      if (this.#at === "trailers") {
        const length = this.#trailers.read(inbox.bytes, inbox.at, inbox.end);
        if (length === 0) return null;
        inbox.at += length;
        this.#at = "done";
      } else if (inbox.at === inbox.end) return null;
      else if (this.#at === "data") return this.#takeData(inbox);
      // In range: inbox.at is before inbox.end here.
      else this.#takeOctet(inbox.bytes[inbox.at++]!);
    }
    return "done";
  }

  #takeData(inbox: Inbox): Uint8Array {
    const start = inbox.at;
    const count = Math.min(this.#left, inbox.end - start);
    inbox.at += count;
    this.#left -= count;
    if (this.#left === 0) this.#at = "dataCr";
    return inbox.bytes.subarray(start, start + count);
  }

  /** One step of the transition table outside of data. */
  #takeOctet(octet: number): void {
    switch (this.#at) {
      case "size":
        return this.#takeSize(octet);
      case "nameStart":
        if (TOKEN[octet] !== 1) throw unexpected("the name of a chunk extension", octet);
        return this.#countExtension("name");
      case "name":
        if (TOKEN[octet] === 1) this.#countExtension("name");
        else if (octet === EQUALS) this.#countExtension("valueStart");
        else this.#endExtension(octet);
        return;
      case "valueStart":
        if (octet === QUOTE) this.#countExtension("quoted");
        else if (TOKEN[octet] === 1) this.#countExtension("value");
        else throw unexpected("the value of a chunk extension", octet);
        return;
      case "value":
        if (TOKEN[octet] === 1) this.#countExtension("value");
        else this.#endExtension(octet);
        return;
      case "quotedEnd":
        return this.#endExtension(octet);
      case "quoted":
        if (octet === QUOTE) this.#countExtension("quotedEnd");
        else if (octet === 0x5c) this.#countExtension("quotedPair");
        else if (octet === TAB || (octet >= 0x20 && octet !== 0x7f)) this.#countExtension("quoted");
        else throw unexpected("a quoted string", octet);
        return;
      case "quotedPair":
        if (octet !== TAB && (octet < 0x20 || octet === 0x7f)) throw unexpected("a quoted character", octet);
        this.#countExtension("quoted");
        return;
      case "sizeLf":
        if (octet !== LF) throw unexpected("LF after a chunk's size", octet);
        this.#at = this.#left === 0 ? "trailers" : "data";
        this.#digits = this.#zeros = 0;
        return;
      case "dataCr":
        if (octet !== CR) throw unexpected("CR LF after a chunk's data", octet);
        this.#at = "dataLf";
        return;
      case "dataLf":
        if (octet !== LF) throw unexpected("CR LF after a chunk's data", octet);
        this.#at = "size";
    }
  }

  #takeSize(octet: number): void {
    const digit = hexDigit(octet);
    if (digit >= 0) {
      if (digit === 0 && this.#zeros === this.#digits) this.#zeros++;
      this.#digits++;
      if (this.#zeros > MAX_SIZE_ZEROS) {
        throw badRequest("bad-chunk", `a chunk's size has more than ${MAX_SIZE_ZEROS} leading zeros`);
      }
      if (this.#digits - this.#zeros > MAX_SIZE_DIGITS) {
        throw new ProtocolError("body-too-large", 413, `a chunk's size has more than ${MAX_SIZE_DIGITS} digits`);
      }
      this.#left = this.#left * 16 + digit;
    } else if (this.#digits === 0) throw unexpected("a chunk's size in hexadecimal digits", octet);
    else if (octet === CR) this.#at = "sizeLf";
    else if (octet === SEMICOLON) this.#countExtension("nameStart");
    else throw unexpected('CR LF or ";" after a chunk\'s size', octet);
  }

  #endExtension(octet: number): void {
    if (octet === CR) this.#at = "sizeLf";
    else if (octet === SEMICOLON) this.#countExtension("nameStart");
    else throw unexpected('CR LF or ";" after a chunk extension', octet);
  }

  #countExtension(next: At): void {
    this.#at = next;
    if (++this.#extensionBytes > MAX_EXTENSION_BYTES) {
      throw badRequest("bad-chunk", `the chunk extensions of a body have more than ${MAX_EXTENSION_BYTES} bytes`);
    }
  }
}

function unexpected(wanted: string, octet: number): ProtocolError {
  return badRequest("bad-chunk", `expected ${wanted}, got ${showOctet(octet)}`);
}
