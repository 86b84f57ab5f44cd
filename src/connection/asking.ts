// Knows: how the application is asked, and what becomes of what it throws.
// Does not know: how its answer is sent.

import type { Answer } from "../wire/answer.ts";
import type { Connection } from "./connection.ts";
import type { Exchange } from "./exchange.ts";
import { flush, type Walk } from "./steps.ts";

/** What the application did instead of answering at once. */
export class NotYet {
  /** What it promised, or null where it threw. */
  readonly promise: PromiseLike<unknown> | null;
  readonly error: unknown;

  constructor(promise: PromiseLike<unknown> | null, error?: unknown) {
    this.promise = promise;
    this.error = error;
  }
}

/**
 * Runs the application.
 *
 * @param connection whose application
 * @param exchange what it is asked
 * @returns its answer, or what has to be settled first
 */
export function callApplication(connection: Connection, exchange: Exchange): Answer | NotYet {
  const { app } = connection.terms;
  try {
    const result = app.handle(exchange);
    return isThenable(result) ? new NotYet(result) : app.answer(result, exchange);
  } catch (error) {
    return new NotYet(null, error);
  }
}

/**
 * Makes an answer of what was promised or thrown.
 *
 * @param connection whose application
 * @param exchange what it was asked
 * @param notYet what it did
 * @returns its answer
 * @throws what was thrown, where there is nobody left to answer
 */
export function* settle(connection: Connection, exchange: Exchange, notYet: NotYet): Walk<Answer> {
  const { promise, error } = notYet;
  if (promise === null) return yield* fail(connection, exchange, error);
  try {
    return connection.terms.app.answer(yield* awaitResult(connection, exchange, promise), exchange);
  } catch (thrown) {
    return yield* fail(connection, exchange, thrown);
  }
}

/** Asks the application before the body is read; null where the request may pass. */
export function* ask(
  connection: Connection,
  exchange: Exchange,
  accept: (exchange: Exchange) => unknown,
): Walk<Answer | null> {
  try {
    let result = accept(exchange);
    if (isThenable(result)) result = yield* awaitResult(connection, exchange, result);
    return connection.terms.app.answerEarly(result);
  } catch (error) {
    return yield* fail(connection, exchange, error);
  }
}

function* awaitResult(connection: Connection, exchange: Exchange, result: PromiseLike<unknown>): Walk<unknown> {
  // Heard from the start: what is rejected while the answers before it are written must not be nobody's rejection.
  const settled = connection.orRelease(result);
  settled.catch(() => {});
  try {
    if (connection.outbox.size > 0 && !connection.outbox.isWriting) yield* flushOrCut(connection, exchange);
    connection.watch();
    return yield settled;
  } catch (error) {
    if (exchange.isOver) result.then((late) => throwAway(connection, exchange, late), () => {});
    throw error;
  }
}

function* flushOrCut(connection: Connection, exchange: Exchange): Walk {
  try {
    yield* flush(connection);
  } catch (error) {
    exchange.cut(error);
    throw error;
  }
}

/** Lets go of an answer that comes when the client is gone: its stream may hold a file or a connection. */
function throwAway(connection: Connection, exchange: Exchange, result: unknown): void {
  try {
    const body = connection.terms.app.answer(result, exchange).body;
    if (body instanceof ReadableStream) body.cancel(exchange.cutReason).catch(() => {});
  } catch {
    // It was no answer; there is nobody left to be told so.
  }
}

/** Makes an answer of an error, unless there is nobody left to answer. */
export function* fail(connection: Connection, exchange: Exchange, error: unknown): Walk<Answer> {
  if (exchange.isOver) throw error;
  const answer = connection.terms.app.fail(error, exchange);
  return isThenable(answer) ? (yield connection.orRelease(answer)) as Answer : answer;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === "function";
}
