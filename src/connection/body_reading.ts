// Knows: how a request's body is taken in: all of it first, piece by piece, or thrown away.
// Does not know: what is done with it.

import { SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { joined } from "../wire/octets.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { CONTINUE, putContinue } from "./sending.ts";
import { spoolBody } from "./spooling.ts";
import { flush, type Walk } from "./steps.ts";
import { AUTO_BODY_BYTES, MAX_DRAIN_BYTES, MEMORY_BODY_BYTES } from "./terms.ts";

/**
 * Reads all of a body before the application runs. A short one stays in memory, in one piece in the inbox where its length
 * is known; a long one goes into a temporary file.
 *
 * @throws {StorageError} where it cannot be kept
 */
export function* readWhole(connection: Connection, exchange: Exchange): Walk {
  const { intake } = connection;
  const { inbox, reader } = intake;
  if (exchange.mustContinue && inbox.size === 0) {
    putContinue(connection, exchange);
    yield* flush(connection);
  }
  exchange.mustContinue = false;
  const left = exchange.size;
  // What came together with the head counts from the start: no more may come for a while.
  if (left >= 0) exchange.received = Math.min(inbox.size, left);
  exchange.isWaitingForBody = true;
  if (connection.enter("body")) yield "body";
  if (left > MEMORY_BODY_BYTES) return yield* spoolBody(connection, exchange, []);
  const pieces: Uint8Array[] = [];
  while (left > inbox.size && !inbox.ended) {
    const { revision } = intake;
    if (connection.outbox.size > 0) yield* flush(connection);
    // What the head claims is not set aside at once: it may be a lie.
    const change = intake.changedSince(revision, Math.min(left - inbox.size, Math.max(AUTO_BODY_BYTES, inbox.size)));
    if (change !== null) yield change;
    exchange.received = Math.min(inbox.size, left);
    if (connection.enter("body")) yield "body";
  }
  for (let event = reader.next(); event.kind !== "end"; event = reader.next()) {
    if (event.kind === "data") {
      exchange.received += exchange.size < 0 ? event.bytes.length : 0;
      pieces.push(exchange.size < 0 ? event.bytes.slice() : event.bytes);
      if (exchange.received > MEMORY_BODY_BYTES) return yield* spoolBody(connection, exchange, pieces);
    } else {
      const { revision } = intake;
      if (connection.outbox.size > 0) yield* flush(connection);
      const change = intake.bodyChangedSince(revision);
      if (change !== null) yield change;
      if (connection.enter("body")) yield "body";
    }
  }
  inbox.hold();
  exchange.isWaitingForBody = false;
  exchange.isBodyRead = true;
  exchange.received = pieces.reduce((sum, piece) => sum + piece.length, 0);
  exchange.wholeBody = pieces.length === 1 ? pieces[0] : joined(pieces, exchange.received);
}

/**
 * Reads the next piece of a body for an application that streams it.
 *
 * @param connection where from
 * @param exchange whose body
 * @returns bytes that are the application's own, or null after the last
 * @throws {ProtocolError} where the body breaks off, is malformed, too large or too slow
 */
export async function readPiece(connection: Connection, exchange: Exchange): Promise<Uint8Array | null> {
  const { intake } = connection;
  try {
    for (;;) {
      const event = intake.reader.next();
      const { revision } = intake;
      if (event.kind === "data") {
        exchange.received += event.bytes.length;
        return intake.own(event.bytes);
      }
      if (event.kind === "end") {
        exchange.isBodyRead = true;
        connection.watch();
        return null;
      }
      const isBeforeHead = exchange.status === 0 || exchange.isHeadHeld;
      if (exchange.mustContinue && isBeforeHead && intake.inbox.size === 0) {
        exchange.interim = sendContinue(connection);
        await exchange.interim;
        exchange.interim = null;
      }
      exchange.mustContinue = false;
      exchange.isWaitingForBody = true;
      await intake.bodyChangedSince(revision);
      exchange.isWaitingForBody = false;
      if (connection.isGivenUp) throw new ProtocolError("too-slow", 408, "the body came too slowly");
      if (exchange.isOver) throw new ProtocolError("cut-short", 400, "the request was over before its body");
    }
  } catch (error) {
    exchange.isBodyBroken = true;
    throw error;
  }
}

/** Past the outbox, in which the head of the answer may be held back; nothing else is written meanwhile. */
async function sendContinue({ socket }: Connection): Promise<void> {
  for (let at = 0; at < CONTINUE.length;) at += await socket.write(CONTINUE.subarray(at));
}

/** Reads what an application left of its request's body. False where that would take too long. */
export function* passBody(connection: Connection): Walk<boolean> {
  const { intake } = connection;
  for (let passed = 0; passed <= MAX_DRAIN_BYTES;) {
    const event = intake.reader.next();
    if (event.kind === "end") return true;
    if (event.kind === "data") passed += event.bytes.length;
    else {
      const change = intake.changedSince(intake.revision, SMALL_BUFFER_BYTES);
      if (change !== null) yield change;
    }
  }
  return false;
}
