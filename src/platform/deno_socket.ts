// A TCP connection whose reads and writes are the operations of Deno. The methods of Deno.Conn put async functions around
// them, which cost more than the rest of a small message. If this Deno lacks what is used here, the connection itself is the
// socket.

import type { Address, Socket } from "./ports.ts";

/** What is used of Deno's internals. Deno's own modules are built on the same functions. */
interface Core {
  /** Gives 0 at the end of file. */
  read(resource: number, into: Uint8Array): Promise<number>;
  write(resource: number, bytes: Uint8Array): Promise<number>;
  shutdown(resource: number): Promise<void>;
  close(resource: number): void;
  refOpPromise(promise: Promise<number>): void;
  unrefOpPromise(promise: Promise<number>): void;
  readonly internalRidSymbol: symbol;
}

const core = findCore();

/** Null if a part is missing. */
function findCore(): Core | null {
  const { internal } = Deno as unknown as { internal?: PropertyKey };
  const found = internal === undefined
    ? undefined
    : (Deno as unknown as Record<PropertyKey, { core?: Partial<Core> }>)[internal]?.core;
  const { read, write, shutdown, close, refOpPromise, unrefOpPromise, internalRidSymbol } = found ?? {};
  const parts = [read, write, shutdown, close, refOpPromise, unrefOpPromise];
  const isWhole = parts.every((part) => typeof part === "function");
  return isWhole && typeof internalRidSymbol === "symbol" ? found as Core : null;
}

/**
 * Makes a socket of a connection.
 *
 * @param connection it cannot be used otherwise any more
 * @returns the socket
 */
export function socketOf(connection: Deno.TcpConn): Socket {
  if (core === null) return connection as Socket;
  const resource = (connection as unknown as Record<symbol, unknown>)[core.internalRidSymbol];
  return typeof resource === "number" ? new DenoSocket(connection, core, resource) : connection as Socket;
}

/** The connection itself is not kept: with its addresses it takes half a kilobyte. */
class DenoSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  readonly #core: Core;
  readonly #resource: number;
  /** The last read; null before the first. Deno ignores those that are over. */
  #reading: Promise<number> | null = null;
  #isUnreferenced = false;

  constructor(connection: Deno.TcpConn, core: Core, resource: number) {
    this.#core = core;
    this.#resource = resource;
    this.localAddr = sameAs(connection.localAddr);
    const { hostname, port } = connection.remoteAddr;
    this.remoteAddr = { transport: "tcp", hostname, port };
  }

  read(into: Uint8Array): Promise<number> {
    const reading = this.#reading = this.#core.read(this.#resource, into);
    if (this.#isUnreferenced) this.#core.unrefOpPromise(reading);
    return reading;
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#core.write(this.#resource, bytes);
  }

  closeWrite(): Promise<void> {
    return this.#core.shutdown(this.#resource);
  }

  close(): void {
    this.#core.close(this.#resource);
  }

  ref(): void {
    this.#isUnreferenced = false;
    if (this.#reading !== null) this.#core.refOpPromise(this.#reading);
  }

  unref(): void {
    this.#isUnreferenced = true;
    if (this.#reading !== null) this.#core.unrefOpPromise(this.#reading);
  }
}

/** The address of the last connection here. Most connections come to one. */
let lastAddress: Address & { transport: "tcp" } = { transport: "tcp", hostname: "", port: 0 };

function sameAs({ hostname, port }: Deno.NetAddr): Address {
  if (hostname !== lastAddress.hostname || port !== lastAddress.port) {
    lastAddress = Object.freeze({ transport: "tcp", hostname, port });
  }
  return lastAddress;
}
