// Puts an answer into the outbound side, and tells whether another request may follow.

import {
  type Answer,
  type AnswerFraming,
  type AnswerSource,
  frameAnswer,
  isStream,
  readFields,
  writeHead,
} from "../wire/answer.ts";
import { reasonOf } from "../wire/reasons.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { Exchange } from "./exchange.ts";
import type { ConnectionOptions } from "./options.ts";
import type { Outbound } from "./outbound.ts";

const encoder = new TextEncoder();

/** Where an answer goes. A connection is one. */
export interface ResponseTarget {
  readonly outbound: Outbound;
  readonly options: ConnectionOptions;
  readonly closeAfterAnswer: boolean;
}

/** How an answer is sent. */
export interface ResponsePlan {
  /** How the end of the body is told. */
  readonly framing: AnswerFraming;
  /** The body if it is a stream, to be sent after the head; otherwise null. */
  readonly stream: ReadableStream<Uint8Array> | AnswerSource | null;
  /** True if another request may follow. */
  readonly keepAlive: boolean;
  /** True if the next request can be looked for as soon as the answer is sent. */
  readonly isPlain: boolean;
}

/**
 * Puts an answer into the outbound side: all of it, or its head if the body is a stream.
 *
 * @param target where to
 * @param exchange what is answered
 * @param answer the answer
 * @returns how it is sent
 * @throws {TypeError} if the answer cannot be sent; nothing was put then
 */
export function putAnswer(target: ResponseTarget, exchange: Exchange, answer: Answer): ResponsePlan {
  const { outbound, options } = target;
  const { head } = exchange;
  const { body, block } = answer;
  if (block != null && typeof body === "string" && canUseBlock(target, exchange)) {
    if (outbound.putBlock(block.upToLength(options.date), body)) {
      exchange.sent = body.length;
      return BLOCK_SENT;
    }
  }
  const isSwitch = answer.status === 101;
  if (isSwitch && exchange.takeOver === null) {
    throw new TypeError(
      "Cannot answer 101 (Switching Protocols): expected the application to take the connection over, and it has not",
    );
  }
  const said = readFields(answer);
  const bytes = typeof body === "string" && head.method === "HEAD" ? encoder.encode(body) : body;
  const framing = frameAnswer(answer, head, lengthOf(bytes, said.contentLength, head.method));
  // After a switch the other protocol decides what becomes of the connection.
  const keepAlive = isSwitch ||
    framing.kind !== "close" && head.keepAlive && !target.closeAfterAnswer && !said.close &&
      exchange.body.canBeDiscarded;
  const text = writeHead(answer, { framing, minor: head.minor, keepAlive, date: options.date });
  if (framing.kind === "none" || head.method === "HEAD" || bytes === null) outbound.putLatin1(text);
  else if (typeof bytes === "string") putText(target, exchange, answer, { text, keepAlive });
  else {
    outbound.putLatin1(text);
    if (bytes instanceof Uint8Array) {
      outbound.putBytes(bytes);
      exchange.sent = bytes.length;
    }
  }
  const stream = isStream(body) ? body : null;
  return { framing, stream, keepAlive, isPlain: keepAlive && exchange.body.isRead && !isSwitch };
}

/** What a header block says of the connection: HTTP/1.1, it goes on, and the length is that of the body. */
const BLOCK_SENT: ResponsePlan = {
  framing: { kind: "length", length: 0 },
  stream: null,
  keepAlive: true,
  isPlain: true,
};

function canUseBlock({ closeAfterAnswer }: ResponseTarget, { head, body }: Exchange): boolean {
  return body.isRead && head.keepAlive && head.minor === 1 && !closeAfterAnswer && head.method !== "HEAD";
}

/** The common case in one piece: an ASCII text has as many bytes as characters, so the head has the right length. */
function putText(
  target: ResponseTarget,
  exchange: Exchange,
  answer: Answer,
  { text, keepAlive }: { text: string; keepAlive: boolean },
): void {
  const { outbound, options } = target;
  const body = answer.body as string;
  exchange.sent = body.length;
  if (outbound.putAscii(text + body)) return;
  const bytes = encoder.encode(body);
  const framing: AnswerFraming = { kind: "length", length: bytes.length };
  outbound.putLatin1(writeHead(answer, { framing, minor: exchange.head.minor, keepAlive, date: options.date }));
  outbound.putBytes(bytes);
  exchange.sent = bytes.length;
}

/** The length of a body in bytes, or -1 while it is not known. */
function lengthOf(body: Answer["body"], contentLength: number, method: string): number {
  if (typeof body === "string" || body instanceof Uint8Array) return body.length;
  if (body === null) return method === "HEAD" ? -1 : 0;
  return contentLength;
}

/**
 * Puts the answer to a client that has broken the protocol.
 *
 * @param target where to; it is the last answer
 * @param error what the client did wrong
 */
export function putRefusal({ outbound, options }: ResponseTarget, error: ProtocolError): void {
  const bytes = encoder.encode(`${error.status} ${reasonOf(error.status)}: ${error.message}\n`);
  const fields = [["content-type", "text/plain;charset=UTF-8"]] as const;
  const answer: Answer = { status: error.status, reason: "", fields, body: bytes, block: null };
  const framing: AnswerFraming = { kind: "length", length: bytes.length };
  outbound.putLatin1(writeHead(answer, { framing, minor: 1, keepAlive: false, date: options.date }));
  outbound.putBytes(bytes);
}
