// A Listener over Node's handle of a listening socket.

import { lstatSync, readFileSync, unlinkSync } from "node:fs";
import { ListenerClosed } from "./errors.ts";
import { foreignSocket, isForeign, takeConnection } from "./node_foreign.ts";
import { type ConnectionHandle, HandleSocket } from "./node_socket.ts";
import { systemError } from "./node_system_error.ts";
import type { NodeTls } from "./node_tls.ts";
import type { Address, Listener, Socket } from "./ports.ts";
import { type Resolvers, withResolvers } from "./resolvers.ts";

/** Node's handle of a listening socket. Its methods give 0 or the negative number of an error. */
export interface ListenHandle {
  listen(backlog: number): number;
  getsockname?(into: { address?: string; port?: number }): number;
  close(): void;
  ref(): void;
  unref(): void;
  onconnection: ((error: number, connection: ConnectionHandle | undefined) => void) | null;
}

/**
 * The address of a handle.
 *
 * @param handle that is bound
 * @returns the address; the path of a Unix socket is not known
 */
export function addressOf(handle: ListenHandle): Address {
  const found: { address?: string; port?: number } = {};
  handle.getsockname?.(found);
  if (found.address === undefined || found.port === undefined) return { transport: "unix", path: "" };
  return { transport: "tcp", hostname: found.address, port: found.port };
}

/** Descriptors that are kept free for files and for connections to other servers, but at most half of all. */
const RESERVED_DESCRIPTORS = 64;

/** As many connections fit into any usual limit. Below it the limit is not read. */
const FEW_CONNECTIONS = 24;

/** Connections that are open, over all listeners. Changed by the listener and when a connection ends. */
let openConnections = 0;
/** Most of them; null until it is looked up. */
let mostConnections: number | null = null;

/**
 * Node accepts and closes connections without a word if the process has no descriptor left. So it is looked at before.
 */
function isShortOfDescriptors(): boolean {
  if (openConnections < FEW_CONNECTIONS) return false;
  mostConnections ??= mostOf(descriptorLimit());
  return openConnections >= mostConnections;
}

function mostOf(descriptors: number): number {
  return Math.max(descriptors - RESERVED_DESCRIPTORS, descriptors / 2);
}

function descriptorLimit(): number {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
    return soft === undefined ? Infinity : Number(soft);
  } catch {
    return Infinity; // Another system. Its limit is not known.
  }
}

/** What a listener is made of besides its handle. */
interface ListenerParts {
  address: Address;
  /** Makes connections TLS; null for plain ones. */
  upgrade?: Promise<NodeTls> | null;
  /** True if the socket's file is removed at the close. Node removes it too, even if it is another one by then. */
  isFileOwn?: boolean;
}

/** A listening socket of Node. */
export class HandleListener implements Listener {
  readonly addr: Address;
  #handle: ListenHandle;
  #upgrade: Promise<NodeTls> | null;
  /** Connections that have come before an `accept`. Changed by `#onConnection` and by `accept`. */
  #waiting: (ConnectionHandle | Error)[] = [];
  /** The accept that is under way; null if there is none. */
  #asked: Resolvers<Socket> | null = null;
  /** The file of a Unix socket after the start, as `fileAt` gives it; null if it does not belong to this listener. */
  #file: string | null;
  /** Set by `close`. */
  #isClosed = false;

  /**
   * @param handle that listens
   * @param parts its address, and what is made of its connections
   */
  constructor(handle: ListenHandle, { address, upgrade = null, isFileOwn = false }: ListenerParts) {
    this.#handle = handle;
    this.#upgrade = upgrade;
    // A failure is told of by `accept`.
    upgrade?.catch(() => {});
    this.addr = address;
    this.#file = isFileOwn && address.transport === "unix" ? fileAt(address.path) : null;
    handle.onconnection = (error, connection) => this.#onConnection(error, connection);
  }

  accept(): Promise<Socket> {
    const next = this.#waiting.shift();
    if (next instanceof Error) return Promise.reject(next);
    if (next !== undefined) return this.#socketOf(next);
    if (this.#isClosed) return Promise.reject(new ListenerClosed("the listener is closed"));
    this.#asked = withResolvers();
    return this.#asked.promise;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { addr } = this;
    // libuv removes whatever file is at the path when it closes the socket. Another file than this socket's must stay.
    const isFileOthers = this.#file !== null && addr.transport === "unix" && fileAt(addr.path) !== this.#file;
    if (isFileOthers) {
      this.#handle.onconnection = (_error, connection) => connection?.close();
      this.#handle.unref();
    } else {
      this.#handle.close();
      if (this.#file !== null && addr.transport === "unix") removeIfThere(addr.path);
    }
    this.#take()?.reject(new ListenerClosed("the listener is closed"));
  }

  ref(): void {
    this.#handle.ref();
  }

  unref(): void {
    this.#handle.unref();
  }

  #onConnection(error: number, connection: ConnectionHandle | undefined): void {
    // Deno tells of a connection, and does not give it.
    const taken = connection ?? (error === 0 ? takeConnection(this.#handle) : error);
    if (typeof taken === "number") return this.#give(systemError("accept", taken, "a connection"));
    if (isShortOfDescriptors()) {
      taken.close();
      // The engine waits after each error. Many connections that are refused in a row are one.
      if (this.#waiting.at(-1) instanceof Error) return;
      return this.#give(Object.assign(new Error("too many open files, a connection was refused"), { code: "EMFILE" }));
    }
    this.#give(taken);
  }

  #give(next: ConnectionHandle | Error): void {
    const asked = this.#take();
    if (asked === null) this.#waiting.push(next);
    else if (next instanceof Error) asked.reject(next);
    else asked.resolve(this.#socketOf(next));
  }

  async #socketOf(handle: ConnectionHandle): Promise<Socket> {
    openConnections++;
    const onClose = () => void openConnections--;
    const options = { address: this.addr, onClose };
    if (this.#upgrade !== null) return (await this.#upgrade).accept(handle, options);
    return isForeign ? foreignSocket(handle, options) : new HandleSocket(handle, options);
  }

  #take(): Resolvers<Socket> | null {
    const asked = this.#asked;
    this.#asked = null;
    return asked;
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // libuv has removed it. If it stays, the next start replaces it, as after a kill.
  }
}

/** Identifies the file at a path by device and inode. Null if there is none, or it cannot be seen. */
function fileAt(path: string): string | null {
  try {
    const { dev, ino } = lstatSync(path);
    return `${dev} ${ino}`;
  } catch {
    return null; // Without a file that can be reached, the close has nothing to remove.
  }
}
