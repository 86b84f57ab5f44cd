// Knows: how bytes get from the socket into the inbox, one read at a time, whoever asks.
// Does not know: why they are wanted.
// Rule: a read never fails; it ends the inbox and says why in `broken`.

import type { Socket } from "../platform/ports.ts";
import { Inbox, SMALL_BUFFER_BYTES } from "../wire/inbox.ts";
import { RequestReader } from "../wire/request_reader.ts";
import type { Terms } from "./terms.ts";
import type { Turnstile } from "./turnstile.ts";

/** What a streamed body is read with at first, and at most; it doubles while reads come back full. */
const FIRST_CHUNK_BYTES = 16 * 1024;
const MAX_CHUNK_BYTES = 128 * 1024;

/** The reading side of a connection. */
export class Intake {
  readonly inbox: Inbox = new Inbox();
  readonly reader: RequestReader;
  /** Why the socket could not be read, or null where the peer ended its side in order. */
  broken: unknown = null;
  /** Bytes taken from the socket. */
  received = 0;
  /** Grows with every change of the inbox: bytes that came, or the end. */
  revision = 0;

  #socket: Socket;
  #owner: { peerEnded(): void };
  #turnstile: Turnstile;
  #reading: Promise<void> | null = null;
  #chunkBytes = FIRST_CHUNK_BYTES;

  /**
   * @param socket where bytes come from
   * @param terms limits, and the turnstile for bodies
   * @param owner told once, when the peer has ended its side or the socket broke
   */
  constructor(socket: Socket, terms: Terms, owner: { peerEnded(): void }) {
    this.#socket = socket;
    this.#owner = owner;
    this.#turnstile = terms.turnstile;
    this.reader = new RequestReader(this.inbox, terms.limits, terms.decode);
  }

  /** True while the peer is waited for. */
  get isReading(): boolean {
    return this.#reading !== null;
  }

  /**
   * Waits for bytes or for the end. Who calls while a read is under way waits for that one.
   *
   * @param least how many bytes must have room
   * @returns resolved when the inbox has changed; never rejected
   */
  fill(least: number): Promise<void> {
    return this.#reading ??= this.#socket.read(this.inbox.room(least)).then(this.#onRead, this.#onBroken);
  }

  /**
   * Waits until the inbox has changed since the caller looked at it. The caller says which revision it saw, so that a
   * change that came in between is never waited for.
   *
   * @param revision the {@linkcode Intake.revision} of the inbox that the caller has used up
   * @param least how many bytes must have room
   * @returns null if it has changed already or has ended, otherwise resolved when it has; never rejected
   */
  changedSince(revision: number, least: number): Promise<void> | null {
    return this.revision !== revision || this.inbox.ended ? null : this.fill(least);
  }

  /**
   * The same for more of a long body: it waits until other bodies have had their turn.
   *
   * @param revision the revision that the caller has used up
   * @param least how many bytes must have room; not given, a chunk for a body that is streamed
   * @returns null if the inbox has changed already or has ended, otherwise resolved when it has; never rejected
   */
  bodyChangedSince(revision: number, least: number = this.#nextChunk()): Promise<void> | null {
    if (this.revision !== revision || this.inbox.ended) return null;
    const pause = this.#turnstile.pass(least);
    if (pause === null) return this.fill(Math.max(least, SMALL_BUFFER_BYTES));
    // A read that was under way may bring the bytes during the pause.
    return pause.then(() => this.bodyChangedSince(revision, least) ?? undefined);
  }

  /**
   * Makes a body's bytes the application's own: the buffer itself where it is well filled, otherwise a copy.
   *
   * @param bytes data as it stands in the inbox's buffer
   * @returns bytes that nobody else will write to
   */
  own(bytes: Uint8Array): Uint8Array {
    const { inbox } = this;
    const isFull = bytes.length * 2 >= inbox.bytes.length;
    if (inbox.bytes.length >= this.#chunkBytes) {
      this.#chunkBytes = Math.min(
        MAX_CHUNK_BYTES,
        Math.max(FIRST_CHUNK_BYTES, isFull ? this.#chunkBytes * 2 : this.#chunkBytes / 2),
      );
    }
    // A read that is under way (see Connection.watch) writes into this buffer: it cannot be given away.
    if (this.isReading || !isFull || inbox.size > 0 || inbox.bytes.length === SMALL_BUFFER_BYTES) return bytes.slice();
    inbox.lend();
    return bytes;
  }

  /** Sized to what is left of the body. */
  #nextChunk(): number {
    const { bodyLeft } = this.reader;
    return bodyLeft < 0 ? this.#chunkBytes : Math.min(bodyLeft, this.#chunkBytes);
  }

  #onRead = (count: number | null): void => {
    this.#reading = null;
    if (count === null) return this.#end();
    this.inbox.filled(count);
    this.received += count;
    this.revision++;
  };

  #onBroken = (error: unknown): void => {
    this.#reading = null;
    this.broken = error;
    this.#end();
  };

  #end(): void {
    this.inbox.filled(0);
    this.inbox.ended = true;
    this.revision++;
    this.#owner.peerEnded();
  }
}
