// Makes a Socket of a stream of node:net or node:tls, and takes over inherited listening sockets. It works in Deno and Node.
// A stream flows only while a caller waits for bytes. What it has read ahead by then is kept, whatever ends it.

import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket as NodeSocket } from "node:net";
import { ListenerClosed } from "./errors.ts";
import { closeWrite } from "./node_close_write.ts";
import { endsOf } from "./node_socket.ts";
import type { Address, Listener, Socket } from "./ports.ts";
import { type Resolvers, withResolvers } from "./resolvers.ts";

/**
 * Takes over an inherited listening socket.
 *
 * @param descriptor its number, as systemd gives it: 3 is the first
 * @returns the listener
 * @throws {Error} with `code` "EBADF", "ENOTSOCK" or "EINVAL" if the descriptor is not a listening socket
 */
export async function listenOn(descriptor: number): Promise<Listener> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ fd: descriptor }, resolve);
  });
  return new ServerListener(server);
}

/** Most bytes of one write. A write ends when all of it is taken, so large ones are split to show the progress of slow clients. */
const MAX_WRITE_BYTES = 64 * 1024;

/** After a close, a connection that was accepted before may still come. In this time the runtime polls the system twice. */
const CLOSE_MS = 10;

/** A listener over a server of node:net. */
export class ServerListener implements Listener {
  readonly addr: Address;
  #server: Server;
  /** Connections that have come before an `accept`. Changed by the "connection" event and by `accept`. */
  #waiting: NodeSocket[] = [];
  /** The accept that is under way; null if there is none. Changed by `accept` and `#take`. */
  #asked: Resolvers<Socket> | null = null;
  /** Set by `close`. */
  #isClosed = false;
  /** True when no more connections come: the accept that was under way at the close is over. Set by `#end`. */
  #isOver = false;

  /** @param server that listens */
  constructor(server: Server) {
    this.#server = server;
    this.addr = addressOf(server.address());
    server.removeAllListeners("error");
    server.on("error", (error) => this.#take()?.reject(error));
    server.on("connection", (socket: NodeSocket) => {
      const asked = this.#take();
      if (asked === null) this.#waiting.push(socket);
      else asked.resolve(this.#socketOf(socket));
    });
  }

  accept(): Promise<Socket> {
    const socket = this.#waiting.shift();
    if (socket !== undefined) return Promise.resolve(this.#socketOf(socket));
    if (this.#isOver) return Promise.reject(new ListenerClosed("the listener is closed"));
    this.#asked = withResolvers();
    return this.#asked.promise;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#server.close();
    setTimeout(() => this.#end(), CLOSE_MS);
  }

  #end(): void {
    this.#isOver = true;
    this.#take()?.reject(new ListenerClosed("the listener is closed"));
  }

  ref(): void {
    this.#server.ref();
  }

  unref(): void {
    this.#server.unref();
  }

  #socketOf(socket: NodeSocket): Socket {
    return new StreamSocket(socket, endsOf(socket, this.addr));
  }

  #take(): Resolvers<Socket> | null {
    const asked = this.#asked;
    this.#asked = null;
    return asked;
  }
}

function addressOf(address: ReturnType<Server["address"]>): Address {
  if (typeof address === "string") return { transport: "unix", path: address };
  if (address === null || address.address === undefined) return { transport: "unix", path: "" };
  return { transport: "tcp", hostname: address.address, port: address.port };
}

/** A stream of node:net or node:tls, read and written one promise at a time. */
export class StreamSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  #socket: NodeSocket;
  /** Bytes that have come and were not read yet; null if there are none. One piece, or the last ones: the stream pauses after each. */
  #rest: Uint8Array | null = null;
  /** The read that is under way; null if there is none. Changed by `read` and `#answer`. */
  #reading: Resolvers<number | null> & { into: Uint8Array } | null = null;
  /** True once the peer has ended its side. Set by the "end" event. */
  #ended = false;
  /** The first error, also after a close; null before. Set by the "error" and "close" events. */
  #error: Error | null = null;

  /**
   * @param socket the stream
   * @param ends the addresses of the connection
   */
  constructor(socket: NodeSocket, ends: { localAddr: Address; remoteAddr: Address }) {
    this.#socket = socket;
    this.localAddr = ends.localAddr;
    this.remoteAddr = ends.remoteAddr;
    socket.pause();
    socket.on("data", (bytes: Uint8Array) => {
      socket.pause();
      this.#rest = bytes;
      this.#answer();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#answer();
    });
    socket.on("error", (error: Error) => {
      this.#keepBuffered();
      this.#error = error;
      this.#answer();
    });
    socket.on("close", () => {
      this.#error ??= new Error("the connection is closed");
      this.#answer();
    });
  }

  read(into: Uint8Array): Promise<number | null> {
    const reading = { ...withResolvers<number | null>(), into };
    this.#reading = reading;
    this.#answer();
    if (this.#reading !== null) {
      this.#socket.resume();
      this.onWait(into.length);
    }
    return reading.promise;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) return reject(this.#error);
      const part = bytes.length > MAX_WRITE_BYTES ? bytes.subarray(0, MAX_WRITE_BYTES) : bytes;
      this.#socket.write(part, (error) => error == null ? resolve(part.length) : reject(error));
    });
  }

  closeWrite(): Promise<void> {
    return closeWrite(this.#socket);
  }

  close(): void {
    this.#socket.destroy();
  }

  ref(): void {
    this.#socket.ref();
  }

  unref(): void {
    this.#socket.unref();
  }

  /**
   * Called when a read has to wait.
   *
   * @param _room how many bytes it takes
   */
  protected onWait(_room: number): void {}

  /** Takes what has come before an error: the stream, which was paused, gives no more events for it. */
  #keepBuffered(): void {
    const left: Uint8Array | null = this.#socket.read();
    if (left === null) return;
    this.#rest = this.#rest === null ? left : Buffer.concat([this.#rest, left]);
  }

  /** Settles the read that is under way, if bytes, the end or an error have come. */
  #answer(): void {
    const reading = this.#reading;
    if (reading === null) return;
    if (this.#rest !== null) {
      const count = Math.min(this.#rest.length, reading.into.length);
      reading.into.set(this.#rest.subarray(0, count));
      this.#rest = count < this.#rest.length ? this.#rest.subarray(count) : null;
      this.#reading = null;
      reading.resolve(count);
    } else if (this.#ended) {
      this.#reading = null;
      reading.resolve(null);
    } else if (this.#error !== null) {
      this.#reading = null;
      reading.reject(this.#error);
    }
  }
}
