// Knows: how another protocol reads on where the connection stopped: what it read ahead comes first.
// Does not know: what the other protocol is.

import type { Address, Socket } from "../platform/ports.ts";
import type { Connection } from "./connection.ts";

/** The socket that an upgrade hands over. A read for the next request may be under way; its bytes belong to the taker. */
export class HandedSocket implements Socket {
  readonly localAddr: Address;
  readonly remoteAddr: Address;
  #connection: Connection;

  constructor(connection: Connection) {
    this.localAddr = connection.localAddr;
    this.remoteAddr = connection.remoteAddr;
    this.#connection = connection;
  }

  async read(into: Uint8Array): Promise<number | null> {
    const { intake, socket } = this.#connection;
    const { inbox } = intake;
    if (intake.isReading) await intake.fill(1);
    if (inbox.size > 0) {
      const count = Math.min(inbox.size, into.length);
      into.set(inbox.bytes.subarray(inbox.at, inbox.at + count));
      inbox.at += count;
      return count;
    }
    if (intake.broken !== null) throw intake.broken;
    return inbox.ended ? null : await socket.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#connection.socket.write(bytes);
  }

  closeWrite(): Promise<void> {
    return this.#connection.socket.closeWrite();
  }

  close(): void {
    this.#connection.close();
  }
}
