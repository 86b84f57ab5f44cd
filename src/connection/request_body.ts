// The body of one request: how it is read before the application runs, piece by piece, or thrown away.
// This is the only place that knows 100 (Continue) (RFC 9110, section 10.1.1).
//
//   state      what it means                                             next
//   none       the request has no body                                   -
//   waiting    the client waits for 100 (Continue)                       streaming, done, failed, over
//   streaming  bytes are on the wire or in the inbox                     spooling, buffered, done, failed, over
//   spooling   readAll moves them into a temporary file                  spooled, streaming or done (the disk failed), over
//   buffered   the whole body stands in the inbox's buffer               done, over
//   spooled    the whole body stands in a temporary file                 done, over
//   done       every byte was taken from the wire and handed over        -
//   failed     readPiece has found that the rest never comes             -
//   over       the exchange has ended before all was handed over         -
//
// Long: every state of a body has one owner.

import { StorageError } from "../platform/errors.ts";
import type { TemporaryFiles } from "../platform/ports.ts";
import { writeInterim } from "../wire/answer.ts";
import { BLOCK_BYTES } from "../wire/gathering.ts";
import { SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { joined } from "../wire/octets.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { type ExchangeEnd, unreadable } from "./endings.ts";
import { type Inbound, READ_AHEAD_BYTES } from "./inbound.ts";
import type { Outbound } from "./outbound.ts";
import { Spool } from "./spool.ts";

/** Longest body that `auto` reads first: a form or a JSON document, which a client sends at once. */
export const AUTO_BODY_BYTES = 64 * 1024;

/** Most bytes of an unread body that are read away to keep a connection. Above this a new connection is cheaper. */
export const MAX_DRAIN_BYTES = 256 * 1024;

/** Most bytes of a body read first that stay in memory: a hundred of them take 25 MiB. */
export const MEMORY_BODY_BYTES = 256 * 1024;

const CONTINUE = new TextEncoder().encode(writeInterim(100));

/** The state of a body; the table above has the steps between them. */
type State =
  | { readonly at: "none" | "waiting" | "streaming" | "done" }
  | { readonly at: "buffered"; readonly bytes: Uint8Array }
  | { readonly at: "spooling" | "spooled"; readonly spool: Spool }
  | { readonly at: "failed"; readonly error: unknown }
  | { readonly at: "over"; readonly wasRead: boolean; readonly end: ExchangeEnd };

const NONE: State = { at: "none" };
const WAITING: State = { at: "waiting" };
const STREAMING: State = { at: "streaming" };
const DONE: State = { at: "done" };

/** A wait, or the phase `body`. */
type Steps<Result = void> = Generator<PromiseLike<unknown> | "body", Result, unknown>;

/** What reading a whole body needs of its connection. */
export interface BodyHost {
  readonly temporaryFiles: TemporaryFiles;
  /** Writes the answers that wait. */
  flush(): Generator<PromiseLike<unknown>, void, unknown>;
  /** Enters the phase; true if it is to be yielded. */
  enter(phase: "body"): boolean;
}

/** The body of one request. Only its own methods change its state. */
export class RequestBody {
  /** Bytes that the head promised: -1 for a chunked body, 0 for none. */
  readonly size: number;

  #inbound: Inbound;
  #outbound: Outbound;
  #state: State;
  /** Bytes of the body that have come. */
  #received = 0;
  /** True while the server waits for the client to send more. Set around each wait for the socket, and around no other. */
  #isAwaited = false;

  /**
   * @param head says how the body is framed, and whether the client waits for 100 (Continue)
   * @param inbound where its bytes come from
   * @param outbound where 100 (Continue) is written
   */
  constructor(head: RequestHead, inbound: Inbound, outbound: Outbound) {
    const { framing, expectsContinue } = head;
    this.size = framing.kind === "length" ? framing.length : framing.kind === "none" ? 0 : -1;
    this.#inbound = inbound;
    this.#outbound = outbound;
    this.#state = framing.kind === "none" ? NONE : expectsContinue ? WAITING : STREAMING;
  }

  /** Bytes of the body that were taken from the socket. */
  get received(): number {
    return this.#received;
  }

  /** True while the server waits for the client to send more of it. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  /** True while the client expects 100 (Continue) before it sends the body. */
  get expectsContinue(): boolean {
    return this.#state.at === "waiting";
  }

  /** True once its last byte was taken from the wire. */
  get isRead(): boolean {
    const state = this.#state;
    if (state.at === "over") return state.wasRead;
    return state.at === "none" || state.at === "buffered" || state.at === "spooled" || state.at === "done";
  }

  /** True if the client has ended its side in the middle of it, and everything that came was taken. */
  get isCutShort(): boolean {
    const { inbox } = this.#inbound;
    return inbox.ended && inbox.size === 0 && !this.isRead;
  }

  /** True if its rest can be read away, so that the next request is found after it. */
  get canBeDiscarded(): boolean {
    if (this.isRead) return true;
    const { at } = this.#state;
    // The length of a chunked body is not known (-1): `discard` gives up if it is too long.
    return at !== "waiting" && at !== "failed" && this.#inbound.reader.bodyLeft <= MAX_DRAIN_BYTES;
  }

  /**
   * Reads all of it before the application runs. A short body stays in memory, a long one goes into a temporary file.
   *
   * @throws {StorageError} if it cannot be stored
   * @throws {ProtocolError} if it breaks off, is malformed or too large
   */
  *readAll(host: BodyHost): Steps {
    const { inbox, reader } = this.#inbound;
    if (this.#state.at === "waiting") {
      this.#state = STREAMING;
      // If bytes of it are here, the client has not waited.
      if (inbox.size === 0) yield this.#outbound.writeInterim(CONTINUE);
    }
    const { size } = this;
    // What came together with the head counts from the start: it may take a while until more comes.
    if (size >= 0) this.#received = Math.min(inbox.size, size);
    this.#isAwaited = true;
    if (host.enter("body")) yield "body";
    if (size > MEMORY_BODY_BYTES) return yield* this.#spool(host, []);
    // A body of known length is gathered in the inbox, so that it comes out in one piece. This passes a chunked one (-1) by.
    while (size > inbox.size && !inbox.ended) {
      // The head may lie: memory for what it promises is taken step by step.
      const least = Math.min(size - inbox.size, Math.max(AUTO_BODY_BYTES, inbox.size));
      yield* this.#awaitChange(host, (revision) => this.#inbound.changedSince(revision, least));
      this.#received = Math.min(inbox.size, size);
      if (host.enter("body")) yield "body";
    }
    const pieces: Uint8Array[] = [];
    let length = 0;
    for (let event = reader.next(); event.kind !== "end"; event = reader.next()) {
      if (event.kind === "data") {
        length += event.bytes.length;
        this.#received = Math.max(this.#received, length);
        // A chunk is copied, because the next one may be written over it. A body of known length stays where it is.
        pieces.push(size < 0 ? event.bytes.slice() : event.bytes);
        if (length > MEMORY_BODY_BYTES) return yield* this.#spool(host, pieces);
      } else {
        yield* this.#awaitChange(host, (revision) => this.#inbound.bodyChangedSince(revision));
        if (host.enter("body")) yield "body";
      }
    }
    this.#isAwaited = false;
    inbox.hold(); // What the client sends meanwhile must not be written over it. `Connection.rest` ends the hold.
    this.#state = { at: "buffered", bytes: pieces.length === 1 ? pieces[0]! : joined(pieces, length) };
  }

  /**
   * Takes the whole body if it stands in memory: it was read first, or it came together with the head. Its bytes stand in the
   * connection's buffer: use them before the next wait, or copy them.
   *
   * @returns the bytes, or null if the body has to be read piece by piece
   */
  takeBuffered(): Uint8Array | null {
    const state = this.#state;
    if (state.at === "buffered") {
      this.#state = DONE;
      return state.bytes;
    }
    const { inbox, reader } = this.#inbound;
    // A size of 0 has no piece. If some pieces were taken, `bodyLeft` is less than the size.
    if (state.at !== "streaming" || this.size <= 0 || this.size > inbox.size || reader.bodyLeft !== this.size) {
      return null;
    }
    return this.#takeArrived();
  }

  /**
   * The next piece. Called by the application, one call at a time.
   *
   * @returns bytes that are the caller's own, or null after the last
   * @throws {ProtocolError} if the body breaks off, is malformed, too large or too slow, or the request is over
   * @throws {StorageError} if the file that keeps it cannot be read
   */
  async readPiece(): Promise<Uint8Array | null> {
    const state = this.#state;
    switch (state.at) {
      case "none":
      case "done":
        return null;
      case "buffered": {
        const bytes = state.bytes.slice();
        this.#state = DONE;
        return bytes.length > 0 ? bytes : null;
      }
      case "spooled":
        return await this.#readSpool(state.spool);
      case "failed":
        throw state.error;
      case "over":
        throw unreadable(state.end);
      default:
        return await this.#readWire();
    }
  }

  /** Decides that 100 (Continue) is not sent: the body has come without it, or the answer goes out. */
  forgoContinue(): void {
    if (this.#state.at === "waiting") this.#state = STREAMING;
  }

  /**
   * Reads away what the application left. The exchange has ended before, so the application reads no more of it.
   *
   * @returns false if that would take too long
   * @throws {ProtocolError} if the rest breaks off or is malformed
   */
  *discard(): Generator<PromiseLike<unknown>, boolean, unknown> {
    const inbound = this.#inbound;
    for (let passed = 0; passed <= MAX_DRAIN_BYTES;) {
      const event = inbound.reader.next();
      if (event.kind === "end") return true;
      if (event.kind === "data") passed += event.bytes.length;
      else {
        const change = inbound.changedSince(inbound.revision, SMALL_BUFFER_BYTES);
        if (change !== null) yield change;
      }
    }
    return false;
  }

  /** Called by the exchange when it ends. The buffer belongs to the next request from here, and a file is removed. */
  end(end: ExchangeEnd): void {
    const state = this.#state;
    switch (state.at) {
      case "none":
      case "done":
      case "failed":
      case "over":
        return;
      case "spooling":
      case "spooled":
        state.spool.remove();
    }
    this.#state = { at: "over", wasRead: this.isRead, end };
  }

  /** Takes a body of known length that is in the inbox, in one piece. */
  #takeArrived(): Uint8Array | null {
    const inbound = this.#inbound;
    const event = inbound.reader.next();
    if (event.kind !== "data" || event.bytes.length !== this.size) {
      throw new Error(`expected one piece of ${this.size} bytes from the inbox`);
    }
    this.#received = this.size;
    inbound.reader.next(); // The end.
    this.#state = DONE;
    // The bytes must not be written over by what is read from here on.
    inbound.inbox.hold();
    inbound.readAhead(READ_AHEAD_BYTES);
    return event.bytes;
  }

  async #readWire(): Promise<Uint8Array | null> {
    const inbound = this.#inbound;
    try {
      for (;;) {
        const event = inbound.reader.next();
        const { revision } = inbound;
        if (event.kind === "data") {
          this.#received += event.bytes.length;
          this.forgoContinue(); // The client has sent the body without waiting for it.
          return inbound.own(event.bytes);
        }
        if (event.kind === "end") {
          this.#state = DONE;
          inbound.readAhead(READ_AHEAD_BYTES);
          return null;
        }
        if (this.#state.at === "waiting") {
          this.#state = STREAMING;
          await this.#outbound.writeInterim(CONTINUE);
        }
        this.#isAwaited = true;
        await inbound.bodyChangedSince(revision);
        this.#isAwaited = false;
        this.#failIfOver();
      }
    } catch (error) {
      if (this.#state.at !== "over") this.#state = { at: "failed", error };
      throw error;
    }
  }

  async #readSpool(spool: Spool): Promise<Uint8Array | null> {
    let piece: Uint8Array | null;
    try {
      piece = await spool.read();
    } catch (error) {
      this.#failIfOver();
      throw error;
    }
    this.#failIfOver();
    if (piece !== null) return piece;
    // Nothing more can be asked for, so its room on the disk is given back now.
    this.#state = DONE;
    spool.remove();
    return null;
  }

  #failIfOver(): void {
    if (this.#state.at === "over") throw unreadable(this.#state.end);
  }

  /** Waits for the client. What waits to be written is written first: the client may wait for it. */
  *#awaitChange(host: BodyHost, wait: (revision: number) => Promise<unknown> | null): Steps {
    const { revision } = this.#inbound;
    yield* host.flush();
    this.#isAwaited = true;
    const change = wait(revision);
    if (change !== null) yield change;
    this.#failIfOver();
  }

  /**
   * Reads the rest into a temporary file. The socket is not read while a write is under way, so a slow disk slows the
   * client and fills no memory.
   *
   * @param begun what was read of it before
   */
  *#spool(host: BodyHost, begun: readonly Uint8Array[]): Steps {
    const { inbox, reader } = this.#inbound;
    const spool = new Spool(host.temporaryFiles);
    this.#state = { at: "spooling", spool };
    this.#isAwaited = false;
    let taken = 0;
    let isTaken = false;
    try {
      for (const piece of begun) {
        taken += piece.length;
        yield* this.#append(spool, piece);
      }
      for (;;) {
        // A body of known length is gathered where it arrives, and written from there.
        const wanted = Math.min(reader.bodyLeft, BLOCK_BYTES);
        while (inbox.size < wanted && !inbox.ended) {
          yield* this.#spoolMore(host, Math.min(BLOCK_BYTES - inbox.size, Math.max(AUTO_BODY_BYTES, inbox.size)));
          this.#received = taken + Math.min(inbox.size, wanted);
          if (host.enter("body")) yield "body";
        }
        const event = reader.next();
        if (event.kind === "end") break;
        if (event.kind === "data") {
          taken += event.bytes.length;
          this.#received = taken;
          yield* this.#append(spool, event.bytes);
        } else {
          yield* this.#spoolMore(host, BLOCK_BYTES);
          if (host.enter("body")) yield "body";
        }
      }
      isTaken = true;
      yield* spool.end();
      this.#failIfOver();
    } catch (error) {
      // After a failure of the disk, the rest of the body may be short enough to be read away.
      if (error instanceof StorageError && this.#state.at === "spooling") {
        spool.remove();
        this.#state = isTaken ? DONE : STREAMING;
      }
      throw error;
    }
    this.#state = { at: "spooled", spool };
    // A large buffer is not needed while the application runs.
    inbox.rest();
  }

  *#append(spool: Spool, bytes: Uint8Array): Steps {
    yield* spool.append(bytes);
    this.#failIfOver();
  }

  *#spoolMore(host: BodyHost, least: number): Steps {
    yield* this.#awaitChange(host, (revision) => this.#inbound.bodyChangedSince(revision, least));
    // A slow disk is not the client's fault: only the wait for the socket counts.
    this.#isAwaited = false;
  }
}
