// The order in which a connection reads, decides and writes, from its accept to its close.
// A phase and a wait are yielded; what needs neither is a plain call. No time, no other connections, no web Request.

import { StorageError } from "../platform/errors.ts";
import { type Answer, isStream } from "../wire/answer.ts";
import { SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { goOn, refuse } from "./after_answer.ts";
import type { Connection } from "./connection.ts";
import { ANSWERED, ConnectionLost, type Outcome } from "./endings.ts";
import type { Exchange } from "./exchange.ts";
import type { Application, ConnectionOptions } from "./options.ts";
import { AUTO_BODY_BYTES } from "./request_body.ts";
import { putAnswer, type ResponsePlan } from "./response.ts";
import { sendStream } from "./response_stream.ts";
import type { Steps } from "./steps.ts";

/** Answers that wait together are written once they have as many bytes. */
const BATCH_BYTES = 64 * 1024;

/** A wait in which the other requests of the batch are answered. */
const OTHERS_ANSWER = Promise.resolve();

/**
 * The protocol of one connection. It ends when the connection does.
 *
 * @param connection the connection
 * @returns the steps, not begun
 * @throws {ResponseBroken} if the application's stream fails
 */
export function* protocol(connection: Connection): Steps {
  const { inbound, outbound } = connection;
  const { inbox, reader } = inbound;
  const { app, proxies, readOrder } = connection.options;
  try {
    if (proxies !== null && proxies.greet !== null) yield* proxies.greet(connection);
    for (;;) {
      if (connection.enter("idle")) yield "idle";
      connection.rest(); // Not before the phase: its readers look at the exchange that has just ended.
      while (!reader.hasBegun()) {
        const { revision } = inbound;
        if (outbound.size > 0) yield* connection.flush();
        if (inbox.ended) return;
        const pause = readOrder.pause();
        if (pause !== null) yield pause;
        // A read ahead may still be under way, or have brought something.
        const change = inbound.isReading ? inbound.changedSince(revision, 1) : null;
        if (change !== null) yield change;
        else if (inbound.revision === revision) {
          const read = inbound.startRead();
          try {
            inbound.came((yield read) as number | null);
          } catch (error) {
            inbound.broke((error as ConnectionLost).cause); // drive.ts names every failure of a read so.
          }
        }
        readOrder.came();
      }
      if (connection.enter("header")) yield "header";
      let event = reader.next();
      while (event.kind === "needMore") {
        const { revision } = inbound;
        if (outbound.size > 0) yield* connection.flush();
        const change = inbound.changedSince(revision, SMALL_BUFFER_BYTES);
        if (change !== null) yield change;
        event = reader.next();
      }
      // Once a head has begun, the reader gives it, asks for more, or throws, as it does if the client ends in it.
      const exchange = connection.begin(event as RequestHead);

      const isReady = exchange.body.isRead && app.accept === null;
      let answer = isReady ? null : yield* prepare(connection, exchange);
      if (answer === null) {
        if (connection.enter("dispatch")) yield "dispatch";
        let called: Called | null = callApplication(app, exchange);
        answer = called.is === "answer" ? called.answer : yield* settle(connection, exchange, called);
        called = null; // It holds the answer, which is let go of below.
      }

      exchange.status = answer.status;
      if (connection.enter("write")) yield "write";
      outbound.isBatch = inbox.size > 0;
      let plan: ResponsePlan;
      try {
        plan = putAnswer(connection, exchange, answer);
      } catch (error) {
        plan = yield* putFailure(connection, exchange, { answer, error });
      }
      answer = null; // An idle connection would keep its body, of any size, until the next request.
      if (plan.stream !== null) yield* sendStream(connection, exchange, { ...plan, stream: plan.stream });
      else if (!plan.isPlain) exchange.body.forgoContinue();
      if (mustFlush(connection, exchange, plan)) {
        if (readOrder.writesTogether) yield OTHERS_ANSWER;
        // Spelled out instead of `flush`, because every request comes by here.
        for (let write = outbound.write(); write !== null; write = outbound.write()) {
          outbound.wrote(typeof write === "number" ? write : (yield write) as number);
        }
        connection.endPostponed();
        exchange.end(ANSWERED);
      } else connection.postpone(exchange);
      if (!plan.isPlain && !(yield* goOn(connection, exchange, plan))) return;
    }
  } catch (error) {
    if (error instanceof ConnectionLost) return connection.end({ why: "broken", error: error.cause });
    if (!(error instanceof ProtocolError)) {
      connection.end({ why: "broken", error });
      throw error;
    }
    yield* refuse(connection, error);
  } finally {
    // Otherwise the driver does it when the other protocol is done. The steps are not kept until then.
    if (connection.handedOver === null) connection.enterClosed();
  }
}

/** What comes between the head and the application: asking whether it accepts, and reading a body that is read first. */
function* prepare(connection: Connection, exchange: Exchange): Steps<Answer | null> {
  const { options, outbound } = connection;
  const { app } = options;
  const { body } = exchange;
  const answer = app.accept === null ? null : yield* ask(connection, exchange, app.accept);
  if (answer !== null) return answer;
  // 100 (Continue) is written past what waits in the outbound side, so the answers before it have to be gone.
  if (body.expectsContinue && outbound.size > 0) yield* connection.flush();
  if (body.isRead || !isReadFirst(options, exchange)) return null;
  try {
    yield* body.readAll(connection);
  } catch (error) {
    // Neither the client's fault nor the connection's end: the rest of the body may be short enough to read away.
    if (error instanceof StorageError) return yield* fail(connection, exchange, error);
    throw error;
  }
  return null;
}

/** Asks the application before the body is read; null if the request may pass. */
function* ask(
  connection: Connection,
  exchange: Exchange,
  accept: (exchange: Exchange) => unknown,
): Steps<Answer | null> {
  try {
    let result = accept(exchange);
    if (isThenable(result)) {
      const outcome = yield* awaitApplication(connection, exchange, result);
      if (!outcome.ok) return yield* fail(connection, exchange, outcome.error);
      result = outcome.value;
    }
    return connection.options.app.answerEarly(result);
  } catch (error) {
    if (error instanceof ConnectionLost) throw error;
    return yield* fail(connection, exchange, error);
  }
}

function isReadFirst({ body }: ConnectionOptions, { size }: Exchange): boolean {
  if (body === "auto") return size >= 0 && size <= AUTO_BODY_BYTES;
  return body === "whole";
}

/** What the application did when it was called. */
type Called =
  | { readonly is: "answer"; readonly answer: Answer }
  | { readonly is: "promise"; readonly promise: PromiseLike<unknown> }
  | { readonly is: "error"; readonly error: unknown };

function callApplication(app: Application, exchange: Exchange): Called {
  try {
    const result = app.handle(exchange);
    if (isThenable(result)) return { is: "promise", promise: result };
    return { is: "answer", answer: app.answer(result, exchange) };
  } catch (error) {
    return { is: "error", error };
  }
}

/** Makes an answer of what was promised or thrown. */
function* settle(
  connection: Connection,
  exchange: Exchange,
  called: Exclude<Called, { is: "answer" }>,
): Steps<Answer> {
  if (called.is === "error") return yield* fail(connection, exchange, called.error);
  const outcome = yield* awaitApplication(connection, exchange, called.promise);
  if (!outcome.ok) return yield* fail(connection, exchange, outcome.error);
  try {
    return connection.options.app.answer(outcome.value, exchange);
  } catch (error) {
    return yield* fail(connection, exchange, error);
  }
}

function* awaitApplication(
  connection: Connection,
  exchange: Exchange,
  promise: PromiseLike<unknown>,
): Steps<Outcome> {
  // Listens from the start: the promise may reject while earlier answers are written.
  const settled = connection.outcomeOf(promise);
  if (connection.outbound.size > 0 && !connection.outbound.isWriting) yield* connection.flush();
  connection.watch();
  const outcome = (yield settled) as Outcome;
  // If the connection was ended first, an answer may still come. Its stream may hold a file or a connection.
  if (exchange.isOver) promise.then((late) => discardAnswer(connection, exchange, late), () => {});
  return outcome;
}

function discardAnswer(connection: Connection, exchange: Exchange, result: unknown): void {
  try {
    const { body } = connection.options.app.answer(result, exchange);
    if (isStream(body)) body.cancel(exchange.cutReason).catch(() => {});
  } catch {
    // It was not an answer, and the client that would be told so is gone.
  }
}

/** Makes an answer of an error, unless the client is gone. */
function* fail(connection: Connection, exchange: Exchange, error: unknown): Steps<Answer> {
  if (exchange.isOver) throw new ConnectionLost(error);
  const answer = connection.options.app.fail(error, exchange);
  if (!isThenable(answer)) return answer;
  const outcome = (yield connection.outcomeOf(answer)) as Outcome;
  if (!outcome.ok) throw new ConnectionLost(outcome.error);
  return outcome.value as Answer;
}

/** An answer that cannot be sent is the application's error. */
function* putFailure(
  connection: Connection,
  exchange: Exchange,
  { answer, error }: { answer: Answer; error: unknown },
): Steps<ResponsePlan> {
  // A stream that is never read may hold a file or a connection of the application's.
  if (isStream(answer.body)) answer.body.cancel(error).catch(() => {});
  const other = yield* fail(connection, exchange, error);
  exchange.status = other.status;
  return putAnswer(connection, exchange, other);
}

/** Answers to pipelined requests are written together, unless something waits for this one to be written. */
function mustFlush(connection: Connection, exchange: Exchange, plan: ResponsePlan): boolean {
  const { inbound, outbound, options } = connection;
  return !plan.isPlain || inbound.inbox.size === 0 || outbound.size > BATCH_BYTES || exchange.isCompletionAwaited ||
    options.isObserved;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
