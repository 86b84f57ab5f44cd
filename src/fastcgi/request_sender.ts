// Sends one request over a backend's connection: what it begins with, and its body while the answer is read.

import { giveBuffer, takeBuffer } from "../connection/buffer_pool.ts";
import { putStdin, STDIN_END, stdinBytes } from "../wire/fastcgi_records.ts";
import type { BackendConnection } from "./backend_connection.ts";
import type { Pieces } from "./request_content.ts";

/** Bytes of a body in one record. With its head, and the head of another, it fits into the largest buffer that is kept. */
const RECORD_BYTES = 64 * 1024 - 8;

/** A request that is sent. */
export class RequestSender {
  /** Grows with each write of which the system has taken something. */
  writes = 0;
  /** True while a write is under way. */
  isWriting = false;
  /** True while the client has to send more of the body. */
  isClientAwaited = false;
  /** True once everything was written. */
  isComplete = false;

  #connection: BackendConnection;
  #note = () => void this.writes++;

  constructor(connection: BackendConnection) {
    this.#connection = connection;
  }

  /**
   * Writes the request. A backend may close before it has read everything; then the rest is left, and what it has answered is
   * still read.
   *
   * @param records what the request begins with
   * @param pieces the body; null if the records hold all of it
   * @param isOver tells whether the request has ended
   * @returns when nothing more is sent; rejects if the body cannot be read
   */
  async send(records: Uint8Array, pieces: Pieces | null, isOver: () => boolean): Promise<void> {
    if (!await this.#write(records)) return;
    if (pieces !== null && !await this.#writeBody(pieces, isOver)) return;
    this.isComplete = true;
  }

  /** Gives false if the request has ended, or the backend has closed, before the end of the body. */
  async #writeBody(pieces: Pieces, isOver: () => boolean): Promise<boolean> {
    for (;;) {
      this.isClientAwaited = pieces.isOfClient;
      const piece = await pieces.read();
      this.isClientAwaited = false;
      if (isOver()) return false;
      if (piece === null) return await this.#write(STDIN_END);
      if (!await this.#writePiece(piece)) return false;
    }
  }

  /** Gives false if the backend has closed. The reader of the answer then finds the end, or the error. */
  async #write(records: Uint8Array): Promise<boolean> {
    this.isWriting = true;
    try {
      await this.#connection.write(records, this.#note);
      return true;
    } catch {
      return false;
    } finally {
      this.isWriting = false;
    }
  }

  /** A copy costs less than a write of its own for the head of each record. */
  async #writePiece(piece: Uint8Array): Promise<boolean> {
    const buffer = takeBuffer(stdinBytes(Math.min(piece.length, RECORD_BYTES)));
    for (let at = 0; at < piece.length; at += RECORD_BYTES) {
      if (!await this.#write(buffer.subarray(0, putStdin(buffer, piece.subarray(at, at + RECORD_BYTES))))) return false;
    }
    giveBuffer(buffer);
    return true;
  }
}
