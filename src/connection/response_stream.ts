// Sends a body that is a stream, piece by piece, no faster than the client takes it.
// Pieces that the stream has ready leave in one write, together with the head and the end.
// A body that ends wrongly must not look complete: the connection is cut, so that the client sees it.

import { type AnswerFraming, type AnswerSource, sourceOf, type SourceRead } from "../wire/answer.ts";
import type { Connection } from "./connection.ts";
import { ConnectionLost, type Outcome, ResponseBroken } from "./endings.ts";
import type { Exchange } from "./exchange.ts";
import type { Phase } from "./phases.ts";

/** Once so many bytes wait, they are written before the stream is read on: a write of its own costs little for more. */
const GATHERED_BYTES = 16 * 1024;

/** A stream on its way. */
interface Sending {
  readonly connection: Connection;
  readonly exchange: Exchange;
  readonly framing: AnswerFraming;
  readonly pieces: Pieces;
  /**
   * True while the head is held back. A stream may be made of the request's own body, and the client may wait for
   * 100 (Continue), which belongs before the head.
   */
  isHeadHeld: boolean;
}

/**
 * Sends a stream; its head stands in the outbound side.
 *
 * @param connection where to
 * @param exchange what is answered
 * @param body the stream, cancelled if it cannot be sent to its end, and how its end is told
 * @throws {ResponseBroken} if the stream fails, or is longer or shorter than its Content-Length
 */
export function* sendStream(
  connection: Connection,
  exchange: Exchange,
  { stream, framing }: { stream: ReadableStream<Uint8Array> | AnswerSource; framing: AnswerFraming },
): Generator<Phase | PromiseLike<unknown>, void, unknown> {
  if (framing.kind === "none" || exchange.head.method === "HEAD") {
    exchange.body.forgoContinue();
    stream.cancel(undefined).catch(() => {}); // The client did not ask for it, so its failure does not matter.
    return;
  }
  const reader = sourceOf(stream);
  const isHeadHeld = exchange.body.expectsContinue;
  const sending: Sending = { connection, exchange, framing, pieces: new Pieces(reader), isHeadHeld };
  let isWhole = false;
  try {
    for (;;) {
      const outcome = (yield connection.outcomeOf(sendPieces(sending))) as Outcome;
      if (!outcome.ok) {
        throw outcome.error instanceof ResponseBroken ? outcome.error : new ConnectionLost(outcome.error);
      }
      if (outcome.value === "end") break;
      yield "write";
    }
    checkLength(sending);
    if (framing.kind === "chunked") connection.outbound.putAscii("0\r\n\r\n");
    isWhole = true;
  } catch (error) {
    // The pieces before the wrong one are sent, as they would have been if each had come alone.
    if (error instanceof ResponseBroken && connection.isOpen) yield* connection.flush();
    throw error;
  } finally {
    // A second failure of a stream that has failed or was cut tells nothing new.
    if (!isWhole) reader.cancel(exchange.cutReason).catch(() => {});
  }
}

/**
 * Sends piece after piece: to the end of the stream, or, if something reads the phases, up to the next piece. What the
 * stream has ready is gathered first. Then everything is written before the next piece is waited for.
 */
async function sendPieces(sending: Sending): Promise<"piece" | "end"> {
  const { connection, exchange, pieces } = sending;
  for (;;) {
    const { outbound } = connection;
    // A piece that the stream had queued is here after a microtask. The next read may change bytes that were not copied.
    if (outbound.size < GATHERED_BYTES && outbound.isCopied && pieces.ask()) await null;
    if (!pieces.isThere) {
      if (!sending.isHeadHeld) {
        // Not a call of `writeAll`, which would wait once more for each piece of a stream.
        for (let write = outbound.write(); write !== null; write = outbound.write()) outbound.wrote(await write);
        connection.endPostponed();
      }
      connection.watch();
    }
    let read: SourceRead;
    try {
      read = await pieces.reading;
    } catch (error) {
      throw new ResponseBroken("the body's stream failed", { cause: error });
    }
    pieces.taken();
    if (sending.isHeadHeld) {
      exchange.body.forgoContinue();
      sending.isHeadHeld = false;
    }
    // If the connection was ended meanwhile, `end` has released the wait for this call: nothing reads what it returns.
    if (read.done || !connection.isOpen) return "end";
    putPiece(sending, read.value);
    const pause = connection.options.streamBudget.take();
    if (pause !== null) {
      await writeAll(connection);
      connection.watch(); // If all pieces are empty, no write tells that the client has ended.
      await pause;
    }
    if (connection.enter("write")) return "piece";
  }
}

/** What `Connection.flush` does, outside of the protocol's generator. */
async function writeAll(connection: Connection): Promise<void> {
  const { outbound } = connection;
  for (let write = outbound.write(); write !== null; write = outbound.write()) outbound.wrote(await write);
  connection.endPostponed();
}

/** Reads a stream, and tells whether its next piece is there already. */
class Pieces {
  #reader: AnswerSource;
  /** The read under way; null if there is none. Set by `ask` and `reading`, cleared by `taken`. */
  #reading: Promise<SourceRead> | null = null;
  /** True once the read that `ask` has started is over. Cleared by `taken`. */
  #isThere = false;

  constructor(reader: AnswerSource) {
    this.#reader = reader;
  }

  /** True if the piece that was asked for, the end or a failure has come. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /**
   * Starts a read if none is under way.
   *
   * @returns true if it has started one
   */
  ask(): boolean {
    if (this.#reading !== null) return false;
    this.#reading = this.#reader.read();
    this.#reading.then(this.#onThere, this.#onThere);
    return true;
  }

  /** The read under way, which is started if there is none. Rejects with whatever the stream failed with. */
  get reading(): Promise<SourceRead> {
    return this.#reading ??= this.#reader.read();
  }

  /** Called when a read is over, so that the next piece is read anew. */
  taken(): void {
    this.#reading = null;
    this.#isThere = false;
  }

  #onThere = (): void => {
    this.#isThere = true;
  };
}

function putPiece({ connection, exchange, framing }: Sending, piece: Uint8Array): void {
  if (!(piece instanceof Uint8Array)) {
    throw new ResponseBroken(`a body's stream must give Uint8Array, it gave ${describe(piece)}`);
  }
  if (piece.length === 0) return;
  exchange.sent += piece.length;
  if (framing.kind === "chunked") return connection.outbound.putChunk(piece);
  if (framing.kind === "length" && exchange.sent > framing.length) {
    throw new ResponseBroken(`the body is longer than its content-length of ${framing.length}`);
  }
  connection.outbound.putBytes(piece);
}

function checkLength({ exchange, framing }: Sending): void {
  if (framing.kind === "length" && exchange.sent < framing.length) {
    throw new ResponseBroken(
      `the body ended after ${exchange.sent} of the ${framing.length} bytes of its content-length`,
    );
  }
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : typeof value;
}
