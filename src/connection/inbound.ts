// Reads the socket of one connection into its inbox. It is the only reader of the socket.
// Every wait names the revision of the inbox that the caller has used up, so a change in between is never waited for.
// A read never fails: it ends the inbox and keeps the reason in `broken`. The read of an idle connection is the one exception:
// `startRead` gives it to the protocol as it is.
// At most one read is under way. A wait and a read ahead join it, so bytes that a read ahead brings are not lost.

import type { Socket } from "../platform/ports.ts";
import type { DecodeLatin1 } from "../wire/head_facts.ts";
import { Inbox, SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { type ReaderLimits, RequestReader } from "../wire/request_reader.ts";
import type { ReadBudget } from "./read_budget.ts";

/** First and largest buffer for a streamed body. The size doubles while reads fill it. */
const FIRST_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 128 * 1024;

/** What a socket that gives arrays of its own brings at once. */
const OWN_BYTES = 64 * 1024;

/** Most bytes read ahead of an answer: enough for the next requests, and to notice that the client has left. */
export const READ_AHEAD_BYTES = 16 * 1024;

/** What reading depends on besides the socket. */
export interface InboundOptions {
  readonly limits: ReaderLimits;
  readonly decode: DecodeLatin1;
  readonly readBudget: ReadBudget;
}

/** Told of the end of what is read. */
export interface InboundEvents {
  /** The client has ended its side, or the socket is broken. Called once. */
  inboundEnded(): void;
}

/** The reading side of a connection. */
export class Inbound {
  readonly inbox: Inbox = new Inbox();
  readonly reader: RequestReader;

  #socket: Socket;
  #readBudget: ReadBudget;
  #told: InboundEvents;
  /** The read under way; null if there is none. Cleared by `came` and `broke`. */
  #reading: Promise<unknown> | null = null;
  /** Grows with every change of the inbox: bytes that came, or the end. */
  #revision = 0;
  /** Bytes taken from the socket. */
  #received = 0;
  /** Why the socket could not be read; null while it can, and if the client ended its side in order. */
  #broken: unknown = null;
  /** Size of the next buffer for a streamed body. */
  #chunkBytes = FIRST_CHUNK_BYTES;

  /**
   * @param socket where bytes come from
   * @param options limits, and the budget for bodies
   * @param told of the end
   */
  constructor(socket: Socket, options: InboundOptions, told: InboundEvents) {
    this.#socket = socket;
    this.#told = told;
    this.#readBudget = options.readBudget;
    this.reader = new RequestReader(this.inbox, options.limits, options.decode);
  }

  /** Changes whenever the inbox does. */
  get revision(): number {
    return this.#revision;
  }

  /** Bytes taken from the socket so far. */
  get received(): number {
    return this.#received;
  }

  /** Why the socket could not be read, or null. */
  get broken(): unknown {
    return this.#broken;
  }

  /** True while a read is under way. */
  get isReading(): boolean {
    return this.#reading !== null;
  }

  /**
   * Waits until the inbox has changed since the caller looked at it.
   *
   * @param revision the revision that the caller has used up
   * @param least how many bytes must have room
   * @returns null if the inbox has changed already or has ended, otherwise resolved when it has; never rejected
   */
  changedSince(revision: number, least: number): Promise<unknown> | null {
    return this.#revision !== revision || this.inbox.ended ? null : this.#read(least);
  }

  /**
   * The same for the rest of a long body. It waits until other bodies have had their turn.
   *
   * @param revision the revision that the caller has used up
   * @param least how many bytes must have room; without it, a chunk for a body that is streamed
   * @returns null if the inbox has changed already or has ended, otherwise resolved when it has; never rejected
   */
  bodyChangedSince(revision: number, least?: number): Promise<unknown> | null {
    if (this.#revision !== revision || this.inbox.ended) return null;
    const canBeOwn = least === undefined && this.inbox.size === 0 && this.#socket.readOwn !== undefined;
    const wanted = least ?? this.#nextChunkBytes();
    const pause = this.#readBudget.take(canBeOwn ? Math.min(wanted, OWN_BYTES) : wanted);
    if (pause === null) return canBeOwn ? this.#readOwn() : this.#read(Math.max(wanted, SMALL_BUFFER_BYTES));
    // A read that was under way may bring the bytes during the pause.
    return pause.then(() => this.bodyChangedSince(revision, least) ?? undefined);
  }

  /**
   * Starts a read that is not waited for, so that the client's next bytes or its end are noticed.
   *
   * @param upTo nothing is started if the inbox holds as many bytes
   */
  readAhead(upTo: number): void {
    if (this.inbox.size < upTo && !this.inbox.ended) this.#read(1);
  }

  /**
   * Makes a body's bytes the application's own: the buffer itself if it is well filled, otherwise a copy.
   *
   * @param bytes data as it stands in the inbox's buffer
   * @returns bytes that are never written to again
   */
  own(bytes: Uint8Array): Uint8Array {
    const { inbox } = this;
    const isFull = bytes.length * 2 >= inbox.bytes.length;
    if (inbox.bytes.length >= this.#chunkBytes) {
      const next = isFull ? this.#chunkBytes * 2 : this.#chunkBytes / 2;
      this.#chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.max(FIRST_CHUNK_BYTES, next));
    }
    // A read that is under way writes into this buffer, so it cannot be given away.
    if (this.isReading || !isFull || inbox.size > 0 || inbox.bytes.length === SMALL_BUFFER_BYTES) return bytes.slice();
    inbox.lend();
    return bytes;
  }

  /**
   * Reads so many bytes and no more: for what comes before TLS. Only while no read is under way.
   *
   * @param most how many
   * @returns resolved when the inbox has changed; never rejected
   */
  readAtMost(most: number): Promise<unknown> {
    return this.#reading = this.#taken(this.#socket.read(this.inbox.room(most).subarray(0, most)));
  }

  /**
   * Starts the read of an idle connection. The caller waits for it and hands what it brings to `came`, or its error to `broke`:
   * a connection waits here most of its life, and needs no second promise for it. Only while no read is under way, and nothing
   * else may wait for the inbox meanwhile.
   *
   * @returns how many bytes came, 0 or null at the end
   */
  startRead(): Promise<number | null> {
    return this.#reading = this.#socket.read(this.inbox.room(1));
  }

  /**
   * Notes the end of a read.
   *
   * @param count what it gave
   */
  came(count: number | null): void {
    this.#reading = null;
    if (count === null || count === 0) return this.#end();
    this.inbox.filled(count);
    this.#received += count;
    this.#revision++;
  }

  /**
   * Notes that a read has failed.
   *
   * @param error the reason
   */
  broke(error: unknown): void {
    this.#reading = null;
    this.#broken = error;
    this.#end();
  }

  /** Starts a read, or joins the one under way. */
  #read(least: number): Promise<unknown> {
    return this.#reading ??= this.#taken(this.#socket.read(this.inbox.room(least)));
  }

  #taken(read: Promise<number | null>): Promise<void> {
    return read.then((count) => this.came(count), (error) => this.broke(error));
  }

  /** Reads into an array that the socket makes: a chunk that can be given away as it is. */
  #readOwn(): Promise<unknown> {
    return this.#reading ??= this.#socket.readOwn!().then((bytes) => this.#adopt(bytes), (error) => this.broke(error));
  }

  #nextChunkBytes(): number {
    const { bodyLeft } = this.reader;
    return bodyLeft < 0 ? this.#chunkBytes : Math.min(bodyLeft, this.#chunkBytes);
  }

  #adopt(bytes: Uint8Array | null): void {
    this.#reading = null;
    if (bytes === null) return this.#end();
    this.inbox.adopt(bytes);
    this.#received += bytes.length;
    this.#revision++;
  }

  #end(): void {
    this.inbox.filled(0);
    this.inbox.ended = true;
    this.#revision++;
    this.#told.inboundEnded();
  }
}
