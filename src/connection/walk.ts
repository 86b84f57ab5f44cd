// Knows: the order in which a connection reads, decides and writes.
// Does not know: time, other connections, the web's Request and Response.
// Rule: a phase is passed by `yield`, a wait is a promise that is yielded. What needs neither is a plain call.

import type { Answer } from "../wire/answer.ts";
import { SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { sendStream } from "./answer_stream.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { HandedSocket } from "./handed_socket.ts";
import { putAnswer, putContinue, putRefusal } from "./sending.ts";
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
  const { intake, outbox, terms } = connection;
  const { inbox, reader } = intake;
  const { app } = terms;
  try {
    for (;;) {
      inbox.rest();
      yield connection.enter("idle");
      // Whoever reads phases has seen how it ended; an idle connection does not hold the last request.
      connection.exchange = null;
      if (inbox.size === 0) {
        if (outbox.size > 0) yield* flush(connection);
        if (!inbox.ended) yield intake.fill(1);
        if (inbox.size === 0) break;
      }
      yield connection.enter("header");
      let event = reader.next();
      while (event.kind === "needMore") {
        if (outbox.size > 0) yield* flush(connection);
        yield intake.fill(SMALL_BUFFER_BYTES);
        event = reader.next();
      }
      if (event.kind === "closed") break;
      const exchange = connection.begin(event as RequestHead);

      let answer = app.accept === null ? null : yield* ask(connection, exchange, app.accept);
      if (answer === null) {
        if (!exchange.isBodyRead && isReadFirst(terms, exchange)) yield* readWhole(connection, exchange);
        if (exchange.mustContinue && outbox.size > 0) yield* flush(connection);
        yield connection.enter("dispatch");
        try {
          const result = app.handle(exchange);
          answer = isThenable(result)
            ? yield* awaitAnswer(connection, exchange, result)
            : app.answer(result, exchange)!;
        } catch (error) {
          answer = yield* fail(connection, exchange, error);
        }
        if (exchange.interim !== null) yield exchange.interim;
      }

      exchange.status = answer.status;
      yield connection.enter("write");
      let sending;
      try {
        sending = putAnswer(connection, exchange, answer);
      } catch (error) {
        // A stream that nobody will read holds a file or a connection of the application's.
        if (answer.body instanceof ReadableStream) answer.body.cancel(error).catch(() => {});
        answer = yield* fail(connection, exchange, error);
        exchange.status = answer.status;
        sending = putAnswer(connection, exchange, answer);
      }
      if (answer.body instanceof ReadableStream) yield* sendStream(connection, exchange, answer.body, sending.framing);
      // Answers to pipelined requests leave together, unless somebody waits for this one.
      const isLast = inbox.size === 0 || !exchange.isBodyRead || !sending.keepAlive || answer.status === 101;
      if (isLast || outbox.size > BATCH_BYTES || exchange.isWatched) {
        for (let write = outbox.write(); write !== null; write = outbox.write()) outbox.wrote((yield write) as number);
      }
      exchange.finish();
      if (exchange.takeOver !== null && answer.status === 101) return yield* handOver(connection, exchange);
      if (!exchange.isBodyRead) {
        yield connection.enter("drain");
        if (!sending.keepAlive || !(yield* passBody(connection))) return yield* linger(connection);
      } else if (!sending.keepAlive) {
        if (inbox.size > 0) yield* linger(connection);
        break;
      }
    }
  } catch (error) {
    connection.exchange?.cut(error);
    if (!(error instanceof ProtocolError)) throw error;
    if (connection.isGivenUp || intake.broken !== null || connection.phase === "drain") return;
    connection.refusal = error;
    putRefusal(connection, error);
    yield connection.enter("write");
    yield* flush(connection);
    yield* linger(connection);
  } finally {
    connection.exchange?.cut(intake.broken);
    if (!connection.isGivenUp) connection.close();
    inbox.close();
  }
}

function isReadFirst(terms: Terms, exchange: Exchange): boolean {
  if (terms.body === "auto") return exchange.size >= 0 && exchange.size <= AUTO_BODY_BYTES;
  return terms.body === "whole";
}

/** Asks the application before the body is read. */
function* ask(
  connection: Connection,
  exchange: Exchange,
  accept: (exchange: Exchange) => unknown,
): Walk<Answer | null> {
  try {
    let result = accept(exchange);
    if (isThenable(result)) result = yield* awaitResult(connection, exchange, result);
    return connection.terms.app.answer(result, exchange);
  } catch (error) {
    return yield* fail(connection, exchange, error);
  }
}

function* awaitAnswer(connection: Connection, exchange: Exchange, result: PromiseLike<unknown>): Walk<Answer> {
  return connection.terms.app.answer(yield* awaitResult(connection, exchange, result), exchange)!;
}

function* awaitResult(connection: Connection, exchange: Exchange, result: PromiseLike<unknown>): Walk<unknown> {
  if (connection.outbox.size > 0 && !connection.outbox.isWriting) yield* flush(connection);
  connection.watch();
  try {
    return yield connection.orRelease(result);
  } catch (error) {
    if (exchange.isOver) result.then((late) => throwAway(connection, exchange, late), () => {});
    throw error;
  }
}

/** Lets go of an answer that comes when the client is gone: its stream may hold a file or a connection. */
function throwAway(connection: Connection, exchange: Exchange, result: unknown): void {
  try {
    const body = connection.terms.app.answer(result, exchange)?.body;
    if (body instanceof ReadableStream) body.cancel(exchange.cutReason).catch(() => {});
  } catch {
    // It was no answer; there is nobody left to be told so.
  }
}

/** Makes an answer of an error, unless there is nobody left to answer. */
function* fail(connection: Connection, exchange: Exchange, error: unknown): Walk<Answer> {
  if (exchange.isOver) throw error;
  const answer = connection.terms.app.fail(error, exchange);
  return isThenable(answer) ? (yield connection.orRelease(answer)) as Answer : answer;
}

/** Reads all of a body before the application runs. It stays in one piece in the inbox where its length is known. */
function* readWhole(connection: Connection, exchange: Exchange): Walk {
  const { intake } = connection;
  const { inbox, reader } = intake;
  if (exchange.mustContinue && inbox.size === 0) {
    putContinue(connection, exchange);
    yield* flush(connection);
  }
  exchange.mustContinue = false;
  const pieces: Uint8Array[] = [];
  exchange.isWaitingForBody = true;
  yield connection.enter("body");
  const left = exchange.size;
  while (left > inbox.size && !inbox.ended) {
    if (connection.outbox.size > 0) yield* flush(connection);
    // What the head claims is not set aside at once: it may be a lie.
    yield intake.fill(Math.min(left - inbox.size, Math.max(AUTO_BODY_BYTES, inbox.size)));
    exchange.received = Math.min(inbox.size, left);
    yield connection.enter("body");
  }
  for (let event = reader.next(); event.kind !== "end"; event = reader.next()) {
    if (event.kind === "data") {
      exchange.received += exchange.size < 0 ? event.bytes.length : 0;
      pieces.push(exchange.size < 0 ? event.bytes.slice() : event.bytes);
    } else {
      if (connection.outbox.size > 0) yield* flush(connection);
      yield intake.fillForBody();
      yield connection.enter("body");
    }
  }
  inbox.hold();
  exchange.isWaitingForBody = false;
  exchange.isBodyRead = true;
  exchange.received = pieces.reduce((sum, piece) => sum + piece.length, 0);
  exchange.wholeBody = pieces.length === 1 ? pieces[0] : join(pieces, exchange.received);
}

function join(pieces: Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
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
  const { intake, outbox } = connection;
  try {
    for (;;) {
      const event = intake.reader.next();
      if (event.kind === "data") {
        exchange.received += event.bytes.length;
        return intake.own(event.bytes);
      }
      if (event.kind === "end") {
        exchange.isBodyRead = true;
        connection.watch();
        return null;
      }
      if (exchange.mustContinue && exchange.status === 0 && intake.inbox.size === 0) {
        putContinue(connection, exchange);
        exchange.interim = (async () => {
          for (let write = outbox.write(); write !== null; write = outbox.write()) outbox.wrote(await write);
        })();
        await exchange.interim;
        exchange.interim = null;
      }
      exchange.mustContinue = false;
      exchange.isWaitingForBody = true;
      await intake.fillForBody();
      exchange.isWaitingForBody = false;
      if (connection.isGivenUp) throw new ProtocolError("too-slow", 408, "the body came too slowly");
      if (exchange.isOver) throw new ProtocolError("cut-short", 400, "the request was over before its body");
    }
  } catch (error) {
    exchange.isBodyBroken = true;
    throw error;
  }
}

/** Reads what an application left of its request's body. False where that would take too long. */
function* passBody(connection: Connection): Walk<boolean> {
  const { intake } = connection;
  for (let passed = 0; passed <= MAX_DRAIN_BYTES;) {
    const event = intake.reader.next();
    if (event.kind === "end") return true;
    if (event.kind === "data") passed += event.bytes.length;
    else yield intake.fill(SMALL_BUFFER_BYTES);
  }
  return false;
}

/**
 * Ends our side and reads on for a while, so that the client gets the answer rather than a reset (RFC 9112, section 9.6).
 */
function* linger(connection: Connection): Walk {
  const { intake, socket } = connection;
  const { inbox } = intake;
  yield connection.enter("drain");
  yield socket.closeWrite();
  const most = intake.received + MAX_DRAIN_BYTES;
  while (!inbox.ended && intake.received < most) {
    inbox.at = inbox.end;
    yield intake.fill(SMALL_BUFFER_BYTES);
  }
}

/** Gives the socket to another protocol, with what has come of it already. */
function* handOver(connection: Connection, exchange: Exchange): Walk {
  const { inbox } = connection.intake;
  yield connection.enter("upgraded");
  const first = inbox.bytes.slice(inbox.at, inbox.end);
  inbox.at = inbox.end;
  yield exchange.takeOver!(new HandedSocket(connection), first);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
