// Why an exchange or a connection ended.

import { brand } from "../copies/shared.ts";
import { badRequest, ProtocolError } from "../wire/protocol_error.ts";

/** Why a client left, or was cut off, before its answer was complete. As the reason of a signal it is an `AbortError`. */
export class ConnectionCut extends DOMException {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "AbortError");
    if (options !== undefined) Object.defineProperty(this, "cause", { value: options.cause });
  }
}

/** The application's stream failed after the head was sent, or does not fit its Content-Length. */
export class ResponseBroken extends Error {
  static {
    brand(this, "ResponseBroken");
  }

  override readonly name = "ResponseBroken";
}

/** Thrown inside the protocol when its socket has failed or the connection was ended. Not a fault of ours; not logged. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";

  constructor(cause: unknown) {
    super("the connection is lost", { cause });
  }
}

/** How an exchange ends. */
export type ExchangeEnd =
  /** The system has taken the last byte of the answer. */
  | { readonly how: "answered" }
  /** The answer can never be complete. */
  | { readonly how: "cut"; readonly reason: unknown };

/** The end of every exchange that succeeds. */
export const ANSWERED: ExchangeEnd = { how: "answered" };

/** Why a connection ends. */
export type ConnectionEnd =
  /** Nothing is left to do. */
  | { readonly why: "complete" }
  /** The socket has failed. */
  | { readonly why: "broken"; readonly error: unknown }
  /** A deadline has passed. The client gets the error as its answer if no answer has begun; null says nothing. */
  | { readonly why: "timeout"; readonly error: ProtocolError | null }
  /** The engine stops now. */
  | { readonly why: "abort" };

/**
 * The error that an application gets when it reads the body of a request that is over.
 *
 * @param end how the exchange ended
 * @returns the client's mistake if that ended it, otherwise an error that says why there is nothing to read
 */
export function unreadable(end: ExchangeEnd): ProtocolError {
  if (end.how === "answered") return badRequest("cut-short", "the request is over; its body was thrown away");
  if (end.reason instanceof ProtocolError) return end.reason;
  return badRequest("cut-short", "the request was over before its body");
}

/** What became of something that the application promised, or of a part of its stream. A wait for it never rejects. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown };
