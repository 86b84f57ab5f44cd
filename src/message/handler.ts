// What an application's author writes and gets: the handler's type and its neighbours'.

import type { Address } from "../platform/ports.ts";

/** Milliseconds that the phases of a request took, as far as it has come. */
export interface HandlerTimings {
  /** From the end of the last answer, or from the accept, to the first byte. */
  readonly wait: number;
  /** From the first byte to the end of the head. */
  readonly header: number;
  /** From the head to the call of the handler: reading a small body. */
  readonly body: number;
  /** From the call to the answer. */
  readonly dispatch: number;
  /** From the answer to its first bytes on the way. */
  readonly firstByte: number;
  /** From there to the last. */
  readonly write: number;
}

/** What a handler gets beside the request. */
export interface HandlerInfo<Addr extends Address = Address> {
  /** Where the request came from: the other end of the connection, or what a trusted proxy says. */
  readonly remoteAddr: Addr;
  /** Where it was received. */
  readonly localAddr: Addr;
  /** Resolves once the answer's last byte was handed to the system; rejects if the client leaves before. */
  readonly completed: Promise<void>;
  /** Its connection: a number from 1, and how many requests have come over it so far. */
  readonly connection: { readonly id: number; readonly requests: number };
  /** The phases so far; null if no stopwatch reads them. */
  readonly timings: HandlerTimings | null;
  /**
   * Fires when this process begins to drain: at a stop, a reload, a restart. What has no end of its own should end then. It is
   * the same signal for all requests, so a listener should be removed when its request is over.
   */
  readonly leaving: AbortSignal;
  /**
   * Sends an interim response of 103 (Early Hints), for example with Link fields for what the page will need. May be called
   * several times before the answer. Does nothing once the handler has answered or the client is gone, and nothing for HTTP/1.0.
   *
   * @param headers its fields; those about the connection and a body are left out
   * @throws {TypeError} if a field cannot be sent
   */
  earlyHints(headers: HeadersInit): void;
}

/** Answers a request. */
export type Handler<Addr extends Address = Address> = (
  request: Request,
  info: HandlerInfo<Addr>,
) => Response | Promise<Response>;

/** What is known of a request before its body. */
export interface RequestPreview {
  /** Such as `POST`. */
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** The fields of the head. */
  readonly headers: Headers;
}

/** What may answer before the body is read: a Response is sent at once, anything else lets the request pass. */
export type Accept = (head: RequestPreview) => Response | null | void | Promise<Response | null | void>;

/** Makes the answer for a handler that threw. */
export type OnError = (error: unknown) => Response | Promise<Response>;
