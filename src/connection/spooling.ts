// Knows: how a body that is read first and too long for memory gets into a temporary file.
// Does not know: where such files are, or how the application reads it back (exchange.ts).
// Rule: the socket is not read on while a write is under way, so a slow disk slows the client and fills no memory.

import type { TemporaryFile } from "../platform/ports.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { flush, type Walk } from "./steps.ts";

/** What is written at once: a write is a trip to another thread, whose price is nothing beside that of so many bytes. */
const BLOCK_BYTES = 256 * 1024;

/** A piece of so many bytes is written as it stands; shorter ones are put together first. */
const DIRECT_BYTES = 64 * 1024;

/** A file that is filled, and what was put together for its next write. */
interface Filling {
  readonly file: TemporaryFile;
  block: Uint8Array | null;
  used: number;
}

/**
 * Reads the rest of a body into a temporary file, which is the exchange's from then on.
 *
 * @param connection where from
 * @param exchange whose body
 * @param begun what was read of it before
 * @throws {StorageError} where it cannot be kept
 */
export function* spoolBody(connection: Connection, exchange: Exchange, begun: readonly Uint8Array[]): Walk {
  const { intake, terms } = connection;
  const { inbox, reader } = intake;
  exchange.isWaitingForBody = false;
  const filling: Filling = {
    file: (yield openFor(exchange, terms.temporaryFiles.open())) as TemporaryFile,
    block: null,
    used: 0,
  };
  for (const piece of begun) yield* put(filling, piece);
  let taken = begun.reduce((sum, { length }) => sum + length, 0);
  for (;;) {
    // A body of known length is gathered where it arrives, and written from there.
    const wanted = Math.min(reader.bodyLeft, BLOCK_BYTES);
    while (inbox.size < wanted && !inbox.ended) {
      yield* fill(connection, exchange, BLOCK_BYTES - inbox.size);
      exchange.received = taken + Math.min(inbox.size, wanted);
    }
    const event = reader.next();
    if (event.kind === "end") break;
    if (event.kind === "data") {
      taken += event.bytes.length;
      exchange.received = taken;
      yield* put(filling, event.bytes);
    } else yield* fill(connection, exchange, BLOCK_BYTES);
  }
  if (filling.used > 0) yield filling.file.append(filling.block!.subarray(0, filling.used));
  // A large buffer is not needed while the application runs.
  inbox.rest();
  exchange.isBodyRead = true;
}

/** Whoever ends the request meanwhile has no file to remove yet, and the walk may never go on. */
async function openFor(exchange: Exchange, opening: Promise<TemporaryFile>): Promise<TemporaryFile> {
  const file = await opening;
  exchange.keepIn(file);
  return file;
}

function* fill(connection: Connection, exchange: Exchange, least: number): Walk {
  if (connection.outbox.size > 0) yield* flush(connection);
  // A slow disk is not the client's fault: only here is it waited for.
  exchange.isWaitingForBody = true;
  yield connection.intake.fillForBody(least);
  exchange.isWaitingForBody = false;
  if (connection.enter("body")) yield "body";
}

function* put(filling: Filling, bytes: Uint8Array): Walk {
  const { file } = filling;
  for (let rest = bytes; rest.length > 0;) {
    if (filling.used === 0 && rest.length >= DIRECT_BYTES) {
      yield file.append(rest);
      return;
    }
    const block = filling.block ??= new Uint8Array(BLOCK_BYTES);
    const count = Math.min(rest.length, BLOCK_BYTES - filling.used);
    block.set(rest.subarray(0, count), filling.used);
    filling.used += count;
    rest = rest.subarray(count);
    if (filling.used < BLOCK_BYTES) continue;
    yield file.append(block);
    filling.used = 0;
  }
}
