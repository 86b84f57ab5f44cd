// Knows: the order in which a connection reads, decides and writes.
// Does not know: time, other connections, the web's Request and Response.
// Rule: a phase is passed by `yield`, a wait is a promise that is yielded. What needs neither is a plain call.

import { StorageError } from "../platform/errors.ts";
import type { Answer } from "../wire/answer.ts";
import { SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { sendStream } from "./answer_stream.ts";
import { ask, callApplication, fail, NotYet, settle } from "./asking.ts";
import { passBody, readWhole } from "./body_reading.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { HandedSocket } from "./handed_socket.ts";
import { putAnswer, putRefusal, type Sending } from "./sending.ts";
import { flush, type Walk } from "./steps.ts";
import { AUTO_BODY_BYTES, MAX_DRAIN_BYTES, type Terms } from "./terms.ts";

/** Answers that wait together are written once they have as many bytes. */
const BATCH_BYTES = 64 * 1024;

/**
 * Walks a connection from its accept to its close.
 *
 * @param connection the connection; its socket is closed at the end, however it comes
 * @returns the walk, not begun
 */
export function* walk(connection: Connection): Walk {
  const { intake, outbox } = connection;
  const { inbox, reader } = intake;
  try {
    for (;;) {
      inbox.rest();
      if (connection.enter("idle")) yield "idle";
      // Whoever reads phases has seen how it ended; an idle connection does not hold the last request.
      connection.exchange = null;
      while (!reader.hasBegun()) {
        const { revision } = intake;
        if (outbox.size > 0) yield* flush(connection);
        if (inbox.ended) return;
        const change = intake.changedSince(revision, 1);
        if (change !== null) yield change;
      }
      if (connection.enter("header")) yield "header";
      let event = reader.next();
      while (event.kind === "needMore") {
        const { revision } = intake;
        if (outbox.size > 0) yield* flush(connection);
        const change = intake.changedSince(revision, SMALL_BUFFER_BYTES);
        if (change !== null) yield change;
        event = reader.next();
      }
      const exchange = connection.begin(event as RequestHead);

      let answer = isPlain(connection.terms, exchange) ? null : yield* prepare(connection, exchange);
      if (answer === null) {
        if (connection.enter("dispatch")) yield "dispatch";
        const outcome = callApplication(connection, exchange);
        answer = outcome instanceof NotYet ? yield* settle(connection, exchange, outcome) : outcome;
        if (exchange.interim !== null) yield exchange.interim;
      }

      exchange.status = answer.status;
      if (connection.enter("write")) yield "write";
      outbox.isBatch = inbox.size > 0;
      const put = tryPut(connection, exchange, answer);
      const sending = put instanceof NotYet ? yield* putFailure(connection, exchange, put.error) : put;
      if (sending.stream !== null) yield* sendStream(connection, exchange, sending.stream, sending.framing);
      // Answers to pipelined requests leave together, unless somebody waits for this one. Spelled out rather than
      // flushed by a walk of its own: every request comes by here.
      if (!sending.isPlain || inbox.size === 0 || outbox.size > BATCH_BYTES || exchange.isWatched) {
        for (let write = outbox.write(); write !== null; write = outbox.write()) outbox.wrote((yield write) as number);
      }
      exchange.finish();
      if (!sending.isPlain && !(yield* goOn(connection, exchange, sending))) break;
    }
  } catch (error) {
    connection.exchange?.cut(error);
    if (!(error instanceof ProtocolError)) throw error;
    if (connection.isGivenUp || intake.broken !== null || connection.phase === "drain") return;
    connection.refusal = error;
    putRefusal(connection, error);
    if (connection.enter("write")) yield "write";
    yield* flush(connection);
    yield* linger(connection);
  } finally {
    connection.exchange?.cut(intake.broken);
    if (!connection.isGivenUp) connection.close();
    inbox.close();
  }
}

/** Tells a request whose application can be called at once. */
function isPlain({ app }: Terms, { isBodyRead }: Exchange): boolean {
  return isBodyRead && app.accept === null;
}

/** What comes between the head and the application: asking whether it accepts, and reading a body that is read first. */
function* prepare(connection: Connection, exchange: Exchange): Walk<Answer | null> {
  const { terms, outbox } = connection;
  const { app } = terms;
  const answer = app.accept === null ? null : yield* ask(connection, exchange, app.accept);
  if (answer !== null) return answer;
  if (!exchange.isBodyRead && isReadFirst(terms, exchange)) {
    try {
      yield* readWhole(connection, exchange);
    } catch (error) {
      // No fault of the client's, and no end of the connection: the rest of the body may be short enough to read away.
      if (error instanceof StorageError) return yield* fail(connection, exchange, error);
      throw error;
    }
  }
  if (exchange.mustContinue && outbox.size > 0) yield* flush(connection);
  return null;
}

function isReadFirst(terms: Terms, exchange: Exchange): boolean {
  if (terms.body === "auto") return exchange.size >= 0 && exchange.size <= AUTO_BODY_BYTES;
  return terms.body === "whole";
}

/** Puts an answer into the outbox; one that cannot be sent is the application's error. */
function tryPut(connection: Connection, exchange: Exchange, answer: Answer): Sending | NotYet {
  try {
    return putAnswer(connection, exchange, answer);
  } catch (error) {
    // A stream that nobody will read holds a file or a connection of the application's.
    if (answer.body instanceof ReadableStream) answer.body.cancel(error).catch(() => {});
    return new NotYet(null, error);
  }
}

function* putFailure(connection: Connection, exchange: Exchange, error: unknown): Walk<Sending> {
  const answer = yield* fail(connection, exchange, error);
  exchange.status = answer.status;
  return putAnswer(connection, exchange, answer);
}

/** What comes behind an answer that is not plain: false where the connection ends. */
function* goOn(connection: Connection, exchange: Exchange, sending: Sending): Walk<boolean> {
  if (exchange.status === 101) {
    yield* handOver(connection, exchange);
    return false;
  }
  if (!exchange.isBodyRead) {
    if (connection.enter("drain")) yield "drain";
    if (sending.keepAlive && (yield* passBody(connection))) return true;
    yield* linger(connection);
  } else if (!sending.keepAlive && connection.intake.inbox.size > 0) yield* linger(connection);
  return sending.keepAlive && exchange.isBodyRead;
}

/**
 * Ends our side and reads on for a while, so that the client gets the answer rather than a reset (RFC 9112, section 9.6).
 */
function* linger(connection: Connection): Walk {
  const { intake, socket } = connection;
  const { inbox } = intake;
  if (connection.enter("drain")) yield "drain";
  yield socket.closeWrite();
  const most = intake.received + MAX_DRAIN_BYTES;
  while (!inbox.ended && intake.received < most) {
    inbox.at = inbox.end;
    const change = intake.changedSince(intake.revision, SMALL_BUFFER_BYTES);
    if (change !== null) yield change;
  }
}

/** Gives the socket to another protocol, with what has come of it already. */
function* handOver(connection: Connection, exchange: Exchange): Walk {
  const { inbox } = connection.intake;
  if (connection.enter("upgraded")) yield "upgraded";
  const first = inbox.bytes.slice(inbox.at, inbox.end);
  inbox.at = inbox.end;
  yield exchange.takeOver!(new HandedSocket(connection), first);
}
