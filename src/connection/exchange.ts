// Knows: one request and its answer: the body still to be read, the signal, what was counted.
// Does not know: the web's Request, or what the application is.

import type { Address, Socket, TemporaryFile } from "../platform/ports.ts";
import { badRequest, type ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";
import type { Connection } from "./connection.ts";
import type { Lap } from "./phases.ts";

/** Takes a connection over after an answer of 101. */
export type TakeOver = (socket: Socket, first: Uint8Array) => Promise<void>;

/** How an exchange stands; `left` is a client that has ended its side and may still read. */
type State = "open" | "left" | "answered" | "cut";

/** What is read at once of a body that stands in a file: as much as a streamed one brings at best. */
const SPOOL_PIECE_BYTES = 128 * 1024;

/** One request on its way through a connection. What a handler gets as its second argument is this, narrowed. */
export class Exchange {
  readonly head: RequestHead;
  readonly connection: Connection;
  /** The whole body where it was read first. It stands in the connection's buffer: copy what is kept. */
  wholeBody: Uint8Array | null = null;
  /** Bytes of the body that have come. */
  received = 0;
  /** Status of the answer; 0 while there is none. */
  status = 0;
  /** Bytes of the answer's body that were given to the connection. */
  sent = 0;
  /** Set by the stopwatch, for handlers that look. */
  timings: Record<Lap, number> | null = null;
  /** Set by an application that answers 101. */
  takeOver: TakeOver | null = null;
  /** True once the body's last byte was taken. */
  isBodyRead: boolean;
  /** True while the client is waited for to send more of the body. */
  isWaitingForBody = false;
  /** True where the rest of the body can never be found. */
  isBodyBroken = false;
  /** True while the client waits for 100 (Continue). */
  mustContinue: boolean;
  /** True while the head of an answer is held back for the 100 (Continue) that belongs before it. */
  isHeadHeld = false;
  /** The write of 100 (Continue) while it is under way. */
  interim: Promise<void> | null = null;

  /** Keeps a body that was read first and is too long for memory. */
  #spool: TemporaryFile | null = null;
  #state: State = "open";
  #controller: AbortController | null = null;
  #reason: unknown;
  #completed: PromiseWithResolvers<void> | null = null;

  constructor(connection: Connection, head: RequestHead) {
    this.connection = connection;
    this.head = head;
    this.isBodyRead = head.framing.kind === "none";
    this.mustContinue = head.expectsContinue && !this.isBodyRead;
  }

  /** Where the request came from. */
  get remoteAddr(): Address {
    return this.connection.remoteAddr;
  }

  /** Where it was received. */
  get localAddr(): Address {
    return this.connection.localAddr;
  }

  /** Bytes that the head promised: -1 for a body in chunks. */
  get size(): number {
    const { framing } = this.head;
    return framing.kind === "length" ? framing.length : framing.kind === "none" ? 0 : -1;
  }

  /** Aborted when the client leaves before its answer is complete, never after. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#state === "cut" || this.#state === "left") this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Resolves when the last byte of the answer was taken by the system; rejects when it cannot be any more. */
  get completed(): Promise<void> {
    if (this.#completed === null) {
      this.#completed = Promise.withResolvers();
      this.#completed.promise.catch(() => {});
      if (this.#state === "answered") this.#completed.resolve();
      else if (this.#state === "cut") this.#completed.reject(this.#reason);
    }
    return this.#completed.promise;
  }

  /** Why the client left or was cut off; undefined while it is there. */
  get cutReason(): unknown {
    return this.#reason;
  }

  /** True where somebody waits for the moment the answer is out. */
  get isWatched(): boolean {
    return this.#completed !== null;
  }

  /** True from the last byte of the answer, or from the client's leaving. */
  get isOver(): boolean {
    return this.#state === "answered" || this.#state === "cut";
  }

  /**
   * The next piece of the body. Called by the application, one call at a time.
   *
   * @returns bytes that are the caller's own, or null after the last
   * @throws {ProtocolError} where the body breaks off, is malformed, too large or too slow
   */
  async readBody(): Promise<Uint8Array | null> {
    if (this.wholeBody !== null) {
      const bytes = this.wholeBody.slice();
      this.wholeBody = null;
      return bytes.length > 0 ? bytes : null;
    }
    if (this.#spool !== null) return await this.#readSpool(this.#spool);
    if (this.isBodyRead && !this.isBodyBroken) return null;
    if (this.isOver) throw thrownAway();
    return await this.connection.readBody(this);
  }

  /** What the console shows of a handler's second argument: what it is documented to have, and nothing secret. */
  [Symbol.for("Deno.customInspect")](inspect: (value: unknown, options: unknown) => string, options: unknown): string {
    const { remoteAddr, localAddr, connection, timings } = this;
    return inspect({ remoteAddr, localAddr, connection, timings }, options);
  }

  /**
   * Called by the connection with the file that keeps the body. It is removed when the request ends, however it ends.
   *
   * @param file empty as yet
   */
  keepIn(file: TemporaryFile): void {
    if (this.isOver) file.remove();
    else this.#spool = file;
  }

  /** Called by the connection when the last byte of the answer is out. */
  finish(): void {
    if (this.isOver) return;
    this.#state = "answered";
    if (this.wholeBody !== null || this.#spool !== null) this.#dropBody();
    this.#completed?.resolve();
  }

  /**
   * Called by the connection when the client has ended its side while it is answered.
   *
   * @param reason why, for the signal
   */
  leave(reason: unknown): void {
    if (this.#state !== "open") return;
    this.#state = "left";
    this.#reason = reason;
    this.#controller?.abort(reason);
  }

  /**
   * Called by the connection when the answer can never be complete.
   *
   * @param reason why, for the signal and for whoever waits
   */
  cut(reason: unknown): void {
    if (this.isOver) return;
    this.leave(reason);
    this.#state = "cut";
    if (this.wholeBody !== null || this.#spool !== null) this.#dropBody();
    this.#completed?.reject(reason);
  }

  async #readSpool(file: TemporaryFile): Promise<Uint8Array | null> {
    const piece = new Uint8Array(SPOOL_PIECE_BYTES);
    let count: number | null;
    try {
      count = await file.read(piece);
    } catch (error) {
      throw this.isOver ? thrownAway() : error;
    }
    if (this.isOver) throw thrownAway();
    if (count !== null) return piece.subarray(0, count);
    // Nothing more can be asked for: its room on the disk is somebody else's from here.
    this.#spool = null;
    file.remove();
    return null;
  }

  /** The buffer is the next request's from here: an application that comes too late must not read that one's bytes. */
  #dropBody(): void {
    this.wholeBody = null;
    this.#spool?.remove();
    this.#spool = null;
    this.isBodyBroken = true;
  }
}

function thrownAway(): ProtocolError {
  return badRequest("cut-short", "the request is over; its body was thrown away");
}
