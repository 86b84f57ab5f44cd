// Why a head is refused: which status and which words tell the client.
// A line that is refused may be looked at again; head_reader.ts itself looks at no byte twice.
// `bytes[i]!` is in range: `i` is below `limit`, which is never past the buffer.

import { LF, showOctet, ZERO } from "./octets.ts";
import { badRequest, type ProtocolCode, ProtocolError } from "./protocol_error.ts";

/** Where the two digits stand in `HTTP/1.1`. */
export const MAJOR_PLACE = 5;
export const MINOR_PLACE = 7;
const DOT_PLACE = 6;

const DOT = 0x2e;
const SLASH = 0x2f;

/**
 * Refuses an octet outside the grammar.
 *
 * @param code which rule it breaks
 * @param wanted what was expected
 * @param octet what came
 * @returns the error, to be thrown
 */
export function unexpected(code: ProtocolCode, wanted: string, octet: number): ProtocolError {
  if (octet === LF) return lineEnding(LF);
  return badRequest(code, `expected ${wanted}, got ${showOctet(octet)}`);
}

/**
 * Refuses a line that does not end with CR LF.
 *
 * @param octet what came
 * @returns the error, to be thrown
 */
export function lineEnding(octet: number): ProtocolError {
  return badRequest(
    "bad-line-ending",
    octet === LF
      ? "a line ends with LF alone; CR LF was expected"
      : `expected CR LF at a line's end, got ${showOctet(octet)}`,
  );
}

/**
 * Refuses an octet that does not belong to a version.
 *
 * @param octet what came
 * @returns the error, to be thrown
 */
export function noVersion(octet: number): ProtocolError {
  return unexpected("bad-version", "HTTP/1.1 or HTTP/1.0 after the target", octet);
}

/**
 * Tells a version that is not spoken here (505) from what is not a version (400), once its last digit has come.
 *
 * @param bytes the buffer
 * @param start where the version starts in it; its name was read already
 * @param at the first byte that was not looked at
 * @param limit one past the last byte that may be looked at
 * @returns the limit, if its last digit has not come yet
 * @throws {ProtocolError} otherwise
 */
export function refuseVersion(bytes: Uint8Array, start: number, at: number, limit: number): number {
  for (let i = at; i < limit; i++) {
    const place = i - start;
    if (place === DOT_PLACE ? bytes[i] !== DOT : !isDigit(bytes[i]!)) throw noVersion(bytes[i]!);
    if (place === MINOR_PLACE) {
      throw new ProtocolError("bad-version", 505, "only HTTP/1.1 and HTTP/1.0 are spoken here");
    }
  }
  return limit;
}

/**
 * Tells a request of HTTP/0.9, a GET of a path (505), from a line that lacks its version or its target (400).
 *
 * @param bytes the buffer
 * @param words where the two words of the line start in it
 * @param at the byte after the CR that follows them
 * @param limit one past the last byte that may be looked at
 * @returns the limit, if that byte has not come yet
 * @throws {ProtocolError} otherwise
 */
export function refuseNoVersion(
  bytes: Uint8Array,
  words: { method: number; target: number },
  at: number,
  limit: number,
): number {
  if (at === limit) return limit;
  if (bytes[at] !== LF) throw lineEnding(bytes[at]!);
  const isGet = String.fromCharCode(...bytes.subarray(words.method, words.method + 4)) === "GET ";
  if (isGet && bytes[words.target] === SLASH) {
    throw new ProtocolError("bad-version", 505, "the request line names no version, as HTTP/0.9 had it");
  }
  throw badRequest("bad-request-line", "expected a method, a target and a version, the line has two words");
}

/**
 * Tells a decimal digit.
 *
 * @param octet one byte
 * @returns true for 0 to 9
 */
export function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= 0x39;
}
