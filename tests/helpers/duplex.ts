// A socket without a network: what one side is given, the other side says and sees.
// Nothing happens by itself; the test decides how much is read, written and when it ends.

import { setImmediate } from "node:timers";
import type { Address, Socket } from "../../src/platform/ports.ts";
import { join, text } from "./responses.ts";

/** How a duplex behaves. */
export interface DuplexOptions {
  /** Most bytes that one read brings. */
  maxRead?: number;
  /** Most bytes of an array that it makes for a read; without it, it only reads into arrays that it is given. */
  maxOwn?: number;
  /** Most bytes that one write takes. */
  maxWrite?: number;
  /** Bytes that the server may write before it has to wait for {@linkcode Client.allow}. */
  window?: number;
  localAddr?: Address;
}

const encoder = new TextEncoder();

/** The error of a connection that was reset. */
export class ConnectionReset extends Error {
  override readonly name = "ConnectionReset";
}

/** The error of a socket that its own side has closed. */
export class SocketClosed extends Error {
  override readonly name = "SocketClosed";
}

/** The client's side of a duplex; the test holds it. */
export class Client {
  /** Each write of the server, as it came. */
  readonly writes: Uint8Array[] = [];
  /** Resolves once the server has closed the socket. */
  readonly closed: Promise<void>;
  /** True once the server has ended its side, whole or half. */
  ended = false;
  isClosed = false;
  /** Bytes that the server has read. */
  taken = 0;
  /** Reads that the server has begun. */
  reads = 0;
  /** The server's side. */
  readonly socket: Socket;

  #options: Required<Omit<DuplexOptions, "localAddr" | "maxOwn">>;
  #waiting: Uint8Array[] = [];
  #ending: null | { error: Error | null } = null;
  #read: null | { into: Uint8Array; done: PromiseWithResolvers<number | null> } = null;
  #write: null | { bytes: Uint8Array; done: PromiseWithResolvers<number> } = null;
  #watchers = new Set<() => void>();
  #close: () => void;

  constructor(options: DuplexOptions = {}) {
    this.#options = {
      maxRead: options.maxRead ?? Infinity,
      maxWrite: options.maxWrite ?? Infinity,
      window: options.window ?? Infinity,
    };
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
    this.socket = {
      localAddr: options.localAddr ?? { transport: "tcp", hostname: "127.0.0.1", port: 8000 },
      remoteAddr: { transport: "tcp", hostname: "127.0.0.1", port: 49152 },
      read: (into) => this.#onRead(into),
      write: (bytes) => this.#onWrite(bytes),
      closeWrite: () => this.#onCloseWrite(),
      close: () => this.#onClose(),
    };
    const { maxOwn } = options;
    if (maxOwn !== undefined) this.socket.readOwn = () => this.#onReadOwn(maxOwn);
  }

  /** True while the server waits for bytes. */
  get isRead(): boolean {
    return this.#read !== null;
  }

  /** True while the server waits for its bytes to be taken. */
  get isWritten(): boolean {
    return this.#write !== null;
  }

  /** Everything that has come. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return join(this.writes);
  }

  /** Everything that has come, one character a byte. */
  get text(): string {
    return text(this.bytes);
  }

  /** Sends. */
  send(data: string | Uint8Array): void {
    const bytes = typeof data === "string" ? encoder.encode(data) : data;
    if (bytes.length > 0) this.#waiting.push(bytes.slice());
    this.#serveRead();
  }

  /** Ends the client's side; it still reads. */
  end(): void {
    this.#ending ??= { error: null };
    this.#serveRead();
  }

  /** Leaves without a word: what the server has not read yet is lost. */
  reset(): void {
    this.#waiting = [];
    this.#ending = { error: new ConnectionReset("the peer has reset the connection") };
    this.#serveRead();
    this.#write?.done.reject(this.#ending.error);
    this.#write = null;
  }

  /** Lets the server write so many bytes more. */
  allow(count: number): void {
    this.#options.window += count;
    this.#serveWrite();
  }

  /** Waits until something is so; looked at after every write, read and close. */
  async until(isSo: (client: this) => boolean): Promise<void> {
    while (!isSo(this)) {
      if (this.isClosed) throw new Error(`the server has closed; it said ${JSON.stringify(this.text)}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #changed(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const call of watchers) call();
  }

  #onRead(into: Uint8Array): Promise<number | null> {
    if (this.isClosed) return Promise.reject(new SocketClosed("read after close"));
    if (this.#read !== null) throw new Error("two reads at a time");
    if (into.length === 0) throw new Error("a read into nothing");
    const done = Promise.withResolvers<number | null>();
    this.#read = { into, done };
    this.reads++;
    this.#serveRead();
    this.#changed();
    return done.promise;
  }

  async #onReadOwn(most: number): Promise<Uint8Array | null> {
    const into = new Uint8Array(most);
    const count = await this.#onRead(into);
    return count === null ? null : into.slice(0, count);
  }

  #serveRead(): void {
    if (this.#read === null) return;
    const { into, done } = this.#read;
    const first = this.#waiting[0];
    if (first !== undefined) {
      const count = Math.min(first.length, into.length, this.#options.maxRead);
      into.set(first.subarray(0, count));
      if (count === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(count);
      this.taken += count;
      done.resolve(count);
    } else if (this.#ending?.error === null) done.resolve(null);
    else if (this.#ending !== null) done.reject(this.#ending.error);
    else return;
    this.#read = null;
    this.#changed();
  }

  #onWrite(bytes: Uint8Array): Promise<number> {
    if (this.isClosed || this.ended) return Promise.reject(new SocketClosed("write after close"));
    if (this.#write !== null) throw new Error("two writes at a time");
    if (bytes.length === 0) throw new Error("a write of nothing");
    if (this.#ending?.error instanceof Error) return Promise.reject(this.#ending.error);
    const done = Promise.withResolvers<number>();
    this.#write = { bytes, done };
    this.#serveWrite();
    this.#changed();
    return done.promise;
  }

  #serveWrite(): void {
    if (this.#write === null || this.#options.window === 0) return;
    const { bytes, done } = this.#write;
    const count = Math.min(bytes.length, this.#options.maxWrite, this.#options.window);
    this.#options.window -= count;
    this.writes.push(bytes.slice(0, count));
    this.#write = null;
    done.resolve(count);
    this.#changed();
  }

  #onCloseWrite(): Promise<void> {
    if (this.isClosed) return Promise.reject(new SocketClosed("closeWrite after close"));
    this.ended = true;
    this.#changed();
    return Promise.resolve();
  }

  #onClose(): void {
    if (this.isClosed) throw new Error("closed twice");
    this.isClosed = this.ended = true;
    const error = new SocketClosed("the socket is closed");
    this.#read?.done.reject(error);
    this.#write?.done.reject(error);
    this.#read = this.#write = null;
    this.#close();
    this.#changed();
  }
}

/** Lets everything that needs no new event happen: one turn of the event loop, in which no time passes for a test. */
export function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
