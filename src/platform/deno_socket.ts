// A TCP connection whose reads and writes are the operations of Deno. The methods of Deno.Conn put async functions around
// them, which cost more than the rest of a small message. Where this Deno lacks what is used here, the connection itself serves.

import type { Address, Socket } from "./ports.ts";

/** What is used of Deno's internals. Deno's own modules are built on the same functions. */
interface Core {
  /** Gives 0 at the end of file. */
  read(resource: number, into: Uint8Array): Promise<number>;
  write(resource: number, bytes: Uint8Array): Promise<number>;
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
  const { read, write, refOpPromise, unrefOpPromise, internalRidSymbol } = found ?? {};
  const isWhole = [read, write, refOpPromise, unrefOpPromise].every((part) => typeof part === "function");
  return isWhole && typeof internalRidSymbol === "symbol" ? found as Core : null;
}

/**
 * Makes a socket of a connection.
 *
 * @param connection it is not used otherwise any more
 * @returns the socket
 */
export function socketOf(connection: Deno.TcpConn): Socket {
  if (core === null) return connection as Socket;
  const resource = (connection as unknown as Record<symbol, unknown>)[core.internalRidSymbol];
  return typeof resource === "number" ? new DenoSocket(connection, core, resource) : connection as Socket;
}

class DenoSocket implements Socket {
  readonly #connection: Deno.TcpConn;
  readonly #core: Core;
  readonly #resource: number;
  /** The last read; null before the first. Deno ignores those that are over. */
  #reading: Promise<number> | null = null;
  #isUnreferenced = false;

  constructor(connection: Deno.TcpConn, core: Core, resource: number) {
    this.#connection = connection;
    this.#core = core;
    this.#resource = resource;
  }

  get localAddr(): Address {
    return this.#connection.localAddr as Address;
  }

  get remoteAddr(): Address {
    return this.#connection.remoteAddr as Address;
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
    return this.#connection.closeWrite();
  }

  close(): void {
    this.#connection.close();
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
