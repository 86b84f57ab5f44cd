// FastCGI records (FastCGI Specification 1.0, sections 3, 5 and 8): a request is written, what a backend answers is read.
// No I/O here. A connection carries one request at a time, so every request has the same id.
// Long: both directions of the protocol use the same numbers.

/** A variable of a request: one character a byte. */
export type CgiVariable = readonly [name: string, value: string];

/** What the backend has sent breaks the protocol. The message says what was expected and what came. */
export class FastCgiError extends Error {
  override readonly name = "FastCgiError";
}

const VERSION = 1;
const BEGIN_REQUEST = 1;
const END_REQUEST = 3;
const PARAMS = 4;
const STDIN = 5;
const STDOUT = 6;
const STDERR = 7;
const GET_VALUES_RESULT = 10;
const UNKNOWN_TYPE = 11;

const ROLE_RESPONDER = 1;
const KEEP_CONNECTION = 1;
const REQUEST_ID = 1;

/** Bytes of the head of a record. */
const RECORD_HEAD_BYTES = 8;
/** Most bytes of content that a record can have: its length is told in two bytes. */
const MAX_CONTENT_BYTES = 65_535;
/** A record BEGIN_REQUEST as a whole. */
const BEGIN_BYTES = 16;
/** A name or a value of at least so many bytes tells its length in four bytes instead of one. */
const LONG_BYTES = 128;

/** What a request begins with. */
export interface RequestStart {
  variables: readonly CgiVariable[];
  /** The whole body, empty for none; null if records of it follow. */
  body: Uint8Array | null;
  /** Whether the backend should keep the connection after its answer. */
  keepConnection: boolean;
}

/**
 * How much room the records of a request need.
 *
 * @param start what is to be written
 * @returns bytes
 */
export function requestBytes({ variables, body }: RequestStart): number {
  return BEGIN_BYTES + streamBytes(paramsBytes(variables)) + (body === null ? 0 : streamBytes(body.length));
}

/**
 * Writes what a request begins with: its variables, and its body if that is known.
 *
 * @param into gets the records; must have room for {@linkcode requestBytes} bytes
 * @param start what to write
 * @returns how many bytes were written
 */
export function putRequest(into: Uint8Array, { variables, body, keepConnection }: RequestStart): number {
  const params = paramsBytes(variables);
  let at = putRecordHead(into, 0, { type: BEGIN_REQUEST, length: BEGIN_BYTES - RECORD_HEAD_BYTES });
  into.fill(0, at, BEGIN_BYTES);
  into[at + 1] = ROLE_RESPONDER;
  into[at + 2] = keepConnection ? KEEP_CONNECTION : 0;
  at = BEGIN_BYTES;
  if (params > 0 && params <= MAX_CONTENT_BYTES) {
    at = putRecordHead(into, at, { type: PARAMS, length: params });
    at = putParams(into, at, variables);
    at = putRecordHead(into, at, { type: PARAMS, length: 0 });
  } else {
    const content = new Uint8Array(params);
    putParams(content, 0, variables);
    at = putStream(into, at, { type: PARAMS, content });
  }
  return body === null ? at : putStream(into, at, { type: STDIN, content: body });
}

/** Ends the body of a request. */
export const STDIN_END: Uint8Array = new Uint8Array(RECORD_HEAD_BYTES);
putRecordHead(STDIN_END, 0, { type: STDIN, length: 0 });

/**
 * Writes a piece of a request's body, not its end.
 *
 * @param into gets the records; must have room for {@linkcode stdinBytes} bytes
 * @param piece not empty
 * @returns how many bytes were written
 */
export function putStdin(into: Uint8Array, piece: Uint8Array): number {
  return putStream(into, 0, { type: STDIN, content: piece }) - RECORD_HEAD_BYTES;
}

/**
 * How much room a piece of a body needs.
 *
 * @param length bytes of the piece
 * @returns bytes of its records, and of the record that could end them
 */
export function stdinBytes(length: number): number {
  return streamBytes(length);
}

/** A stream of so many bytes in records, with the empty one that ends it. */
function streamBytes(length: number): number {
  return length + RECORD_HEAD_BYTES * (Math.ceil(length / MAX_CONTENT_BYTES) + 1);
}

function putStream(bytes: Uint8Array, start: number, { type, content }: { type: number; content: Uint8Array }): number {
  let at = start;
  for (let from = 0; from < content.length; from += MAX_CONTENT_BYTES) {
    const part = content.subarray(from, from + MAX_CONTENT_BYTES);
    at = putRecordHead(bytes, at, { type, length: part.length });
    bytes.set(part, at);
    at += part.length;
  }
  return putRecordHead(bytes, at, { type, length: 0 });
}

function putRecordHead(bytes: Uint8Array, at: number, { type, length }: { type: number; length: number }): number {
  bytes[at] = VERSION;
  bytes[at + 1] = type;
  bytes[at + 2] = REQUEST_ID >> 8;
  bytes[at + 3] = REQUEST_ID;
  bytes[at + 4] = length >> 8;
  bytes[at + 5] = length;
  bytes[at + 6] = bytes[at + 7] = 0;
  return at + RECORD_HEAD_BYTES;
}

function paramsBytes(variables: readonly CgiVariable[]): number {
  let bytes = 0;
  for (const [name, value] of variables) {
    bytes += name.length + value.length + lengthBytes(name.length) + lengthBytes(value.length);
  }
  return bytes;
}

function lengthBytes(length: number): number {
  return length < LONG_BYTES ? 1 : 4;
}

function putParams(bytes: Uint8Array, start: number, variables: readonly CgiVariable[]): number {
  let at = start;
  for (const [name, value] of variables) {
    at = putLength(bytes, at, name.length);
    at = putLength(bytes, at, value.length);
    for (let i = 0; i < name.length; i++) bytes[at++] = name.charCodeAt(i);
    for (let i = 0; i < value.length; i++) bytes[at++] = value.charCodeAt(i);
  }
  return at;
}

function putLength(bytes: Uint8Array, start: number, length: number): number {
  let at = start;
  if (length >= LONG_BYTES) {
    bytes[at++] = (length >> 24) | 0x80;
    bytes[at++] = length >> 16;
    bytes[at++] = length >> 8;
  }
  bytes[at++] = length;
  return at;
}

/**
 * What was found next: a part of the answer or of the backend's messages, the end of the request, or nothing, because more
 * bytes must come. A record is not waited for as a whole.
 */
export type RecordEvent = "stdout" | "stderr" | "end" | "needMore";

/** How a backend ended a request (FastCGI Specification, section 5.5). */
export type ProtocolStatus = "complete" | "cannot multiplex" | "overloaded" | "unknown role";

const PROTOCOL_STATUSES: readonly ProtocolStatus[] = ["complete", "cannot multiplex", "overloaded", "unknown role"];

const NOTHING = new Uint8Array(0);

/** Reads records over bytes that may come in pieces, split anywhere. */
export class RecordReader {
  /** The content of the last event, `stdout` or `stderr`: from where to where in the bytes that were given. */
  start = 0;
  end = 0;
  /** How the request ended, after the event `end`. */
  protocolStatus: ProtocolStatus = "complete";

  /** The bytes that are read, and the part of them that was not read yet. Changed by `put` and `next`. */
  #bytes: Uint8Array = NOTHING;
  #at = 0;
  #limit = 0;
  /** How many bytes of the head of the record have come, and what they say. */
  #headBytes = 0;
  #type = 0;
  #id = 0;
  /** Bytes of content and of padding that the record has left. */
  #content = 0;
  #padding = 0;
  /** The content of END_REQUEST, of which only the first bytes matter, and how many of its bytes have come. */
  #endBytes = 0;

  /** True between two records: the backend owes nothing of what it has begun. */
  get isBetweenRecords(): boolean {
    return this.#headBytes === 0 && this.#at === this.#limit;
  }

  /**
   * Gives the reader the next bytes. All of those before must have been read.
   *
   * @param bytes a buffer; must not change until they are read
   * @param from where they begin in it
   * @param to one past the last
   */
  put(bytes: Uint8Array, from: number, to: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#limit = to;
  }

  /**
   * Reads on.
   *
   * @returns what was found
   * @throws {FastCgiError} if it is not FastCGI
   */
  next(): RecordEvent {
    for (;;) {
      if (this.#headBytes < RECORD_HEAD_BYTES && !this.#readHead()) return "needMore";
      if (this.#content > 0) {
        if (this.#at === this.#limit) return "needMore";
        const event = this.#readContent();
        if (this.#content === 0) this.#passPadding();
        if (event !== null) return event;
      } else if (!this.#passPadding()) return "needMore";
    }
  }

  /** Passes what fills a record up. False if more of it must come. */
  #passPadding(): boolean {
    const passed = Math.min(this.#padding, this.#limit - this.#at);
    this.#at += passed;
    this.#padding -= passed;
    if (this.#padding > 0) return false;
    this.#headBytes = 0;
    return true;
  }

  /** Reads the eight bytes that a record begins with. False if more must come. */
  #readHead(): boolean {
    while (this.#headBytes < RECORD_HEAD_BYTES) {
      if (this.#at === this.#limit) return false;
      this.#readHeadByte(this.#bytes[this.#at++] as number);
    }
    this.#endBytes = 0;
    this.#check(this.#type, this.#id);
    return true;
  }

  #readHeadByte(octet: number): void {
    switch (this.#headBytes++) {
      case 0:
        // A wrong first byte is told at once: a program that speaks another protocol may never send eight.
        if (octet !== VERSION) throw new FastCgiError(`expected a FastCGI record of version 1, got the byte ${octet}`);
        break;
      case 1:
        this.#type = octet;
        break;
      case 2:
        this.#id = octet << 8;
        break;
      case 3:
        this.#id |= octet;
        break;
      case 4:
        this.#content = octet << 8;
        break;
      case 5:
        this.#content |= octet;
        break;
      case 6:
        this.#padding = octet;
    }
  }

  #check(type: number, id: number): void {
    if (type === GET_VALUES_RESULT || type === UNKNOWN_TYPE) {
      if (id !== 0) throw new FastCgiError(`expected the request id 0 in a management record, got ${id}`);
      return;
    }
    if (type !== STDOUT && type !== STDERR && type !== END_REQUEST) {
      throw new FastCgiError(`expected STDOUT, STDERR or END_REQUEST, got a record of type ${type}`);
    }
    if (id !== REQUEST_ID) throw new FastCgiError(`expected the request id ${REQUEST_ID}, got ${id}`);
    if (type === END_REQUEST && this.#content < 8) {
      throw new FastCgiError(`expected 8 bytes in END_REQUEST, got ${this.#content}`);
    }
  }

  /** Reads what has come of a record's content. Null if that is nothing to tell of. */
  #readContent(): RecordEvent | null {
    const count = Math.min(this.#content, this.#limit - this.#at);
    const from = this.#at;
    this.#at += count;
    this.#content -= count;
    switch (this.#type) {
      case STDOUT:
      case STDERR:
        this.start = from;
        this.end = this.#at;
        return this.#type === STDOUT ? "stdout" : "stderr";
      case END_REQUEST: {
        // The fifth byte is the protocol's status; the first four are the exit code of the application.
        const place = from + 4 - this.#endBytes;
        if (place >= from && place < this.#at) this.protocolStatus = statusOf(this.#bytes[place] as number);
        this.#endBytes += count;
        return this.#content === 0 ? "end" : null;
      }
      default:
        return null;
    }
  }
}

function statusOf(octet: number): ProtocolStatus {
  const status = PROTOCOL_STATUSES[octet];
  if (status === undefined) throw new FastCgiError(`expected a protocol status from 0 to 3, got ${octet}`);
  return status;
}
