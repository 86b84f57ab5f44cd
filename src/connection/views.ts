// What a reader of the phases is given: a connection that it cannot act on.

import type { Address } from "../platform/ports.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionView, ExchangeView } from "./phases.ts";

/** A connection without anything that acts on it. One object serves for the whole life of the connection. */
export class ReadOnlyConnection implements ConnectionView {
  #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  get id(): number {
    return this.#connection.id;
  }

  get requests(): number {
    return this.#connection.requests;
  }

  get remoteAddr(): Address {
    return this.#connection.remoteAddr;
  }

  get localAddr(): Address {
    return this.#connection.localAddr;
  }

  get exchange(): ExchangeView | null {
    return this.#connection.exchange?.view ?? null;
  }

  get refusal(): ProtocolError | null {
    return this.#connection.refusal;
  }
}
