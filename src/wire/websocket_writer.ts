// Writes the frames that a server sends (RFC 6455, section 5): never masked, one frame a message.

import { CLOSE, FINAL, MAX_REASON_BYTES, OPCODE } from "./websocket_codes.ts";

const encoder = new TextEncoder();

/** Longest header of a frame without a mask. */
export const MAX_HEADER_BYTES = 10;

/**
 * How long a header is.
 *
 * @param length bytes of the payload
 * @returns 2, 4 or 10
 */
export function headerLength(length: number): number {
  return length < 126 ? 2 : length < 0x1_0000 ? 4 : 10;
}

/**
 * Writes a header at the beginning of an array.
 *
 * @param target has room for it
 * @param first the first byte: FINAL, the opcode, and COMPRESSED if it is
 * @param length bytes of the payload
 */
export function writeHeader(target: Uint8Array, first: number, length: number): void {
  target[0] = first;
  if (length < 126) {
    target[1] = length;
    return;
  }
  if (length < 0x1_0000) {
    target[1] = 126;
    target[2] = length >>> 8;
    target[3] = length;
    return;
  }
  target[1] = 127;
  let rest = length;
  for (let at = 9; at >= 2; at--) {
    target[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
}

/**
 * Writes a text message where there is room, without knowing its length in bytes before.
 *
 * @param target where it is written, from its first byte on
 * @param text a text of which every character may take three bytes in `target`, after a header
 * @returns bytes of the whole frame
 */
export function writeText(target: Uint8Array, text: string): number {
  // Nearly all messages are ASCII. Any other one may need a longer header, and is moved then.
  const guess = headerLength(text.length);
  const { written } = encoder.encodeInto(text, target.subarray(guess));
  const header = headerLength(written);
  if (header !== guess) target.copyWithin(header, guess, guess + written);
  writeHeader(target, FINAL | OPCODE.text, written);
  return header + written;
}

/**
 * Makes a text message.
 *
 * @param text what it says
 * @returns header and payload
 */
export function textFrame(text: string): Uint8Array {
  const payload = encoder.encode(text);
  const header = headerLength(payload.length);
  const frame = new Uint8Array(header + payload.length);
  writeHeader(frame, FINAL | OPCODE.text, payload.length);
  frame.set(payload, header);
  return frame;
}

/**
 * Makes the payload of a Close frame.
 *
 * @param code why; 1005 for a frame without a code
 * @param reason for people, cut to 123 bytes of UTF-8
 * @returns the payload
 */
export function closePayload(code: number, reason: string): Uint8Array {
  if (code === CLOSE.noCode) return new Uint8Array(0);
  const payload = new Uint8Array(2 + MAX_REASON_BYTES);
  payload[0] = code >>> 8;
  payload[1] = code;
  // Only whole characters are written.
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}
