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
  const { outbox } = connection;
  const length = framing.kind === "length" ? framing.length : Infinity;
  const reader = stream.getReader();
  let isWhole = false;
  // A stream may be made of the request's own body, and the client may wait for 100 before it sends any of that.
  exchange.isHeadHeld = exchange.mustContinue;
  try {
    for (;;) {
      for (let write = exchange.isHeadHeld ? null : outbox.write(); write !== null; write = outbox.write()) {
        outbox.wrote((yield write) as number);
      }
      connection.watch();
      const read = connection.orRelease(reader.read(), broken);
      const { done, value } = (yield read) as ReadableStreamReadResult<Uint8Array>;
      if (exchange.interim !== null) yield exchange.interim;
      exchange.isHeadHeld = false;
      if (done) break;
      if (!(value instanceof Uint8Array)) {
        throw new AnswerBroken(`a body's stream must give Uint8Array, it gave ${describe(value)}`);
      }
      if (value.length === 0) continue;
      exchange.sent += value.length;
      if (exchange.sent > length) throw new AnswerBroken(`the body is longer than its content-length of ${length}`);
      if (framing.kind === "chunked") outbox.putChunk(value);
      else outbox.putBytes(value);
      if (connection.enter("write")) yield "write";
    }
    if (framing.kind === "length" && exchange.sent < length) {
      throw new AnswerBroken(`the body ended after ${exchange.sent} of the ${length} bytes of its content-length`);
    }
    if (framing.kind === "chunked") outbox.putAscii("0\r\n\r\n");
    isWhole = true;
  } finally {
    // A stream that is done, has failed or is cut has nobody left to tell of a second failure.
    if (!isWhole) reader.cancel(exchange.cutReason).catch(() => {});
  }
}

/** Names the application's failure, so that it is not taken for the socket's. */
function broken(error: unknown): AnswerBroken {
  return new AnswerBroken("the body's stream failed", { cause: error });
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor?.name ?? "an object" : typeof value;
}
