// Makes a TLS connection of a TCP connection that Node has accepted. Only a listener with a certificate loads this module.

import type { Socket as NodeSocket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { LateSocket } from "./late_socket.ts";
import { closeWrite } from "./node_close_write.ts";
import { type AcceptedOptions, type ConnectionHandle, endsOf, streamOf } from "./node_socket.ts";
import type { Address, Socket, TlsOptions } from "./ports.ts";
import { SecureSocket } from "./secure_socket.ts";

/** Both ends of a connection. */
type Ends = Pick<Socket, "localAddr" | "remoteAddr">;

/** Makes TLS connections with one certificate. */
export class NodeTls {
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
   * @param handle Node's handle of the connection
   * @param options the address on which it was accepted, and what is called when it is closed
   * @returns the TLS connection
   */
  accept(handle: ConnectionHandle, { address, onClose }: AcceptedOptions): Socket {
    const raw = streamOf(handle, onClose);
    // The TLSSocket passes errors of this stream on. Without a listener they would end the process.
    raw.on("error", () => {});
    const ends = endsOf(raw, address);
    const start = () => this.#start(raw, ends, () => isGone(handle));
    return this.#isLate ? new LateSocket(new PlainSocket(raw, ends), start) : start();
  }

  #start(raw: NodeSocket, ends: Ends, isGone: () => boolean): Socket {
    const secure = new TLSSocket(raw, { isServer: true, secureContext: this.#secureContext });
    return new SecureSocket(secure, { ...ends, handshakeTimeoutMs: this.#handshakeTimeoutMs, isGone });
  }
}

/** True if the connection was reset. One whose peer has only ended its side still knows the peer. */
function isGone(handle: ConnectionHandle): boolean {
  return handle.getpeername !== undefined && handle.getpeername({}) < 0;
}

/** A connection before TLS. TLS takes what was not read by then out of the stream. */
class PlainSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  #raw: NodeSocket;

  constructor(raw: NodeSocket, { localAddr, remoteAddr }: Ends) {
    this.#raw = raw;
    this.localAddr = localAddr;
    this.remoteAddr = remoteAddr;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const raw = this.#raw;
    while (raw.readableLength === 0 && !raw.readableEnded) {
      if (raw.destroyed) throw raw.errored ?? new Error("the connection is closed");
      await new Promise<void>((resolve) => {
        const events = ["readable", "end", "close"] as const;
        const go = () => {
          for (const event of events) raw.removeListener(event, go);
          resolve();
        };
        for (const event of events) raw.on(event, go);
      });
    }
    const bytes: Uint8Array | null = raw.read(Math.min(raw.readableLength, into.length));
    if (bytes === null) return null;
    into.set(bytes);
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#raw.write(bytes, (error) => error == null ? resolve(bytes.length) : reject(error));
    });
  }

  closeWrite(): Promise<void> {
    return closeWrite(this.#raw);
  }

  close(): void {
    this.#raw.destroy();
  }
}
