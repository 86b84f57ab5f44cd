// Sends JSON objects over a socket, one in each line.
// A peer that sends anything else, or does not read, loses its connection and nothing more.

import type { Socket } from "../platform/ports.ts";
import { type Resolvers, withResolvers } from "../platform/resolvers.ts";

/** A line may hold the dump of ten thousand connections, at some 250 bytes each. */
const MAX_LINE_BYTES = 8 * 1024 * 1024;
/** Most bytes that wait for a peer that does not read: two of the longest lines. */
const MAX_WAITING_BYTES = 2 * MAX_LINE_BYTES;
const READ_BYTES = 16 * 1024;

const encoder = new TextEncoder();

/** One end of a connection that carries lines of JSON. */
export class LineChannel<Sent> {
  /** Resolves when the connection is gone, and everything that came over it was given out. */
  readonly closed: Promise<void>;

  #socket: Socket;
  #maxLineBytes = MAX_LINE_BYTES;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #isClosed = false;
  #emptied: Resolvers<void> | null = null;
  #onClosed!: () => void;

  /** @param socket the connection; it is closed with the channel */
  constructor(socket: Socket) {
    this.#socket = socket;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
  }

  /** True once the connection is gone. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Sends a message; returns at once. A peer that does not read loses the connection. */
  send(message: Sent): void {
    if (this.#isClosed) return;
    const bytes = encoder.encode(`${JSON.stringify(message)}\n`);
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) return this.close();
    if (!this.#isWriting) this.#writeAll();
  }

  /** Resolves when everything that was sent is written, or the connection is gone. */
  flushed(): Promise<void> {
    if (!this.#isWriting || this.#isClosed) return Promise.resolve();
    return (this.#emptied ??= withResolvers()).promise;
  }

  /**
   * Reads messages until the peer ends the connection. A line that is not JSON, or is too long, ends it too.
   *
   * @param maxLineBytes the longest line of a peer that is not known yet
   * @returns each message as it was parsed: not checked
   */
  async *messages(maxLineBytes: number = MAX_LINE_BYTES): AsyncGenerator<unknown> {
    this.#maxLineBytes = maxLineBytes;
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(READ_BYTES);
    // A line that is not whole yet stays in the pieces in which it came: put together at each of them, a long one would
    // be copied hundreds of times.
    let begun: string[] = [];
    let length = 0;
    try {
      for (;;) {
        const count = await this.#socket.read(buffer);
        if (count === null || count === 0) return;
        const [first = "", ...more] = decoder.decode(buffer.subarray(0, count), { stream: true }).split("\n");
        begun.push(first);
        length += first.length;
        for (const text of more) {
          yield JSON.parse(begun.join(""));
          begun = [text];
          length = text.length;
        }
        if (length > this.#maxLineBytes) return;
      }
    } catch {
      // The connection broke, or what came was no JSON: the peer is not worth listening to any longer.
    } finally {
      this.close();
    }
  }

  /** The peer is known now: its lines may be long. */
  trust(): void {
    this.#maxLineBytes = MAX_LINE_BYTES;
  }

  /** Ends the connection; what waits is not sent any more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#waiting = [];
    this.#emptied?.resolve();
    this.#socket.close();
    this.#onClosed();
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      for (let bytes = this.#waiting.shift(); bytes !== undefined; bytes = this.#waiting.shift()) {
        for (let at = 0; at < bytes.length && !this.#isClosed;) at += await this.#socket.write(bytes.subarray(at));
        this.#waitingBytes -= bytes.length;
      }
    } catch {
      this.close(); // Who reads learns of it from the end of the messages.
    }
    this.#isWriting = false;
    this.#emptied?.resolve();
    this.#emptied = null;
  }
}
