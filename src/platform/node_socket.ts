// Makes a Socket of a connection that Node has accepted.
// All connections of the process are read into one buffer: a read copies its part, and an idle connection holds no memory.

import { Socket as NodeSocket } from "node:net";
import { closeWrite } from "./node_close_write.ts";
import { systemError } from "./node_system_error.ts";
import { canWriteTo, writeAndLook, type WriteHandle, writeTo } from "./node_write.ts";
import type { Address, Socket } from "./ports.ts";
import { type Resolvers, withResolvers } from "./resolvers.ts";

/** Size of the shared buffer: as much as Node reads at once. */
const READ_BYTES = 64 * 1024;

/** Where the system puts the bytes of every connection. What comes is copied before the next read of any connection. */
const shared: Uint8Array = new Uint8Array(READ_BYTES);

/** A view of the part that was copied last. Many requests have the same length, and need no new view. */
let lastPart: Uint8Array = shared;

/** Most bytes of one write. A write ends when all of it is taken, so large ones are split to show the progress of slow clients. */
const MAX_WRITE_BYTES = 256 * 1024;

const NOTHING = new Uint8Array(0);

/** What Node's listening handle gives for a connection. */
export interface ConnectionHandle extends WriteHandle {
  close(): void;
  /** Gives 0, or the negative number of an error. A pipe has no such method. */
  getpeername?(into: object): number;
}

/** What the constructor of node:net's Socket takes besides its documented options. */
type SocketOptions = ConstructorParameters<typeof NodeSocket>[0];

/** What is known of a connection that was accepted. */
export interface AcceptedOptions {
  /** On which it was accepted. */
  address: Address;
  /** Called once, when its descriptor is closed. */
  onClose(): void;
}

/** A connection over TCP or a Unix socket. */
export class HandleSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  #socket: NodeSocket;
  /** What the stream writes to; null after an end or an error. */
  #handle: WriteHandle | null;
  /** Bytes that have come and were not read yet; null if there are none. At most one shared buffer: reading then pauses. */
  #rest: Uint8Array | null = null;
  /** The buffer of the read that is under way; null if there is none. Changed by `read` and `#settle`. */
  #into: Uint8Array | null = null;
  /** Settles that read. */
  #reading: Resolvers<number | null> | null = null;
  /** Settles the read of `readOwn` that is under way; null if there is none. Changed by `readOwn`, `#take` and `#settle`. */
  #readingOwn: Resolvers<Uint8Array | null> | null = null;
  /** True while Node does not read. Set by `#take`, cleared by `read`. */
  #isPaused = true;
  /** True once the peer has ended its side. Set by the "end" event. */
  #ended = false;
  /** The first error, also after a close; null before. Set by the "error" and "close" events. */
  #error: Error | null = null;

  /**
   * @param handle Node's handle of the connection
   * @param options the address on which it was accepted, and what is called when it is closed
   */
  constructor(handle: ConnectionHandle, { address, onClose }: AcceptedOptions) {
    const socket = new NodeSocket(
      {
        handle,
        allowHalfOpen: true,
        manualStart: true,
        onread: { buffer: shared, callback: (count: number) => this.#take(count) },
      } as unknown as SocketOptions,
    );
    this.#socket = socket;
    this.#handle = handle;
    const ends = endsOf(socket, address);
    this.localAddr = ends.localAddr;
    this.remoteAddr = ends.remoteAddr;
    // An answer in several writes must not wait until the client has acknowledged the first.
    if (address.transport === "tcp") socket.setNoDelay(true);
    socket.on("end", () => {
      this.#ended = true;
      this.#settle();
    });
    socket.on("error", (error: Error) => {
      this.#handle = null;
      this.#error = error;
      this.#settle();
    });
    socket.on("close", () => {
      onClose();
      this.#handle = null;
      this.#error ??= new Error("the connection is closed");
      this.#settle();
    });
  }

  read(into: Uint8Array): Promise<number | null> {
    const rest = this.#rest;
    if (rest !== null) {
      const count = Math.min(rest.length, into.length);
      into.set(count === rest.length ? rest : rest.subarray(0, count));
      this.#rest = count < rest.length ? rest.subarray(count) : null;
      return Promise.resolve(count);
    }
    if (this.#ended) return Promise.resolve(null);
    if (this.#error !== null) return Promise.reject(this.#error);
    this.#into = into;
    this.#reading = withResolvers();
    if (this.#isPaused) this.#resume();
    return this.#reading.promise;
  }

  readOwn(): Promise<Uint8Array | null> {
    const rest = this.#rest;
    if (rest !== null) {
      this.#rest = null;
      // What was read before stands in front of a part of the buffer.
      return Promise.resolve(rest.length === rest.buffer.byteLength ? rest : rest.slice());
    }
    if (this.#ended) return Promise.resolve(null);
    if (this.#error !== null) return Promise.reject(this.#error);
    this.#readingOwn = withResolvers();
    if (this.#isPaused) this.#resume();
    return this.#readingOwn.promise;
  }

  #resume(): void {
    this.#isPaused = false;
    this.#socket.read(0); // Starts to read.
  }

  write(bytes: Uint8Array): Promise<number> | number {
    if (this.#error !== null) return Promise.reject(this.#error);
    const handle = this.#handle;
    const part = bytes.length > MAX_WRITE_BYTES ? bytes.subarray(0, MAX_WRITE_BYTES) : bytes;
    if (handle === null || !canWriteTo()) return this.#writeByStream(part);
    const later = writeTo(handle, part);
    return later === null ? part.length : this.#finishWrite(part.length, later);
  }

  async #finishWrite(count: number, later: Promise<number>): Promise<number> {
    const status = await later;
    if (status === 0) return count;
    const error = systemError("write", status, "a connection");
    this.#socket.destroy(error);
    throw error;
  }

  #writeByStream(bytes: Uint8Array): Promise<number> | number {
    const socket = this.#socket;
    if (this.#handle === null) socket.write(bytes);
    else writeAndLook(socket, this.#handle, bytes);
    if (socket.writableLength === 0 && !socket.destroyed) return bytes.length;
    return new Promise((resolve, reject) => {
      socket.write(NOTHING, (error) => error == null ? resolve(bytes.length) : reject(error));
    });
  }

  closeWrite(): Promise<void> {
    this.#handle = null;
    return closeWrite(this.#socket);
  }

  close(): void {
    this.#handle = null;
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /** Called with each piece in the shared buffer. Gives false to pause reading. */
  #take(count: number): boolean {
    const own = this.#readingOwn;
    if (own !== null) {
      this.#readingOwn = null;
      own.resolve(shared.slice(0, count));
      return true;
    }
    const into = this.#into;
    const reading = this.#reading;
    if (into === null || reading === null) {
      this.#rest = shared.slice(0, count);
      this.#isPaused = true;
      return false;
    }
    this.#into = this.#reading = null;
    const taken = Math.min(count, into.length);
    if (lastPart.length !== taken) lastPart = shared.subarray(0, taken);
    into.set(lastPart);
    if (taken < count) {
      this.#rest = shared.slice(taken, count);
      this.#isPaused = true;
    }
    reading.resolve(taken);
    return !this.#isPaused;
  }

  /** Settles the read that is under way, if the end or an error has come. */
  #settle(): void {
    const reading = this.#reading ?? this.#readingOwn;
    if (reading === null) return;
    if (this.#ended) reading.resolve(null);
    else if (this.#error !== null) reading.reject(this.#error);
    else return;
    this.#into = this.#reading = this.#readingOwn = null;
  }
}

/**
 * Makes a stream of a handle, for what reads and writes it as a stream. It does not read before it is asked to.
 *
 * @param handle of a connection
 * @param onClose called when it is closed
 * @returns the stream
 */
export function streamOf(handle: object, onClose: () => void): NodeSocket {
  const socket = new NodeSocket({ handle, allowHalfOpen: true, manualStart: true } as unknown as SocketOptions);
  socket.setNoDelay(true);
  socket.once("close", onClose);
  return socket;
}

/**
 * The addresses of a connection. Those over a Unix socket have none: as under Deno.serve, its path is that of both ends.
 *
 * @param socket of node:net
 * @param address on which it was accepted
 * @returns both ends
 */
export function endsOf(socket: NodeSocket, address: Address): { localAddr: Address; remoteAddr: Address } {
  if (address.transport === "unix") return { localAddr: address, remoteAddr: address };
  const { localAddress, localPort, remoteAddress = "", remotePort = 0 } = socket;
  return {
    localAddr: { transport: "tcp", hostname: localAddress ?? address.hostname, port: localPort ?? address.port },
    remoteAddr: { transport: "tcp", hostname: remoteAddress, port: remotePort },
  };
}
