// Makes a TLS connection of a TCP connection that Node has accepted. Only a listener with a certificate loads this module.

import { Socket as NodeSocket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { closeWrite } from "./node_close_write.ts";
import { type AcceptedOptions, type ConnectionHandle, endsOf } from "./node_socket.ts";
import type { Address, Socket, TlsOptions } from "./ports.ts";
import { SecureSocket } from "./secure_socket.ts";

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
    const raw = new NodeSocket(
      { handle, allowHalfOpen: true, manualStart: true } as unknown as ConstructorParameters<typeof NodeSocket>[0],
    );
    raw.setNoDelay(true);
    raw.once("close", onClose);
    // The TLSSocket passes errors of this stream on. Without a listener they would end the process.
    raw.on("error", () => {});
    const ends = endsOf(raw, address);
    return this.#isLate ? new LateSocket(raw, ends, () => this.#start(raw, ends)) : this.#start(raw, ends);
  }

  #start(raw: NodeSocket, ends: { localAddr: Address; remoteAddr: Address }): Socket {
    const secure = new TLSSocket(raw, { isServer: true, secureContext: this.#secureContext });
    return new SecureSocket(secure, { ...ends, handshakeTimeoutMs: this.#handshakeTimeoutMs });
  }
}

/** A connection that is read as it is until TLS starts. What was not read by then stays in the stream, where TLS finds it. */
class LateSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  /** Starts TLS. */
  readonly startTls: () => void;
  #raw: NodeSocket;
  /** The TLS connection; null until it starts. Set by `startTls`. */
  #secure: Socket | null = null;

  constructor(raw: NodeSocket, ends: { localAddr: Address; remoteAddr: Address }, start: () => Socket) {
    this.#raw = raw;
    this.localAddr = ends.localAddr;
    this.remoteAddr = ends.remoteAddr;
    this.startTls = () => this.#secure = start();
  }

  async read(into: Uint8Array): Promise<number | null> {
    if (this.#secure !== null) return await this.#secure.read(into);
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

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#secure !== null) return await this.#secure.write(bytes);
    return await new Promise((resolve, reject) => {
      this.#raw.write(bytes, (error) => error == null ? resolve(bytes.length) : reject(error));
    });
  }

  async closeWrite(): Promise<void> {
    if (this.#secure !== null) return await this.#secure.closeWrite();
    await closeWrite(this.#raw);
  }

  close(): void {
    if (this.#secure !== null) this.#secure.close();
    else this.#raw.destroy();
  }
}
