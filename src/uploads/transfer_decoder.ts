// How a part is decoded that was encoded for mail: base64 and quoted-printable (RFC 2045, sections 6.7 and 6.8).
// RFC 7578 deprecates both (section 4.7). Bytes come in pieces; what is kept between two pieces is bounded.
// Never guess: what is not base64 or not quoted-printable is an UploadError.
// `!` marks reads that are in range: of bytes before their length, and of tables that have an entry for every byte.

import { showWord, UploadError } from "./upload_error.ts";

/** The encodings that are decoded. */
export type TransferEncoding = "base64" | "quoted-printable";

/** Decodes one part, piece by piece. */
export interface TransferDecoder {
  /**
   * @param bytes the next piece; it is not changed
   * @returns what could be decoded so far, in an array of its own
   * @throws {UploadError} if it is malformed
   */
  decode(bytes: Uint8Array): Uint8Array;
  /**
   * Ends the part.
   *
   * @throws {UploadError} if something is missing
   */
  end(): void;
}

/**
 * Makes a decoder for one part.
 *
 * @param encoding what the part says
 * @param field the part's field, for messages
 * @returns the decoder
 */
export function decoderOf(encoding: TransferEncoding, field: string): TransferDecoder {
  return encoding === "base64" ? new Base64Decoder(field) : new QuotedPrintableDecoder(field);
}

const SPACE = 64;
const PAD = 65;
const OTHER = 66;

/** From a byte to its six bits, or to what else it means in base64. */
const BASE64 = new Uint8Array(256).fill(OTHER);
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split("").forEach((letter, value) => {
  BASE64[letter.charCodeAt(0)] = value;
});
for (const space of [0x20, 0x09, 0x0d, 0x0a]) BASE64[space] = SPACE;
BASE64[0x3d] = PAD;

/** Line ends and spaces are skipped. Padding may be missing, because some encoders leave it out. */
class Base64Decoder implements TransferDecoder {
  #field: string;
  #bits = 0;
  /** Letters and padding of a group of four. */
  #letters = 0;
  #pads = 0;
  #isPadded = false;

  constructor(field: string) {
    this.#field = field;
  }

  decode(bytes: Uint8Array): Uint8Array {
    const out = new Uint8Array((this.#letters + bytes.length) * 3 >> 2);
    let at = 0;
    for (let i = 0; i < bytes.length; i++) {
      const value = BASE64[bytes[i]!]!;
      if (value === SPACE) continue;
      if (value > SPACE || this.#isPadded) this.#pad(value);
      else {
        this.#bits = this.#bits << 6 | value;
        // The first letter of a group completes no byte; each of the others completes one.
        if (this.#letters > 0) out[at++] = this.#bits >> (6 - 2 * this.#letters);
        this.#letters = this.#letters + 1 & 3;
      }
    }
    return out.subarray(0, at);
  }

  end(): void {
    if (this.#letters === 1 || this.#isPadded && this.#letters + this.#pads !== 4) {
      throw malformed(this.#field, "base64", "its last group is not complete");
    }
  }

  /** Padding completes a group of two or three letters; only padding may follow. */
  #pad(value: number): void {
    if (value !== PAD) {
      const what = value === OTHER ? "it has a character that is not in its alphabet" : "it goes on after its padding";
      throw malformed(this.#field, "base64", what);
    }
    this.#isPadded = true;
    if (this.#letters < 2 || this.#letters + ++this.#pads > 4) {
      throw malformed(this.#field, "base64", "it has padding in the wrong place");
    }
  }
}

/** From a byte to the digit that it is. */
const HEX = new Uint8Array(256).fill(OTHER);
for (let digit = 0; digit < 16; digit++) {
  for (const letter of [digit.toString(16), digit.toString(16).toUpperCase()]) HEX[letter.charCodeAt(0)] = digit;
}

/** Most spaces in a row that are held back: the longest line of a mail (RFC 5322, section 2.1.1). */
const MAX_SPACES = 998;

const CR = 0x0d;
const LF = 0x0a;

/**
 * What comes next: text; the first or second digit after `=`; the line end of a soft line break, or only its LF.
 */
type Expected = "text" | "digit" | "second digit" | "line end" | "LF";

/** Spaces at the end of a line are dropped, as the RFC says. A line may also end in a bare LF. */
class QuotedPrintableDecoder implements TransferDecoder {
  #field: string;
  #expected: Expected = "text";
  #digit = 0;
  /** Spaces that are dropped if a line end follows. */
  #spaces: number[] = [];

  constructor(field: string) {
    this.#field = field;
  }

  decode(bytes: Uint8Array): Uint8Array {
    const out = new Uint8Array(this.#spaces.length + bytes.length);
    let at = 0;
    for (const octet of bytes) {
      if (this.#expected !== "text") {
        if (this.#escape(octet)) out[at++] = this.#digit;
        continue;
      }
      if (octet === 0x20 || octet === 0x09) {
        if (this.#spaces.push(octet) > MAX_SPACES) throw this.#malformed(`it has over ${MAX_SPACES} spaces in a row`);
        continue;
      }
      if (octet !== CR && octet !== LF) {
        for (const space of this.#spaces) out[at++] = space;
      }
      this.#spaces.length = 0;
      if (octet === 0x3d) this.#expected = "digit";
      else out[at++] = octet;
    }
    return out.subarray(0, at);
  }

  /** A soft line break may stand at the very end: its line end is then that of the boundary. */
  end(): void {
    if (this.#expected === "second digit") throw this.#malformed("it ends in the middle of a character");
  }

  /** Reads on after `=`. True if a byte is complete; it is in `#digit` then. */
  #escape(octet: number): boolean {
    const expected = this.#expected;
    if (expected === "second digit") {
      this.#digit = this.#digit << 4 | this.#hex(octet);
      this.#expected = "text";
      return true;
    }
    if (octet === LF) this.#expected = "text";
    else if (octet === CR && expected !== "LF") this.#expected = "LF";
    else if ((octet === 0x20 || octet === 0x09) && expected !== "LF") this.#expected = "line end";
    else if (expected === "digit") {
      this.#digit = this.#hex(octet);
      this.#expected = "second digit";
    } else throw this.#malformed("its = is followed neither by two digits nor by a line end");
    return false;
  }

  #hex(octet: number): number {
    const value = HEX[octet]!;
    if (value > 15) throw this.#malformed("its = is followed neither by two digits nor by a line end");
    return value;
  }

  #malformed(what: string): UploadError {
    return malformed(this.#field, "quoted-printable", what);
  }
}

function malformed(field: string, encoding: TransferEncoding, what: string): UploadError {
  return new UploadError(
    "bad-part",
    `the part of field ${showWord(field)} says that it is ${encoding}, but ${what}; send its bytes as they are`,
  );
}
