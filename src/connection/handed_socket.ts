// The socket that an upgrade hands over. Bytes that were read ahead come first.

import type { Address, Socket } from "../platform/ports.ts";
import type { Connection } from "./connection.ts";

/** A socket that reads on where the connection stopped. */
export class HandedSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  #connection: Connection;

  constructor(connection: Connection) {
    this.localAddr = connection.localAddr;
    this.remoteAddr = connection.remoteAddr;
    this.#connection = connection;
  }

  read(into: Uint8Array): Promise<number | null> {
    const { inbound, socket } = this.#connection;
    const { inbox } = inbound;
    // Nothing was read ahead, as nearly always.
    if (inbox.size === 0 && !inbound.isReading && !inbox.ended) return socket.read(into);
    return this.#readOn(into);
  }

  /** A read ahead may be under way; its bytes belong to the new protocol. */
  async #readOn(into: Uint8Array): Promise<number | null> {
    const { inbound, socket } = this.#connection;
    const { inbox } = inbound;
    if (inbox.size === 0 && inbound.isReading) await inbound.changedSince(inbound.revision, 1);
    if (inbox.size > 0) {
      const count = Math.min(inbox.size, into.length);
      into.set(inbox.bytes.subarray(inbox.at, inbox.at + count));
      inbox.at += count;
      return count;
    }
    if (inbound.broken !== null) throw inbound.broken;
    return inbox.ended ? null : await socket.read(into);
  }

  write(bytes: Uint8Array): Promise<number> | number {
    return this.#connection.socket.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#connection.socket.closeWrite();
  }

  close(): void {
    this.#connection.end({ why: "complete" });
  }
}
