// Knows: how Deno listens and accepts.
// Does not know: what is spoken on a connection.

import { ListenerClosed } from "./errors.ts";
import type { Address, Listener, ListenOptions, Socket, TlsOptions } from "./ports.ts";
import type { TlsUpgrade } from "./deno_tls.ts";

/**
 * Listens.
 *
 * @param options where
 * @returns the listener
 * @throws {Error} as `Deno.listen` does, with `code` "EADDRINUSE" and the like
 */
export function listen(options: ListenOptions): Listener {
  if (options.transport === "unix") return new DenoListener(Deno.listen(options));
  const { hostname, port, reusePort, tls } = options;
  if (tls !== undefined) checkCertificate(tls);
  const listener = Deno.listen(reusePort === true ? { hostname, port, reusePort } : { hostname, port });
  return new DenoListener(listener, tls);
}

/** node:tls would tell of a bad certificate, or of a key of another one, only when a client comes. */
function checkCertificate({ cert, key }: TlsOptions): void {
  Deno.createHttpClient({ cert, key }).close();
}

async function loadUpgrade(tls: TlsOptions): Promise<TlsUpgrade> {
  return new (await import("./deno_tls.ts")).TlsUpgrade(tls);
}

/**
 * Connects to a Unix socket.
 *
 * @param path where somebody listens
 * @returns the connection
 * @throws {Error} as `Deno.connect` does
 */
export async function connectUnix(path: string): Promise<Socket> {
  return await Deno.connect({ transport: "unix", path }) as Socket;
}

/**
 * Tells whether somebody listens at a path.
 *
 * @param path of a Unix socket
 * @returns false where nobody answers, or there is no such path
 */
export async function isUnixSocketLive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** A client that has left already makes it fail; the connection's first read tells of that. */
function hurry(connection: Deno.TcpConn): void {
  try {
    connection.setNoDelay(true);
  } catch (error) {
    if (error instanceof TypeError) throw error;
  }
}

class DenoListener implements Listener {
  readonly addr: Address;
  #listener: Deno.Listener;
  /** Makes connections TLS; null for plain ones. */
  #upgrade: Promise<TlsUpgrade> | null;
  #isClosed = false;

  constructor(listener: Deno.Listener, tls?: TlsOptions) {
    this.#listener = listener;
    this.#upgrade = tls === undefined ? null : loadUpgrade(tls);
    this.addr = listener.addr as Address;
  }

  async accept(): Promise<Socket> {
    try {
      const connection = await this.#listener.accept();
      // An answer in several writes must not wait for the client's acknowledgement of the first.
      if ("setNoDelay" in connection) hurry(connection as Deno.TcpConn);
      return this.#upgrade === null ? connection as Socket : (await this.#upgrade).start(connection as Deno.TcpConn);
    } catch (error) {
      throw this.#isClosed ? new ListenerClosed("the listener is closed", { cause: error }) : error;
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
    if (this.addr.transport === "unix") removeIfThere(this.addr.path);
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}

/** Nobody listens at the path any more; somebody else may have cleared it away. */
function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
