// Compression of messages (RFC 7692): what is negotiated, and how the messages of one connection depend on each other.
//
// Nothing of zlib is kept between messages, so an idle connection holds no more than a window of what came last. The client's
// messages may refer to earlier ones ("context takeover"): a block that holds this window uncompressed is put before each of
// them, and cut off what comes out. The server's messages each begin anew, which the answer to the handshake says.

import { CLOSE, FrameError } from "./websocket_codes.ts";

/** What zlib does for this. Each call is whole in itself. */
export interface RawDeflate {
  /** Compresses, and flushes to a whole byte. The result ends with 00 00 ff ff. */
  deflate(bytes: Uint8Array, windowBits: number): Uint8Array;
  /**
   * Inflates. Null if it would become longer than `most`.
   *
   * @throws {Error} if the bytes are not valid
   */
  inflate(bytes: Uint8Array, most: number): Uint8Array | null;
}

/** What was negotiated (section 7.1). */
export interface DeflateTerms {
  /** False if each message of the client begins anew. */
  readonly clientTakeover: boolean;
  /** The server's window in bits, 9 to 15. */
  readonly serverBits: number;
}

const NAME = "permessage-deflate";
const MAX_BITS = 15;
/** zlib has no raw stream with a window of 8 bits. */
const MIN_BITS = 9;

/**
 * Chooses among what a client offers.
 *
 * @param offers the value of Sec-WebSocket-Extensions
 * @returns the first offer that can be met, or null
 */
export function negotiate(offers: string): DeflateTerms | null {
  for (const offer of offers.split(",")) {
    const [name = "", ...parameters] = offer.split(";").map((part) => part.trim());
    if (name.toLowerCase() !== NAME) continue;
    const terms = termsOf(parameters);
    if (terms !== null) return terms;
  }
  return null;
}

/** Null if a parameter is unknown, repeated or out of range: the offer has to be declined (section 7). */
function termsOf(parameters: readonly string[]): DeflateTerms | null {
  let clientTakeover = true;
  let serverBits = MAX_BITS;
  const seen = new Set<string>();
  for (const parameter of parameters) {
    const [, name = "", , quoted, plain] = /^([a-z_]+)\s*(=\s*(?:"(\d+)"|(\d+)))?$/i.exec(parameter) ?? [];
    if (seen.has(name)) return null;
    seen.add(name);
    const value = quoted ?? plain;
    const bits = Number(value);
    switch (name) {
      case "server_no_context_takeover":
        if (value !== undefined) return null;
        break; // It is so in any case.
      case "client_no_context_takeover":
        if (value !== undefined) return null;
        clientTakeover = false;
        break;
      case "server_max_window_bits":
        if (!(bits >= MIN_BITS && bits <= MAX_BITS)) return null;
        serverBits = bits;
        break;
      case "client_max_window_bits":
        if (value !== undefined && !(bits >= 8 && bits <= MAX_BITS)) return null;
        break; // Whatever the client uses, the largest window inflates it.
      default:
        return null;
    }
  }
  return { clientTakeover, serverBits };
}

/**
 * Shows what was agreed.
 *
 * @param terms what {@linkcode negotiate} gave
 * @returns the value of Sec-WebSocket-Extensions in the answer
 */
export function showTerms({ clientTakeover, serverBits }: DeflateTerms): string {
  const parameters = [
    NAME,
    "server_no_context_takeover",
    ...(clientTakeover ? [] : ["client_no_context_takeover"]),
    ...(serverBits === MAX_BITS ? [] : [`server_max_window_bits=${serverBits}`]),
  ];
  return parameters.join("; ");
}

/** What every flushed block ends with; it is not sent (section 7.2.1). */
const TAIL = Uint8Array.of(0, 0, 0xff, 0xff);
/** The header of a block that is not compressed: its type, its length and the complement of that (RFC 1951, section 3.2.4). */
const STORED_HEADER_BYTES = 5;
const MAX_WINDOW = 1 << MAX_BITS;

/** Compresses and inflates the messages of one connection. */
export class MessageDeflate {
  readonly #terms: DeflateTerms;
  readonly #zlib: RawDeflate;
  /** The end of what was received, if the next message may refer to it. */
  #window: Uint8Array = new Uint8Array(0);

  /**
   * @param terms what was negotiated
   * @param zlib does the work
   */
  constructor(terms: DeflateTerms, zlib: RawDeflate) {
    this.#terms = terms;
    this.#zlib = zlib;
  }

  /**
   * Compresses a message.
   *
   * @param bytes its payload
   * @returns the payload to send
   */
  deflate(bytes: Uint8Array): Uint8Array {
    const deflated = this.#zlib.deflate(bytes, this.#terms.serverBits);
    return deflated.subarray(0, deflated.length - TAIL.length);
  }

  /**
   * Inflates a message.
   *
   * @param bytes the payload that came
   * @param most most bytes that it may become
   * @returns the payload; it is the caller's own
   * @throws {FrameError} if it is not valid, or becomes longer
   */
  inflate(bytes: Uint8Array, most: number): Uint8Array {
    const window = this.#window;
    let inflated: Uint8Array | null;
    try {
      inflated = this.#zlib.inflate(after(window, bytes), window.length + most);
    } catch (error) {
      const problem = error instanceof Error ? error.message : error;
      throw new FrameError(CLOSE.badData, `a message cannot be inflated: ${problem}`);
    }
    if (inflated === null) throw new FrameError(CLOSE.tooBig, `a message has at most ${most} bytes`);
    if (this.#terms.clientTakeover) this.#window = inflated.slice(-MAX_WINDOW);
    return inflated.slice(window.length);
  }
}

/** A stream that begins with the window, uncompressed, and goes on with the message. */
function after(window: Uint8Array, bytes: Uint8Array): Uint8Array {
  const { length } = window;
  const at = length === 0 ? 0 : STORED_HEADER_BYTES + length;
  const stream = new Uint8Array(at + bytes.length + TAIL.length);
  if (length > 0) {
    stream.set([0, length, length >>> 8, ~length, ~length >>> 8]);
    stream.set(window, STORED_HEADER_BYTES);
  }
  stream.set(bytes, at);
  stream.set(TAIL, at + bytes.length);
  return stream;
}
