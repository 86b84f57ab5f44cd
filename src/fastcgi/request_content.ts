// The body of a request on its way to a program that is told its length before the first byte (CONTENT_LENGTH).
// A body that comes in chunks is read first: a short one into memory, a long one into a temporary file.

import type { Exchange } from "../connection/exchange.ts";
import { MEMORY_BODY_BYTES } from "../connection/request_body.ts";
import { Spool } from "../connection/spool.ts";
import type { TemporaryFiles } from "../platform/ports.ts";
import { joined } from "../wire/octets.ts";

/** The body of a request. */
export type RequestContent =
  /** There is none. */
  | { readonly kind: "none" }
  /** It stands in memory. What `takeBuffered` of the exchange gave has to be used at once. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  /** It is read piece by piece. */
  | { readonly kind: "stream"; readonly length: number; readonly pieces: Pieces };

/** The pieces of a body. */
export interface Pieces {
  /** True while the client, and nothing else, is waited for. */
  readonly isOfClient: boolean;
  /** The next piece, or null after the last. Its bytes are the caller's own. */
  read(): Promise<Uint8Array | null>;
  /** Removes what was stored. May be called again, and while a read is under way. */
  remove(): void;
}

const NONE: RequestContent = { kind: "none" };

/**
 * Finds out how a body is to be sent.
 *
 * @param exchange whose body it is
 * @param files keep a long body of unknown length
 * @returns at once, unless the body has to be read first; rejects with the client's mistake or a `StorageError`
 */
export function contentOf(exchange: Exchange, files: TemporaryFiles): RequestContent | Promise<RequestContent> {
  const { framing } = exchange.head;
  if (framing.kind === "none") return NONE;
  const bytes = exchange.takeBuffered();
  if (bytes !== null) return { kind: "bytes", bytes };
  // A body that was read first may have come in chunks, but its length is known by now.
  const length = exchange.isBodyRead ? exchange.received : exchange.size;
  if (length < 0) return storeBody(exchange, files);
  const pieces = {
    get isOfClient(): boolean {
      return !exchange.isBodyRead;
    },
    read: () => exchange.readBody(),
    remove() {},
  };
  return { kind: "stream", length, pieces };
}

async function storeBody(exchange: Exchange, files: TemporaryFiles): Promise<RequestContent> {
  const first: Uint8Array[] = [];
  let length = 0;
  while (length <= MEMORY_BODY_BYTES) {
    const piece = await exchange.readBody();
    if (piece === null) return { kind: "bytes", bytes: joined(first, length) };
    first.push(piece);
    length += piece.length;
  }
  const spool = new Spool(files);
  try {
    for (const piece of first) {
      for (const wait of spool.append(piece)) await wait;
    }
    for (let piece = await exchange.readBody(); piece !== null; piece = await exchange.readBody()) {
      length += piece.length;
      for (const wait of spool.append(piece)) await wait;
    }
    for (const wait of spool.end()) await wait;
  } catch (error) {
    spool.remove();
    throw error;
  }
  const pieces = { isOfClient: false, read: () => spool.read(), remove: () => spool.remove() };
  return { kind: "stream", length, pieces };
}
