// Knows: how an answer becomes a head and a body in the outbox, and whether the connection can go on behind it.
// Does not know: when the outbox is written, or how a stream is read (walk.ts).

import {
  type Answer,
  type AnswerFraming,
  frameAnswer,
  readFields,
  reasonOf,
  writeHead,
  writeInterim,
} from "../wire/answer.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { MAX_DRAIN_BYTES } from "./terms.ts";

const encoder = new TextEncoder();

/** How an answer goes out. */
export interface Sending {
  /** How its end is told. */
  readonly framing: AnswerFraming;
  /** The body, where it is a stream that has to be sent behind the head. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** True where another request may follow. */
  readonly keepAlive: boolean;
  /** True where the next request can be looked for as soon as the answer is out. */
  readonly isPlain: boolean;
}

/**
 * Puts an answer into the outbox: all of it, or its head where the body is a stream.
 *
 * @param connection where to
 * @param exchange what is answered
 * @param answer the answer
 * @returns how it goes out
 * @throws {TypeError} where the answer cannot be sent; nothing was put then
 */
export function putAnswer(connection: Connection, exchange: Exchange, answer: Answer): Sending {
  const { outbox, terms } = connection;
  const { head } = exchange;
  const { body, block } = answer;
  if (block != null && typeof body === "string" && canUseBlock(connection, exchange)) {
    if (outbox.putBlock(block.upToLength(terms.date), body)) {
      exchange.sent = body.length;
      return BLOCK_SENT;
    }
  }
  const isSwitch = answer.status === 101;
  if (isSwitch && exchange.takeOver === null) {
    throw new TypeError(
      "expected somebody to take the connection over, the answer is 101 (Switching Protocols) without",
    );
  }
  const said = readFields(answer);
  const bytes = typeof body === "string" && head.method === "HEAD" ? encoder.encode(body) : body;
  const framing = frameAnswer(answer, head, lengthOf(bytes, said.contentLength, head.method));
  // What becomes of a connection that is handed over is the other protocol's matter.
  const keepAlive = isSwitch ||
    framing.kind !== "close" && head.keepAlive && !connection.closeAfterAnswer && !said.close &&
      canPassBody(connection, exchange);
  const text = writeHead(answer, { framing, minor: head.minor, keepAlive, date: terms.date });
  if (framing.kind === "none" || head.method === "HEAD" || bytes === null) outbox.putLatin1(text);
  else if (typeof bytes === "string") putText(connection, exchange, answer, { text, keepAlive });
  else {
    outbox.putLatin1(text);
    if (bytes instanceof Uint8Array) {
      outbox.putBytes(bytes);
      exchange.sent = bytes.length;
    }
  }
  const stream = body instanceof ReadableStream ? body : null;
  return { framing, stream, keepAlive, isPlain: keepAlive && exchange.isBodyRead && !isSwitch };
}

/** What a block says of the connection: HTTP/1.1, it goes on, and the length is that of the body. */
const BLOCK_SENT: Sending = {
  framing: { kind: "length", length: 0 },
  stream: null,
  keepAlive: true,
  isPlain: true,
};

function canUseBlock({ closeAfterAnswer }: Connection, { head, isBodyRead }: Exchange): boolean {
  return isBodyRead && head.keepAlive && head.minor === 1 && !closeAfterAnswer && head.method !== "HEAD";
}

/** The common case in one piece: a text that is ASCII has as many bytes as characters, so its length was right. */
function putText(
  connection: Connection,
  exchange: Exchange,
  answer: Answer,
  { text, keepAlive }: { text: string; keepAlive: boolean },
): void {
  const { outbox, terms } = connection;
  const body = answer.body as string;
  exchange.sent = body.length;
  if (outbox.putAscii(text + body)) return;
  const bytes = encoder.encode(body);
  const framing: AnswerFraming = { kind: "length", length: bytes.length };
  outbox.putLatin1(writeHead(answer, { framing, minor: exchange.head.minor, keepAlive, date: terms.date }));
  outbox.putBytes(bytes);
  exchange.sent = bytes.length;
}

/** The length of a body in bytes as far as it is known now; -1 where it is not. */
function lengthOf(body: Answer["body"], contentLength: number, method: string): number {
  if (typeof body === "string" || body instanceof Uint8Array) return body.length;
  if (body === null) return method === "HEAD" ? -1 : 0;
  return contentLength;
}

/** Whether what is left of the request's body can be read away, so that the next request is found behind it. */
function canPassBody(connection: Connection, exchange: Exchange): boolean {
  if (exchange.isBodyRead) return true;
  if (exchange.isBodyBroken || exchange.mustContinue) return false;
  return connection.intake.reader.bodyLeft <= MAX_DRAIN_BYTES;
}

/**
 * Puts the answer to a client that has broken the protocol.
 *
 * @param connection where to; its last answer
 * @param error what the client did wrong
 */
export function putRefusal(connection: Connection, error: ProtocolError): void {
  const body = `${error.status} ${reasonOf(error.status)}: ${error.message}\n`;
  const fields = [["content-type", "text/plain;charset=UTF-8"]] as const;
  const bytes = encoder.encode(body);
  const answer: Answer = { status: error.status, reason: "", fields, body: bytes, block: null };
  const framing: AnswerFraming = { kind: "length", length: bytes.length };
  connection.outbox.putLatin1(writeHead(answer, { framing, minor: 1, keepAlive: false, date: connection.terms.date }));
  connection.outbox.putBytes(bytes);
}

/** The bytes of 100 (Continue). */
export const CONTINUE: Uint8Array = encoder.encode(writeInterim(100));

/**
 * Puts 100 (Continue), for a client that waits for it (RFC 9110, section 10.1.1).
 *
 * @param connection where to
 * @param exchange the request that expects it
 */
export function putContinue(connection: Connection, exchange: Exchange): void {
  exchange.mustContinue = false;
  connection.outbox.putBytes(CONTINUE);
}
