// Makes a TLS connection of a TCP connection that Deno has accepted.
// Only a listener with a certificate loads this module, because node:tls takes 15 ms to load.
// `Deno.listenTls` is not used: its connections keep their descriptor until the handshake ends, even if they are closed.

import { Socket as NodeSocket } from "node:net";
import process from "node:process";
import { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { LateSocket } from "./late_socket.ts";
import type { Address, Socket, TlsOptions } from "./ports.ts";
import { SecureSocket } from "./secure_socket.ts";

/** The part of Deno's handle for TCP that is used here. `openFromRid` returns 0 if the handle has taken the connection. */
interface TcpHandle {
  openFromRid(resource: number): number;
}

/** Node's internal binding for TCP, as Deno has it. Null if this version of Deno has none, or a different one. */
const tcp = findBinding();

function findBinding(): { make(): TcpHandle } | null {
  const { binding } = process as unknown as { binding?(name: string): unknown };
  if (binding === undefined) return null;
  const { TCP, constants } = binding("tcp_wrap") as {
    TCP?: { new (type: number): TcpHandle; prototype: Partial<TcpHandle> };
    constants?: { SOCKET: number };
  };
  if (TCP?.prototype.openFromRid === undefined || constants === undefined) return null;
  return { make: () => new TCP(constants.SOCKET) };
}

const NOTHING = new Uint8Array(0);

/** Makes TLS connections with one certificate. */
export class TlsUpgrade {
  #secureContext: SecureContext;
  #handshakeTimeoutMs: number;
  #isLate: boolean;

  /** @param tls certificate and key, already checked, and the limit of the handshake */
  constructor({ cert, key, handshakeTimeoutMs, isLate = false }: TlsOptions) {
    this.#secureContext = createSecureContext({ cert, key });
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#isLate = isLate;
  }

  /**
   * Makes a TLS connection, whose handshake begins now or when its `startTls` is called.
   *
   * @param connection this takes it over and closes it
   * @returns the TLS connection
   */
  accept(connection: Deno.TcpConn): Socket {
    const start = () => this.start(connection);
    return this.#isLate ? new LateSocket(connection as Socket, start) : start();
  }

  /**
   * Starts the handshake. Reads and writes wait for it.
   *
   * @param connection this takes it over and closes it
   * @param options `isPortable`: use only documented parts of Deno, which takes 1.5 times as much CPU
   * @returns the TLS connection
   */
  start(connection: Deno.TcpConn, { isPortable = false }: { isPortable?: boolean } = {}): Socket {
    const ends = { localAddr: connection.localAddr as Address, remoteAddr: connection.remoteAddr as Address };
    const native = isPortable ? null : nativeStream(connection);
    const raw = native ?? new ConnectionStream(connection);
    // The TLSSocket passes errors of this stream on. Without a listener they would end the process.
    raw.on("error", () => {});
    const secure = new TLSSocket(raw as NodeSocket, { isServer: true, secureContext: this.#secureContext });
    const parts = { ...ends, handshakeTimeoutMs: this.#handshakeTimeoutMs };
    // A native stream does not tell of a reset that came while it was paused, as it is between two pieces of a body. To write no
    // byte changes nothing, and fails after a reset.
    return new SecureSocket(secure, native === null ? parts : { ...parts, probe: () => connection.write(NOTHING) });
  }
}

/**
 * The connection as a native stream of node:net, so that encrypted bytes stay outside of JavaScript. Null if this version
 * of Deno does not support it, or the system has no descriptor left.
 */
function nativeStream(connection: Deno.TcpConn): NodeSocket | null {
  const resource = Object.getOwnPropertySymbols(connection).find(({ description }) =>
    description === "Deno.internal.rid"
  );
  if (tcp === null || resource === undefined) return null;
  const handle = tcp.make();
  const rid = (connection as unknown as Record<symbol, number>)[resource];
  if (rid === undefined || handle.openFromRid(rid) !== 0) return null;
  const stream = new NodeSocket({ handle, allowHalfOpen: true } as ConstructorParameters<typeof NodeSocket>[0]);
  // The handle has a second descriptor of the connection. The first stays open, because closing it ends the local side of both.
  stream.once("close", () => connection.close());
  return stream;
}

/** Most bytes of one read: the size of a TLS record. */
const READ_BYTES = 16 * 1024;

/** The connection as a stream, with documented parts of Deno only. */
class ConnectionStream extends Duplex {
  #connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    super({ allowHalfOpen: true });
    this.#connection = connection;
  }

  override _read(): void {
    const into = new Uint8Array(READ_BYTES);
    this.#connection.read(into).then(
      (count) => this.push(count === null ? null : into.subarray(0, count)),
      (error) => this.destroy(error),
    );
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#writeAll(bytes).then(() => done(), done);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  override _final(done: (error?: Error) => void): void {
    this.#connection.closeWrite().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#connection.close();
    done(error);
  }
}
