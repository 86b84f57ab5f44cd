// Listens and accepts with Deno.

import { socketOf } from "./deno_socket.ts";
import { ConnectBusy, ListenerClosed } from "./errors.ts";
import type { Address, Listener, ListenOptions, Socket, TlsOptions } from "./ports.ts";
import type { TlsUpgrade } from "./deno_tls.ts";

/**
 * Listens.
 *
 * @param options the address
 * @returns the listener
 * @throws {Error} as `Deno.listen` does, with a `code` such as "EADDRINUSE"
 */
export function listen(options: ListenOptions): Listener {
  if (options.transport === "unix") return new UnixListener(Deno.listen(options), options.path);
  const { hostname, port, reusePort, backlog, tls } = options;
  if (tls !== undefined) checkCertificate(tls);
  const listener = Deno.listen({
    hostname,
    port,
    ...(reusePort === true ? { reusePort } : {}),
    ...(backlog === undefined ? {} : { tcpBacklog: backlog }),
  });
  return new TcpListener(listener, tls);
}

/** Throws for a bad certificate or the key of another one. node:tls would report that only when a client connects. */
function checkCertificate({ cert, key }: TlsOptions): void {
  if (!HTTP_CLIENT_PANICS.test(Deno.version.deno)) return Deno.createHttpClient({ cert, key }).close();
  // On another port, so that no client of the server comes to it. Without this permission the certificate is not checked.
  const { state } = Deno.permissions.querySync({ name: "net", host: "127.0.0.1:0" });
  if (state === "granted") Deno.listenTls({ hostname: "127.0.0.1", port: 0, cert, key }).close();
}

/** These versions of Deno end the process if an HTTP client gets a bad certificate. A listener of Deno reports it. */
const HTTP_CLIENT_PANICS = /^2\.9\.[0-5]$/;

async function loadUpgrade(tls: TlsOptions): Promise<TlsUpgrade> {
  return new (await import("./deno_tls.ts")).TlsUpgrade(tls);
}

/**
 * Connects to a Unix socket.
 *
 * @param path of a socket on which a process listens
 * @returns the connection
 * @throws {Error} as `Deno.connect` does
 */
export async function connectUnix(path: string): Promise<Socket> {
  return await Deno.connect({ transport: "unix", path }) as Socket;
}

/**
 * Connects to an address.
 *
 * @param address of a socket on which a process listens
 * @returns the connection
 * @throws {ConnectBusy} if the queue of a Unix socket is full
 * @throws {Error} as `Deno.connect` does
 */
export async function connect(address: Address): Promise<Socket> {
  try {
    if (address.transport === "unix") return await Deno.connect(address) as Socket;
    const connection = await Deno.connect(address);
    setNoDelay(connection);
    return connection as Socket;
  } catch (error) {
    if (error instanceof Deno.errors.WouldBlock) throw new ConnectBusy(error.message, { cause: error });
    throw error;
  }
}

/**
 * Tells whether a process listens on a Unix socket.
 *
 * @param path of a Unix socket
 * @returns false if no process does, or there is no such path
 * @throws {Deno.errors.NotCapable} if the permissions of this process do not allow it to connect
 */
export async function isUnixSocketLive(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.NotCapable) throw error;
    // The socket is in use: its queue is full (EAGAIN), it is for datagrams (EPROTOTYPE), or it is another user's (EACCES).
    return true;
  }
}

/** Sends small writes at once. This fails if the client has left already, which the first read reports too. */
function setNoDelay(connection: Deno.TcpConn): void {
  try {
    connection.setNoDelay(true);
  } catch (error) {
    if (error instanceof TypeError) throw error;
  }
}

/** True if the client left while it waited to be accepted. The next accept may succeed at once. */
function hasClientLeft(error: unknown): boolean {
  const { ConnectionAborted, ConnectionReset, NotConnected } = Deno.errors;
  return error instanceof NotConnected || error instanceof ConnectionAborted || error instanceof ConnectionReset;
}

class TcpListener implements Listener {
  readonly addr: Address;
  #listener: Deno.TcpListener;
  /** Makes connections TLS; null for plain connections. */
  #upgrade: Promise<TlsUpgrade> | null;
  /** Set by `close`. */
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
        // An answer in several writes must not wait until the client has acknowledged the first.
        setNoDelay(connection);
        return this.#upgrade === null ? socketOf(connection) : (await this.#upgrade).accept(connection);
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

/** Listens at a path. The file at the path is removed at the close, if it is still this socket. */
class UnixListener implements Listener {
  readonly addr: Address;
  #listener: Deno.UnixListener;
  #path: string;
  /** The socket's file, as `fileAt` gives it after the start. */
  #file: string | null;
  /** True if the listener was closed and the socket had to stay open. Set by `close`. */
  #isAbandoned = false;
  /** Set by `close`. */
  #isClosed = false;
  /** Rejects the accept that is under way. Changed by `accept`. */
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
        (connection) => this.#isAbandoned ? connection.close() : resolve(withPaths(connection, this.addr)),
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
      // If an accept is under way, Deno removes the file a turn later. The process may have ended by then.
      if (file !== null) removeIfThere(this.#path);
      return;
    }
    // Deno removes any file at the path when it closes the socket. The file there is not this socket, and must stay. So the
    // socket stays open until the process ends. Clients cannot reach it any more.
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

/** A client's socket rarely has a path. As under Deno.serve, the server's path is then the path of both ends. */
function withPaths(connection: Deno.UnixConn, address: Address): Socket {
  const socket = connection as Socket;
  const { remoteAddr } = connection;
  const isKnown = typeof remoteAddr.path === "string" && remoteAddr.path !== "";
  return isKnown ? socket : Object.defineProperty(socket, "remoteAddr", { value: address });
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // A stop must not fail because of this. If the file stays, the next start replaces it, as after a kill.
  }
}

/** Identifies the file at a path by device and inode. Null if there is none, or it cannot be seen. */
function fileAt(path: string): string | null {
  try {
    const { dev, ino } = Deno.lstatSync(path);
    return `${dev} ${ino}`;
  } catch {
    // Without a file that can be reached, the close has nothing to remove.
    return null;
  }
}
