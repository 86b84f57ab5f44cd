// The order of what a client sends: head, body, head, body.
// "Not yet" is a value. What it throws can never become right.

import { ChunkedReader } from "./chunked_reader.ts";
import { type DecodeLatin1, HeadNotes, judgeHead } from "./head_facts.ts";
import { HeadReader } from "./head_reader.ts";
import type { Inbox } from "./inbox.ts";
import { CR, LF } from "./octets.ts";
import { badRequest, ProtocolError } from "./protocol_error.ts";
import type { RequestHead } from "./request_head.ts";

/** Part of a body; the bytes stand in the inbox's buffer. */
export interface DataEvent {
  readonly kind: "data";
  readonly bytes: Uint8Array;
}

/** What a {@linkcode RequestReader} found next. */
export type WireEvent =
  | RequestHead
  | DataEvent
  | { readonly kind: "end" }
  | { readonly kind: "needMore" }
  | { readonly kind: "closed" };

const END: WireEvent = { kind: "end" };
const NEED_MORE: WireEvent = { kind: "needMore" };
const CLOSED: WireEvent = { kind: "closed" };

/** What a client may send at most. */
export interface ReaderLimits {
  /** Bytes of a head, request line included. */
  maxHeadBytes: number;
  /** Bytes of a request line, without CR LF. */
  maxRequestLineBytes: number;
  /** Bytes of a body; 0 for no limit. */
  maxBodyBytes: number;
}

/** Where the reader stands in the client's sequence of messages. */
type State =
  | { at: "head" }
  | { at: "length"; left: number }
  | { at: "chunked"; reader: ChunkedReader; received: number };

const AT_HEAD: State = { at: "head" };

/** What reads a head, and what it has noted. */
interface HeadInProgress {
  readonly reader: HeadReader;
  readonly notes: HeadNotes;
}

// Most heads come in one piece and are read in one go, so all connections share what reads them.
let spare = newHead();

function newHead(): HeadInProgress {
  const notes = new HeadNotes();
  return { reader: new HeadReader(notes), notes };
}

function startHead({ maxHeadBytes, maxRequestLineBytes }: ReaderLimits): HeadInProgress {
  spare.notes.clear();
  spare.reader.startHead(maxHeadBytes, maxRequestLineBytes);
  return spare;
}

/** Turns the bytes in an inbox into heads, data and ends. */
export class RequestReader {
  #inbox: Inbox;
  #limits: ReaderLimits;
  #decode: DecodeLatin1;
  #head: HeadInProgress | null = null;
  #state: State = AT_HEAD;

  /**
   * @param inbox where the client's bytes arrive
   * @param limits what a client may send at most
   * @param decode how bytes become text
   */
  constructor(inbox: Inbox, limits: ReaderLimits, decode: DecodeLatin1) {
    this.#inbox = inbox;
    this.#limits = limits;
    this.#decode = decode;
  }

  /** How many bytes of the body must still come, if that is known; 0 between messages, -1 for chunks. */
  get bodyLeft(): number {
    const state = this.#state;
    return state.at === "head" ? 0 : state.at === "length" ? state.left : -1;
  }

  /**
   * Drops the empty lines that may precede a request line (RFC 9112, section 2.2). Call it between messages.
   *
   * @returns true once the inbox holds a byte of the next head
   */
  hasBegun(): boolean {
    const inbox = this.#inbox;
    const { bytes, end } = inbox;
    while (end - inbox.at > 1 && bytes[inbox.at] === CR && bytes[inbox.at + 1] === LF) inbox.at += 2;
    return end > inbox.at && (bytes[inbox.at] !== CR || end - inbox.at > 1);
  }

  /**
   * Reads on.
   *
   * @returns the next event; `needMore` until more bytes are in the inbox, `closed` if the client ended between two messages
   * @throws {ProtocolError} if the bytes can never become a request; the connection has to end then
   */
  next(): WireEvent {
    const state = this.#state;
    switch (state.at) {
      case "head":
        return this.#readHead();
      case "length":
        return this.#readLength(state);
      case "chunked":
        return this.#readChunks(state);
    }
  }

  #readHead(): WireEvent {
    const inbox = this.#inbox;
    const progress = this.#head ?? startHead(this.#limits);
    const { reader, notes } = progress;
    const from = inbox.at;
    const length = reader.read(inbox.bytes, from, inbox.end);
    if (length === 0) {
      if (inbox.ended && reader.isFresh) return CLOSED;
      if (inbox.ended) throw badRequest("cut-short", "the connection ended in the middle of a head");
      this.#keep(progress);
      return NEED_MORE;
    }
    this.#head = null;
    inbox.at += length;
    reader.text = this.#decode(inbox.bytes, from, from + length);
    const head = judgeHead(reader, notes);
    const { framing } = head;
    if (framing.kind === "length") {
      this.#checkSize(framing.length);
      this.#state = { at: "length", left: framing.length };
    } else if (framing.kind === "chunked") {
      this.#state = { at: "chunked", reader: new ChunkedReader(this.#limits.maxHeadBytes), received: 0 };
    }
    return head;
  }

  /** A head that is not complete needs a reader of its own until it is. */
  #keep(progress: HeadInProgress): void {
    if (this.#head !== null) return;
    this.#head = progress;
    spare = newHead();
  }

  #readLength(state: State & { at: "length" }): WireEvent {
    if (state.left === 0) {
      this.#state = AT_HEAD;
      return END;
    }
    const inbox = this.#inbox;
    const count = Math.min(state.left, inbox.end - inbox.at);
    if (count === 0) return this.#noMoreBody();
    const start = inbox.at;
    inbox.at += count;
    state.left -= count;
    return { kind: "data", bytes: inbox.bytes.subarray(start, start + count) };
  }

  #readChunks(state: State & { at: "chunked" }): WireEvent {
    const found = state.reader.read(this.#inbox);
    if (found === null) return this.#noMoreBody();
    if (found === "done") {
      this.#state = AT_HEAD;
      return END;
    }
    state.received += found.length;
    this.#checkSize(state.received);
    return { kind: "data", bytes: found };
  }

  #noMoreBody(): WireEvent {
    if (!this.#inbox.ended) return NEED_MORE;
    throw badRequest("cut-short", "the connection ended in the middle of a body");
  }

  #checkSize(size: number): void {
    const { maxBodyBytes } = this.#limits;
    if (maxBodyBytes !== 0 && size > maxBodyBytes) {
      throw new ProtocolError(
        "body-too-large",
        413,
        `the body has ${size} bytes or more, at most ${maxBodyBytes} are taken`,
      );
    }
  }
}
