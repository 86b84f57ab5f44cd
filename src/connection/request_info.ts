// The second argument of a handler: documented getters, and nothing that a handler could break.

import { brand, expose, exposed } from "../copies/shared.ts";
import type { Address } from "../platform/ports.ts";
import { showOnly } from "../platform/shown.ts";
import type { Exchange } from "./exchange.ts";
import type { Lap } from "./phases.ts";

/** What a handler is told beside the request. Its members are getters of the prototype: spread, it gives nothing. */
export class RequestInfo {
  #exchange: Exchange;

  /** @internal Made by the engine for each call of a handler. */
  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  /** Where the request came from: the other end of the connection, or what a trusted proxy says. */
  get remoteAddr(): Address {
    return this.#exchange.remoteAddr;
  }

  /** Where it was received. */
  get localAddr(): Address {
    return this.#exchange.connection.localAddr;
  }

  /** Resolves when the system has taken the last byte of the answer; rejects when the answer can never be complete. */
  get completed(): Promise<void> {
    return this.#exchange.completed;
  }

  /** Its connection: a number from 1, and how many requests have come over it so far. */
  get connection(): { readonly id: number; readonly requests: number } {
    const { id, requests } = this.#exchange.connection;
    return { id, requests };
  }

  /** The milliseconds of the phases so far; null without a stopwatch. */
  get timings(): Readonly<Record<Lap, number>> | null {
    return this.#exchange.timings;
  }

  /**
   * Fires when this process begins to drain: at a stop, a reload, a restart. What has no end of its own should end then. It is
   * the same signal for all requests, so a listener should be removed when its request is over.
   */
  get leaving(): AbortSignal {
    return this.#exchange.connection.leaving;
  }

  /**
   * Sends an interim response of 103 (Early Hints), for example with Link fields for what the page will need. May be called
   * several times before the answer. Does nothing once the handler has answered or the client is gone, and nothing for HTTP/1.0.
   *
   * @param headers its fields; those about the connection and a body are left out
   * @throws {TypeError} if a field cannot be sent
   */
  earlyHints(headers: HeadersInit): void {
    this.#exchange.earlyHints([...new Headers(headers)]);
  }

  /** @internal The exchange behind it, for the parts of Weft that a handler calls. */
  static exchangeOf(info: RequestInfo): Exchange {
    return exposed(info, "exchange") as Exchange;
  }

  static {
    brand(this, "RequestInfo");
    showOnly(this, ["remoteAddr", "localAddr", "connection", "timings", "leaving"]);
    expose(this, "exchange", (info) => info.#exchange);
  }
}
