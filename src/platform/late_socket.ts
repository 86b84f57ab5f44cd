// A connection that is read as it is until TLS starts.

import type { Address, Socket } from "./ports.ts";

/** Begins plain. After `startTls` all calls go to the TLS connection. */
export class LateSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  /** Starts TLS. */
  readonly startTls: () => void;
  /** The plain connection, then the TLS connection over it. Changed by `startTls`. */
  #socket: Socket;

  /**
   * @param plain the connection as it is
   * @param startTls makes the TLS connection over it
   */
  constructor(plain: Socket, startTls: () => Socket) {
    this.localAddr = plain.localAddr;
    this.remoteAddr = plain.remoteAddr;
    this.#socket = plain;
    this.startTls = () => this.#socket = startTls();
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#socket.read(into);
  }

  write(bytes: Uint8Array): Promise<number> | number {
    return this.#socket.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#socket.closeWrite();
  }

  close(): void {
    this.#socket.close();
  }
}
