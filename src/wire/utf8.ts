// UTF-8 that comes in pieces. A mistake is found with the piece that it is in, not at the end of the text.

const NOTHING = new Uint8Array(0);
const REPLACEMENT = "\ufffd";

/** Decodes what is valid. It is many times faster than a fatal one, which is asked only if something looks invalid. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });

/**
 * Decodes bytes.
 *
 * @param bytes a whole text
 * @returns the text; null if it is not UTF-8
 */
export function decodeUtf8(bytes: Uint8Array): string | null {
  const text = decoder.decode(bytes);
  return text.includes(REPLACEMENT) && !isUtf8(bytes) ? null : text;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** A text that comes in pieces. */
export class Utf8Text {
  /** What was decoded so far. */
  text = "";
  /** The beginning of a character whose end has not come: up to three bytes. */
  #begun: Uint8Array = NOTHING;

  /**
   * Adds a piece.
   *
   * @param piece the next bytes; they may be written over afterwards
   * @returns false if the text cannot become valid any more
   */
  add(piece: Uint8Array): boolean {
    let bytes = piece;
    if (this.#begun.length > 0) {
      bytes = new Uint8Array(this.#begun.length + piece.length);
      bytes.set(this.#begun);
      bytes.set(piece, this.#begun.length);
    }
    const whole = bytes.length - begunAtEnd(bytes);
    const text = decodeUtf8(bytes.subarray(0, whole));
    if (text === null) return false;
    this.text += text;
    this.#begun = whole === bytes.length ? NOTHING : bytes.slice(whole);
    return true;
  }

  /** True if no character lacks its end. */
  get isWhole(): boolean {
    return this.#begun.length === 0;
  }

  /** Forgets the text. */
  clear(): void {
    this.text = "";
    this.#begun = NOTHING;
  }
}

/** How many bytes at the end are a valid beginning of one more character (RFC 3629, section 4). */
function begunAtEnd(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let count = 1; count <= 3 && count <= length; count++) {
    const lead = bytes[length - count]!; // In range: count is at most the length.
    if (lead < 0x80) return 0;
    if (lead < 0xc0) continue;
    if (count >= lengthOf(lead)) return 0;
    return count === 1 || isSecond(lead, bytes[length - count + 1]!) ? count : 0;
  }
  return 0;
}

/** The bytes of a character that begins so; 0 if none does. */
function lengthOf(lead: number): number {
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/** Whether a byte may come second. It rules out surrogates, numbers past the last one, and forms that are too long. */
function isSecond(lead: number, second: number): boolean {
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= least && second <= most;
}
