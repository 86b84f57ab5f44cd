// One request to a FastCGI backend, from the wait for a connection to the last byte of its answer.
//
//   state     what it means                                                       next
//   waiting   for a connection                                                    asking, over
//   asking    the request is sent; the head of the answer has not come            answering, waiting (once more), over
//   answering the head of the answer has come; its body is read as it is wanted   over
//   over      the connection was given back or closed                             -
//
// The request is sent while the answer is read: a backend may answer before it has read all, and neither side may block the
// other. A request ends in `#finish`, whatever ends it. `fail` is for the client, the clock and the sending of the body.

import { giveBuffer } from "../connection/buffer_pool.ts";
import type { Exchange } from "../connection/exchange.ts";
import { messageOf } from "../platform/log.ts";
import type { Answer, AnswerSource, SourceRead } from "../wire/answer.ts";
import { CgiError, type CgiHead } from "../wire/cgi_response.ts";
import { FastCgiError } from "../wire/fastcgi_records.ts";
import { AnswerReader, type Part, type ReadingOptions } from "./answer_reader.ts";
import type { BackendConnection } from "./backend_connection.ts";
import { BackendError, wrongLength } from "./backend_error.ts";
import type { BackendWatch, Watched } from "./backend_watch.ts";
import type { Backends, Turn } from "./backends.ts";
import type { RequestContent } from "./request_content.ts";
import { RequestSender } from "./request_sender.ts";

/** What all conversations with a backend share. */
export interface ConversationParts extends ReadingOptions {
  backends: Backends;
  watch: BackendWatch;
}

/** What is asked. */
export interface Question {
  exchange: Exchange;
  /** The records that the request begins with, in a pooled buffer; the whole request unless the content is a stream. */
  records: { readonly buffer: Uint8Array; readonly length: number };
  content: RequestContent;
  isKept: boolean; // True if the backend was told to keep the connection.
}

/** A connection, and both directions of the request on it. */
interface Line {
  readonly connection: BackendConnection;
  readonly sender: RequestSender;
  readonly reader: AnswerReader;
}

/** Where it stands. */
type State =
  | { readonly at: "waiting"; readonly turn: Turn }
  | { readonly at: "asking" | "answering"; readonly line: Line }
  | { readonly at: "over"; readonly error: unknown };

/** Methods that may be sent again if it is not known whether the first was acted on (RFC 9110, section 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"]);
/** Statuses without a body (RFC 9112, section 6.3). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 304]);
const DONE: SourceRead = { done: true, value: undefined };

/** A request to a backend. It gives the body of its answer, too. */
export class Conversation implements AnswerSource, Watched {
  #parts: ConversationParts;
  #question: Question;
  #state: State;
  /** Bytes of the answer's body that were given, and that the backend has promised (-1 if it has not). */
  #given = 0;
  #promised = -1;
  /** True once the rest of the answer is read away. */
  #isReadAway = false;

  /**
   * Begins to wait for a connection.
   *
   * @param question what is asked
   * @param parts what all conversations share
   */
  constructor(question: Question, parts: ConversationParts) {
    this.#question = question;
    this.#parts = parts;
    this.#state = { at: "waiting", turn: parts.backends.take() };
    question.exchange.onCut = (reason) => this.fail(reason);
    parts.watch.add(this);
  }

  get moves(): number {
    // A program that writes for ever would never end, and the client that would leave has its answer already.
    if (this.#isReadAway) return -1;
    const state = this.#state;
    return state.at === "asking" || state.at === "answering"
      ? 1 + state.line.sender.writes + state.line.reader.reads
      : 0;
  }

  get isBackendAwaited(): boolean {
    const state = this.#state;
    if (state.at !== "asking" && state.at !== "answering") return state.at === "waiting";
    const { sender, reader } = state.line;
    return sender.isWriting || (reader.isReading && !sender.isClientAwaited);
  }

  /** Gives the backend up, because it has not moved for too long. */
  timeOut(timeoutMs: number): void {
    const [status, what] = this.#state.at === "waiting"
      ? [503, "no connection became free"] as const
      : [504, "it has not answered"] as const;
    const setting = "(--backend-timeout, or timeoutMs)";
    this.fail(new BackendError(status, `${what} within ${timeoutMs / 1_000} s ${setting}`));
  }

  /**
   * Waits for the answer. Called once.
   *
   * @returns it, with a body that may have to be read from here
   * @throws {BackendError} if there is none
   */
  async answer(): Promise<Answer> {
    try {
      return await this.#ask();
    } catch (error) {
      if (!this.#isStale(error)) throw this.#failed(error);
    }
    // The backend had closed a connection that was kept. The others are as old, so the next one is new.
    const { backends } = this.#parts;
    this.#release(false);
    backends.closeKept();
    this.#state = { at: "waiting", turn: backends.take() };
    try {
      return await this.#ask();
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** True if the next piece, or the end, is here. */
  get #isReady(): boolean {
    const state = this.#state;
    return state.at === "over" || (state.at === "answering" && state.line.reader.isReady);
  }

  /** Gives the next piece of the answer's body. */
  read(): Promise<SourceRead> {
    if (!this.#isReady) return this.#readOn();
    try {
      const { reader } = this.#line;
      return Promise.resolve(this.#pieceOf(reader.takePart(), reader));
    } catch (error) {
      return Promise.reject(this.#failed(error));
    }
  }

  /** Ends the conversation because the answer is not wanted any more. */
  cancel(reason: unknown): Promise<void> {
    this.fail(reason);
    return Promise.resolve();
  }

  /**
   * Ends the conversation. What waits for the backend is rejected with the error. Does nothing if it is over.
   *
   * @param error why
   */
  fail(error: unknown): void {
    const state = this.#state;
    if (state.at === "over") return;
    this.#finish(error);
    if (state.at === "waiting") state.turn.leave(error);
  }

  get #line(): Line {
    const state = this.#state;
    if (state.at === "asking" || state.at === "answering") return state.line;
    throw state.at === "over" ? state.error : new TypeError("the request has no connection yet");
  }

  async #ask(): Promise<Answer> {
    const { exchange, records, content } = this.#question;
    const waiting = this.#state;
    if (waiting.at !== "waiting") throw waiting.at === "over" ? waiting.error : new TypeError("it was asked already");
    const connection = await waiting.turn.promise;
    if (this.#state !== waiting) {
      // It ended in the moment in which it got its connection.
      this.#parts.backends.give(connection, false);
      throw (this.#state as State & { at: "over" }).error;
    }
    const sender = new RequestSender(connection);
    const line = { connection, sender, reader: new AnswerReader(connection, this.#parts) };
    this.#state = { at: "asking", line };
    const pieces = content.kind === "stream" ? content.pieces : null;
    // If it fails, the client has left or has sent what is not a body, or a file could not be read.
    sender.send(records.buffer.subarray(0, records.length), pieces, () => this.#state.at === "over")
      .catch((error) => this.fail(error));
    const head = await line.reader.readHead();
    this.#state = { at: "answering", line };
    return this.#answerOf(head, line, exchange.head.method);
  }

  #answerOf(head: CgiHead, { connection, reader }: Line, method: string): Answer {
    const { status, reason, fields, contentLength } = head;
    const answer = { status, reason, fields, block: null };
    if (method === "HEAD" || WITHOUT_BODY.has(status)) {
      this.#readAway(reader);
      return { ...answer, body: null };
    }
    this.#promised = contentLength;
    if (!reader.hasEnded) return { ...answer, body: this };
    const { start, end } = reader.takePart() ?? { start: 0, end: 0 };
    if (contentLength >= 0 && contentLength !== end - start) throw wrongLength(end - start, contentLength);
    const body = connection.buffer.slice(start, end);
    this.#finish(null);
    return { ...answer, body };
  }

  async #readOn(): Promise<SourceRead> {
    try {
      const { reader } = this.#line;
      let part = reader.takePart();
      while (part === null && !reader.hasEnded && this.#given !== this.#promised) {
        await reader.readMore();
        part = reader.takePart();
      }
      return this.#pieceOf(part, reader);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** A part of the body as the engine takes it, or the end. */
  #pieceOf(part: Part | null, reader: AnswerReader): SourceRead {
    if (part !== null) {
      const { start, end } = part;
      this.#given += end - start;
      return { done: false, value: this.#line.connection.buffer.subarray(start, end) };
    }
    if (!reader.hasEnded) this.#readAway(reader); // The client has everything, and does not wait for the program to end.
    else if (this.#given < this.#promised) throw wrongLength(this.#given, this.#promised);
    else this.#finish(null);
    return DONE;
  }

  /** Reads to the end of an answer whose rest is not sent, so that the program can finish its work within the timeout. */
  async #readAway(reader: AnswerReader): Promise<void> {
    this.#isReadAway = true;
    try {
      await reader.readAway();
      this.#finish(null);
    } catch (error) {
      this.#failed(error); // The client has its answer.
    }
  }

  /** True if a kept connection was found closed, and the request can be sent again. */
  #isStale(error: unknown): boolean {
    const state = this.#state;
    if (state.at !== "asking" || error instanceof FastCgiError || error instanceof CgiError) return false;
    const { connection, sender, reader } = state.line;
    if (connection.answered === 0 || reader.reads > 0) return false;
    const { exchange, content } = this.#question;
    // If nothing was sent, a body that is a stream was not touched either.
    return sender.writes === 0 || (content.kind === "none" && IDEMPOTENT.has(exchange.head.method));
  }

  /** Ends the conversation after an error, and gives the error to pass on. */
  #failed(error: unknown): unknown {
    const state = this.#state;
    // What ended it has closed the connection, and so broken what was under way.
    if (state.at === "over") return state.error ?? error;
    const isKnown = error instanceof BackendError;
    const known = isKnown ? error : new BackendError(502, messageOf(error), { cause: error });
    this.fail(known);
    return known;
  }

  /** The one end of it: gives the connection back. */
  #finish(error: unknown): void {
    if (this.#state.at === "over") return;
    const { exchange, content } = this.#question;
    // Before the whole request was sent, the system may still read from the buffer.
    if (this.#isSent) giveBuffer(this.#question.records.buffer);
    this.#release(error === null);
    this.#state = { at: "over", error };
    this.#parts.watch.delete(this);
    exchange.onCut = null;
    if (content.kind === "stream") content.pieces.remove();
  }

  get #isSent(): boolean {
    const state = this.#state;
    return (state.at === "asking" || state.at === "answering") && state.line.sender.isComplete;
  }

  #release(isComplete: boolean): void {
    const state = this.#state;
    if (state.at !== "asking" && state.at !== "answering") return;
    const { connection, sender, reader } = state.line;
    reader.end();
    const isClean = reader.hasEnded && sender.isComplete && connection.reader.isBetweenRecords;
    this.#parts.backends.give(connection, isComplete && isClean && this.#question.isKept);
  }
}
