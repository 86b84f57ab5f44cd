// Raw deflate of messages, with node:zlib. Loaded when the first compressed WebSocket opens.

import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { RawDeflate } from "./ports.ts";

/** A message is flushed to a whole byte and has no last block. */
const finishFlush = constants.Z_SYNC_FLUSH;

/** What node:zlib does for WebSockets. */
export const rawDeflate: RawDeflate = {
  deflate: (bytes, windowBits) => plain(deflateRawSync(bytes, { finishFlush, windowBits })),
  inflate(bytes, most) {
    try {
      return plain(inflateRawSync(bytes, { finishFlush, maxOutputLength: Math.max(1, most) }));
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") return null;
      throw error;
    }
  },
};

/** A Buffer's slice() does not copy, which its users do not expect. */
function plain({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
