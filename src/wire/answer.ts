// What a response is made of before it is bytes, and how its head is written (RFC 9112, sections 4 to 6).
// A field that would break the message is an error of the application, never sent.

import { TCHAR } from "./octets.ts";
import { reasonOf } from "./reasons.ts";

/** A head as bytes that lacks only the digits of its length (head_block.ts). */
export interface HeaderBlock {
  /**
   * The head up to the digits of its length.
   *
   * @param date the value of Date
   * @returns bytes that must not be changed
   */
  upToLength(date: string): Uint8Array;
}

/** What a handler answered, in the terms of the wire. */
export interface Answer {
  /** Status code, 200 to 599, or 101. */
  readonly status: number;
  /** Reason phrase; empty for the one that RFC 9110 gives the status. */
  readonly reason: string;
  /** Fields in the order given; names in any case. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Null for no body. A string is sent as UTF-8. */
  readonly body: AnswerBody;
  /** The head in bytes, if it is sent again and again. */
  readonly block?: HeaderBlock | null;
}

/** What a read of a body gives: a piece, or the end. */
export type SourceRead =
  | { readonly done: false; readonly value: Uint8Array }
  | { readonly done: true; readonly value?: Uint8Array | undefined };

/**
 * A body that is read piece by piece, no sooner than the client takes it. It does without the cost of a web stream; the reader
 * of a web stream is one. Bytes that were read may change with the next read. No read is under way when the next one begins.
 */
export interface AnswerSource {
  /** The next piece, or `done` after the last. Rejects if the body breaks off. */
  read(): Promise<SourceRead>;
  /** Called instead of further reads, and perhaps while one is under way. Called after the last piece, it does nothing. */
  cancel(reason: unknown): Promise<void>;
}

/** What can be sent as a body. */
export type AnswerBody = null | string | Uint8Array | ReadableStream<Uint8Array> | AnswerSource;

/**
 * Tells a stream from the other bodies. An application may have replaced the global `ReadableStream`, so its class says nothing.
 *
 * @param body any body
 * @returns true if it has to be read piece by piece
 */
export function isStream(body: AnswerBody): body is ReadableStream<Uint8Array> | AnswerSource {
  return body !== null && typeof body !== "string" && !(body instanceof Uint8Array);
}

/**
 * Begins to read a stream.
 *
 * @param stream what {@linkcode isStream} found
 * @returns what gives its pieces
 */
export function sourceOf(stream: ReadableStream<Uint8Array> | AnswerSource): AnswerSource {
  return "getReader" in stream ? stream.getReader() : stream;
}

/** How the end of a response's body is told (RFC 9112, section 6.3). */
export type AnswerFraming =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

/** What the connection adds to an answer's head. */
export interface HeadTerms {
  framing: AnswerFraming;
  /** Minor version of the request. */
  minor: 0 | 1;
  /** False if this is the connection's last answer. */
  keepAlive: boolean;
  /** The value of Date (RFC 9110, section 6.6.1), used if the application gave none. */
  date: string;
}

/** What an application's head asks of the connection. */
export interface FieldsSaid {
  /** The application's own Content-Length, -1 if it gave none. */
  contentLength: number;
  /** True if the application asks for the connection to end. */
  close: boolean;
}

/**
 * Reads those of an answer's fields that concern the connection.
 *
 * @param answer what the application answered
 * @returns what they ask for
 * @throws {TypeError} if Content-Length is not a number
 */
export function readFields(answer: Answer): FieldsSaid {
  let contentLength = -1;
  let close = false;
  for (const [name, value] of answer.fields) {
    if (name.length === 14 && name.toLowerCase() === "content-length") {
      if (!/^[0-9]{1,15}$/.test(value)) throw new TypeError(`content-length: expected digits, got "${value}"`);
      contentLength = Number(value);
    } else if (name.length === 10 && name.toLowerCase() === "connection") {
      close ||= /(^|,)\s*close\s*(,|$)/i.test(value);
    }
  }
  return { contentLength, close };
}

/**
 * Writes a response head.
 *
 * @param answer status and fields
 * @param terms what the connection adds
 * @returns the head with its empty line, one character a byte
 * @throws {TypeError} if a field has CR, LF, NUL or a character past U+00FF, or a name that is not a token
 */
export function writeHead(answer: Answer, terms: HeadTerms): string {
  const { status } = answer;
  let head = answer.reason === "" ? statusLine(status) : `HTTP/1.1 ${status} ${checked("reason", answer.reason)}\r\n`;
  let dated = false;
  let upgrades = false;
  for (const [name, value] of answer.fields) {
    switch (name.length) {
      case 4:
        dated ||= name.toLowerCase() === "date";
        break;
      case 7:
        upgrades ||= name.toLowerCase() === "upgrade";
        break;
      case 10:
      case 14:
      case 17:
        // Framing and the connection's life are the connection's to tell (RFC 9110, section 7.6.1).
        if (isOurs(name.toLowerCase(), answer, terms.framing)) continue;
    }
    head += `${checkedName(name)}: ${checked(name, value)}\r\n`;
  }
  if (!dated) head += `date: ${terms.date}\r\n`;
  const { framing } = terms;
  if (framing.kind === "length") head += `content-length: ${framing.length}\r\n`;
  else if (framing.kind === "chunked") head += "transfer-encoding: chunked\r\n";
  // Behind 101 the connection is another protocol's, and its options are the application's.
  if (status === 101) return head + "\r\n";
  // A sender of Upgrade has to send its connection option (RFC 9110, section 7.8), as with 426.
  if (upgrades) head += "connection: upgrade\r\n";
  if (!terms.keepAlive) head += "connection: close\r\n";
  else if (terms.minor === 0) head += "connection: keep-alive\r\n";
  return head + "\r\n";
}

/**
 * Writes an interim response, such as `HTTP/1.1 100 Continue`.
 *
 * @param status a status code from 100 to 199
 * @param fields those that the connection tells itself are left out
 * @returns the whole response
 * @throws {TypeError} as `writeHead` does
 */
export function writeInterim(status: number, fields: Answer["fields"] = []): string {
  let head = statusLine(status);
  for (const [name, value] of fields) {
    if (!INTERIM_OURS.test(name)) head += `${checkedName(name)}: ${checked(name, value)}\r\n`;
  }
  return head + "\r\n";
}

/** An interim response has no body, and says nothing of the connection (RFC 9110, section 15.2, and RFC 9112, section 6). */
const INTERIM_OURS = /^(connection|content-length|keep-alive|transfer-encoding|upgrade)$/i;

/**
 * Tells how a body is framed.
 *
 * @param answer what the application answered
 * @param request method and minor version of the request
 * @param length the body's length in bytes, -1 if it is not known
 * @returns the framing; `none` if the response has no body whatever the fields say (RFC 9112, section 6.3)
 */
export function frameAnswer(
  answer: Answer,
  request: { method: string; minor: 0 | 1 },
  length: number,
): AnswerFraming {
  const { status } = answer;
  if (status < 200 || status === 204 || status === 304) return NO_FRAMING;
  if (length >= 0) return { kind: "length", length };
  if (request.method === "HEAD") return NO_FRAMING;
  return request.minor === 1 ? CHUNKED_FRAMING : CLOSE_FRAMING;
}

const NO_FRAMING: AnswerFraming = { kind: "none" };
const CHUNKED_FRAMING: AnswerFraming = { kind: "chunked" };
const CLOSE_FRAMING: AnswerFraming = { kind: "close" };

function isOurs(name: string, answer: Answer, framing: AnswerFraming): boolean {
  if (name === "connection") return answer.status !== 101;
  // If no body follows, HEAD and 304 may still tell its length (RFC 9110, section 8.6); 1xx and 204 may not.
  if (name === "content-length") return framing.kind !== "none" || answer.status < 200 || answer.status === 204;
  return name === "keep-alive" || name === "transfer-encoding";
}

const UNSENDABLE = /[\0\r\n\u0100-\uffff]/;
const NOT_TOKEN = new RegExp(`[^${TCHAR}]`);

function checked(name: string, value: string): string {
  if (UNSENDABLE.test(value)) {
    throw new TypeError(`${name}: a field has CR, LF, NUL or a character past U+00FF: ${JSON.stringify(value)}`);
  }
  return value;
}

function checkedName(name: string): string {
  if (name === "" || NOT_TOKEN.test(name)) {
    throw new TypeError(
      `expected a field name of token characters (RFC 9110, section 5.6.2), got ${JSON.stringify(name)}`,
    );
  }
  return name;
}

const statusLines: string[] = [];

function statusLine(status: number): string {
  return statusLines[status] ??= `HTTP/1.1 ${status} ${reasonOf(status)}\r\n`;
}
