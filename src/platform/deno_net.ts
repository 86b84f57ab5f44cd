// How Deno listens and accepts.

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
  if (options.transport === "unix") return new UnixListener(Deno.listen(options), options.path);
  const { hostname, port, reusePort, tls } = options;
  if (tls !== undefined) checkCertificate(tls);
  const listener = Deno.listen(reusePort === true ? { hostname, port, reusePort } : { hostname, port });
  return new TcpListener(listener, tls);
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
 * @param path of a listening socket
 * @returns the connection
 * @throws {Error} as `Deno.connect` does
 */
export async function connectUnix(path: string): Promise<Socket> {
  return await Deno.connect({ transport: "unix", path }) as Socket;
}

/**
 * Tells whether a process has a Unix socket at a path.
 *
 * @param path of a Unix socket
 * @returns false if none has, or there is no such path
 * @throws {Deno.errors.NotCapable} if this process may not ask
 */
export async function isUnixSocketLive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotCapable) throw error;
    // Its queue is full (EAGAIN), it is one for datagrams (EPROTOTYPE), or another user's (EACCES): it is in use.
    return true;
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

/** The client left while it waited to be accepted: that says nothing about the next one. */
function hasClientLeft(error: unknown): boolean {
  const { ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
  return error instanceof NotConnected || error instanceof ConnectionAborted || error instanceof ConnectionReset;
}

class TcpListener implements Listener {
  readonly addr: Address;
  #listener: Deno.TcpListener;
  /** Makes connections TLS; null for plain ones. */
  #upgrade: Promise<TlsUpgrade> | null;
  #isClosed = false;

  constructor(listener: Deno.TcpListener, tls?: TlsOptions) {
    this.#listener = listener;
    this.#upgrade = tls === undefined ? null : loadUpgrade(tls);
    this.addr = listener.addr as Address;
  }

  async accept(): Promise<Socket> {
    for (;;) {
      try {
        const connection = await this.#listener.accept();
        // An answer in several writes must not wait for the client's acknowledgement of the first.
        hurry(connection);
        return this.#upgrade === null ? connection as Socket : (await this.#upgrade).start(connection);
      } catch (error) {
        if (this.#isClosed) throw new ListenerClosed("the listener is closed", { cause: error });
        if (!hasClientLeft(error)) throw error;
      }
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listener.close();
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}

/** Listens at a path; the file there goes with it, if it is still this socket. */
class UnixListener implements Listener {
  readonly addr: Address;
  #listener: Deno.UnixListener;
  #path: string;
  /** Which file the socket is. */
  #file: string | null;
  /** True if it was closed, and the socket stays open. */
  #isAbandoned = false;
  #isClosed = false;
  /** Fails the accept that is under way. */
  #fail: (error: Error) => void = () => {};

  constructor(listener: Deno.UnixListener, path: string) {
    this.#listener = listener;
    this.#path = path;
    this.#file = fileAt(path);
    this.addr = listener.addr as Address;
  }

  accept(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      this.#listener.accept().then(
        (connection) => this.#isAbandoned ? connection.close() : resolve(connection as Socket),
        (error) => reject(this.#isClosed ? new ListenerClosed("the listener is closed", { cause: error }) : error),
      );
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const file = fileAt(this.#path);
    if (file === null || file === this.#file) {
      this.#listener.close();
      // Deno does so a turn later if an accept is under way, and the process may have ended by then.
      if (file !== null) removeIfThere(this.#path);
      return;
    }
    // Deno removes what is at the path when it closes the socket, whatever it is. This is not the socket: so it stays open
    // until the process ends, and no client finds it any more.
    this.#isAbandoned = true;
    this.#listener.unref();
    this.#fail(new ListenerClosed("the listener is closed"));
  }

  ref(): void {
    this.#listener.ref();
  }

  unref(): void {
    this.#listener.unref();
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // A stop must not fail here. If the system keeps the file, the next start replaces it, as it does after a kill.
  }
}

/** Which file is at a path, as device and inode; null if there is none, or none that can be seen. */
function fileAt(path: string): string | null {
  try {
    const { dev, ino } = Deno.lstatSync(path);
    return `${dev} ${ino}`;
  } catch {
    // Without a file at the path, or a way to it, the close has nothing to remove.
    return null;
  }
}
