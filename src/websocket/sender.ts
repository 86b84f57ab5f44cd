// What one side of a WebSocket says: messages, compressed if that was agreed, and control frames, in the order in which they
// were given.

import type { Socket } from "../platform/ports.ts";
import type { MessageDeflate } from "../wire/permessage_deflate.ts";
import { CLOSE, COMPRESSED, FINAL, OPCODE } from "../wire/websocket_codes.ts";
import { closePayload } from "../wire/websocket_writer.ts";
import { BlobQueue, type Ready } from "./blob_queue.ts";
import { Outgoing, type OutgoingEvents } from "./outgoing.ts";
import type { WriteTurns } from "./write_turns.ts";

/** More pongs than this do not wait for a client that only pings: the last ping is answered (RFC 6455, section 5.5.3). */
const MAX_PONG_BYTES = 64 * 1024;
/** Shorter messages do not gain by compression. */
const MIN_DEFLATE_BYTES = 64;

const NOTHING = new Uint8Array(0);
const encoder = new TextEncoder();

/** Told of what goes wrong. */
export interface SenderEvents {
  /** A write has failed. */
  broken(error: unknown): void;
  /** A Blob cannot be read. The Close frame was sent. */
  unreadable(error: unknown): void;
}

/** The sending side. */
export class Sender implements OutgoingEvents {
  /** Data messages that were given. */
  messages = 0;
  /** How messages are compressed; null if they are not. */
  readonly #deflate: MessageDeflate | null;
  readonly #outgoing: Outgoing;
  readonly #told: SenderEvents;
  /** Null until a Blob is sent. */
  #blobs: BlobQueue | null = null;
  /** The last ping that could not be answered yet; null if there is none. */
  #latePong: Uint8Array | null = null;
  /** True once a Close frame was given: nothing is sent after it (section 5.5.1). */
  #isClosed = false;

  /**
   * @param connection where it goes
   * @param options `deflate`: compresses messages, null if that was not agreed; `told`: of what goes wrong; `turns`: say when a
   * write may begin
   */
  constructor(
    connection: Socket,
    { deflate, told, turns }: { deflate: MessageDeflate | null; told: SenderEvents; turns: WriteTurns },
  ) {
    this.#deflate = deflate;
    this.#told = told;
    this.#outgoing = new Outgoing(connection, { told: this, turns });
  }

  /** Bytes of frames that the system has taken. */
  get written(): number {
    return this.#outgoing.written;
  }

  /** Bytes of frames that it has not taken. */
  get size(): number {
    return this.#outgoing.size;
  }

  /** The same, with Blobs that are not read yet and what comes after them. */
  get waiting(): number {
    return this.#outgoing.size + (this.#blobs?.size ?? 0);
  }

  /** Payload of messages that it has not taken. */
  get payload(): number {
    return this.#outgoing.payload + (this.#blobs?.size ?? 0);
  }

  send(data: string | Uint8Array | Blob): void {
    if (data instanceof Blob || this.#blobs?.isBusy === true) this.#blobQueue().put(data);
    else this.#sendNow(data);
  }

  /** Sends a Close frame, after what waits. Nothing can be sent after it. */
  close(code: number, reason: string): void {
    if (this.#blobs?.isBusy === true) this.#blobs.put({ code, reason });
    else this.closeNow(code, reason);
  }

  /** Sends a Close frame instead of Blobs that wait. */
  closeNow(code: number, reason: string): void {
    this.#blobs?.end();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#control(OPCODE.close, closePayload(code, reason));
  }

  ping(): void {
    if (!this.#isClosed) this.#control(OPCODE.ping, NOTHING);
  }

  pong(payload: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#outgoing.size > MAX_PONG_BYTES) this.#latePong = payload;
    else this.#control(OPCODE.pong, payload);
  }

  /** Called after a read. Holds everything back until `uncork`, so that it goes out together. */
  cork(): void {
    this.#outgoing.cork();
  }

  uncork(): void {
    this.#outgoing.uncork();
  }

  /** Resolves when so few bytes wait, or when a write has failed. One wait at a time. */
  until(most: number): Promise<void> {
    return this.#outgoing.until(most);
  }

  /** Gives everything up. */
  end(): void {
    this.#isClosed = true;
    this.#blobs?.end();
    this.#outgoing.abandon();
  }

  /** Called by the outgoing side, once. */
  failed(error: unknown): void {
    this.#told.broken(error);
  }

  #control(opcode: number, payload: Uint8Array): void {
    this.#outgoing.putBytes(FINAL | opcode, payload);
    this.#outgoing.flush();
  }

  #sendNow(data: string | Uint8Array): void {
    const outgoing = this.#outgoing;
    const deflate = this.#deflate;
    this.messages++;
    if (deflate === null && typeof data === "string") outgoing.putText(data);
    else {
      const opcode = typeof data === "string" ? OPCODE.text : OPCODE.binary;
      const bytes = typeof data === "string" ? encoder.encode(data) : data;
      if (deflate === null || bytes.length < MIN_DEFLATE_BYTES) outgoing.putBytes(FINAL | opcode, bytes);
      else outgoing.putBytes(FINAL | COMPRESSED | opcode, deflate.deflate(bytes));
    }
    outgoing.flush();
  }

  /** Called by the outgoing side: nothing waits any more. */
  emptied(): void {
    const late = this.#latePong;
    this.#latePong = null;
    if (late !== null) this.pong(late);
  }

  #blobQueue(): BlobQueue {
    return this.#blobs ??= new BlobQueue(
      (ready: Ready) => {
        if (typeof ready === "object" && "code" in ready) this.closeNow(ready.code, ready.reason);
        else this.#sendNow(ready);
      },
      (error) => {
        this.closeNow(CLOSE.internalError, "");
        this.#told.unreadable(error);
      },
    );
  }
}
