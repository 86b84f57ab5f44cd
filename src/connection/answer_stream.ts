// Knows: how a stream leaves as a body, piece by piece, no faster than the client takes it.
// Does not know: who fills the stream.
// Rule: a body that ends wrongly must not look whole; the connection is cut so that the client sees it.

import type { AnswerFraming } from "../wire/answer.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import type { Walk } from "./steps.ts";

/** The application's stream failed after the head was sent. */
export class AnswerBroken extends Error {
  override readonly name = "AnswerBroken";
}

/** A stream on its way. */
interface Sent {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly framing: AnswerFraming;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

/**
 * Sends a stream; its head stands in the outbox.
 *
 * @param connection where to
 * @param exchange what is answered
 * @param stream the body; cancelled where it cannot be sent to its end
 * @param framing how its end is told
 * @throws {AnswerBroken} where the stream fails, or is longer or shorter than its Content-Length
 */
export function* sendStream(
  connection: Connection,
  exchange: Exchange,
  stream: ReadableStream<Uint8Array>,
  framing: AnswerFraming,
): Walk {
  if (framing.kind === "none" || exchange.head.method === "HEAD") {
    stream.cancel().catch(() => {}); // Nobody asked for it: how it ends is its own matter.
    return;
  }
  const reader = stream.getReader();
  const sent: Sent = { connection, exchange, framing, reader };
  // A stream may be made of the request's own body, and the client may wait for 100 before it sends any of that.
  exchange.isHeadHeld = exchange.mustContinue;
  let isWhole = false;
  try {
    while (yield connection.orRelease(sendPieces(sent))) yield "write";
    checkLength(sent);
    if (framing.kind === "chunked") connection.outbox.putAscii("0\r\n\r\n");
    isWhole = true;
  } finally {
    // A stream that is done, has failed or is cut has nobody left to tell of a second failure.
    if (!isWhole) reader.cancel(exchange.cutReason).catch(() => {});
  }
}

/**
 * Sends piece after piece, each only when the one before it is out. False at the stream's end; true after each piece
 * where somebody reads the phases, who is told of it then.
 */
async function sendPieces(sent: Sent): Promise<boolean> {
  const { connection, exchange, reader } = sent;
  const { outbox } = connection;
  for (;;) {
    if (!exchange.isHeadHeld) {
      for (let write = outbox.write(); write !== null; write = outbox.write()) outbox.wrote(await write);
    }
    connection.watch();
    let read: ReadableStreamReadResult<Uint8Array>;
    try {
      read = await reader.read();
    } catch (error) {
      // The application's failure gets a name, so that it is not taken for the socket's.
      throw new AnswerBroken("the body's stream failed", { cause: error });
    }
    if (exchange.interim !== null) await exchange.interim;
    exchange.isHeadHeld = false;
    // Nobody waits for this function any more where the client was given up; there is nothing left to send.
    if (read.done || connection.isGivenUp) return false;
    putPiece(sent, read.value);
    if (connection.enter("write")) return true;
  }
}

function putPiece({ connection, exchange, framing }: Sent, piece: Uint8Array): void {
  if (!(piece instanceof Uint8Array)) {
    throw new AnswerBroken(`a body's stream must give Uint8Array, it gave ${describe(piece)}`);
  }
  if (piece.length === 0) return;
  exchange.sent += piece.length;
  if (framing.kind === "chunked") return connection.outbox.putChunk(piece);
  if (framing.kind === "length" && exchange.sent > framing.length) {
    throw new AnswerBroken(`the body is longer than its content-length of ${framing.length}`);
  }
  connection.outbox.putBytes(piece);
}

function checkLength({ exchange, framing }: Sent): void {
  if (framing.kind === "length" && exchange.sent < framing.length) {
    throw new AnswerBroken(
      `the body ended after ${exchange.sent} of the ${framing.length} bytes of its content-length`,
    );
  }
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : typeof value;
}
