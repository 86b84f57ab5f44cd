// Knows: how a body that is read first and too long for memory gets into a temporary file.
// Does not know: where such files are, or how the application reads it back (exchange.ts).
// Rule: the socket is not read on while a write is under way, so a slow disk slows the client and fills no memory.

import type { TemporaryFile } from "../platform/ports.ts";
import { BLOCK_BYTES, Gathering } from "../wire/gathering.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { flush, type Walk } from "./steps.ts";
import { AUTO_BODY_BYTES } from "./terms.ts";

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
  // A file is opened for bytes that are there: a head alone costs none.
  let file: TemporaryFile | null = null;
  const append = function* (bytes: Uint8Array): Walk {
    file ??= (yield openFor(exchange, terms.temporaryFiles.open())) as TemporaryFile;
    yield file.append(bytes);
  };
  const gathering = new Gathering();
  for (const piece of begun) {
    for (const bytes of gathering.put(piece)) yield* append(bytes);
  }
  let taken = begun.reduce((sum, { length }) => sum + length, 0);
  for (;;) {
    // A body of known length is gathered where it arrives, and written from there.
    const wanted = Math.min(reader.bodyLeft, BLOCK_BYTES);
    while (inbox.size < wanted && !inbox.ended) {
      // What the head claims is not set aside at once: it may be a lie.
      yield* fill(connection, exchange, Math.min(BLOCK_BYTES - inbox.size, Math.max(AUTO_BODY_BYTES, inbox.size)));
      exchange.received = taken + Math.min(inbox.size, wanted);
    }
    const event = reader.next();
    if (event.kind === "end") break;
    if (event.kind === "data") {
      taken += event.bytes.length;
      exchange.received = taken;
      for (const bytes of gathering.put(event.bytes)) yield* append(bytes);
    } else yield* fill(connection, exchange, BLOCK_BYTES);
  }
  // Also where the last write fails: the reader has passed the body's end.
  exchange.isBodyRead = true;
  const last = gathering.end();
  if (last !== null) yield* append(last);
  // A large buffer is not needed while the application runs.
  inbox.rest();
}

/** Whoever ends the request meanwhile has no file to remove yet, and the walk may never go on. */
async function openFor(exchange: Exchange, opening: Promise<TemporaryFile>): Promise<TemporaryFile> {
  const file = await opening;
  exchange.keepIn(file);
  return file;
}

function* fill(connection: Connection, exchange: Exchange, least: number): Walk {
  const { revision } = connection.intake;
  if (connection.outbox.size > 0) yield* flush(connection);
  // A slow disk is not the client's fault: only here is it waited for.
  exchange.isWaitingForBody = true;
  const change = connection.intake.bodyChangedSince(revision, least);
  if (change !== null) yield change;
  exchange.isWaitingForBody = false;
  if (connection.enter("body")) yield "body";
}
