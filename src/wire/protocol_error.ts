// How a peer can break HTTP/1.1, and the status that tells it so.
// Code matches on class and `code`, never on the wording of the message.

import { brand } from "../copies/shared.ts";

/** What a peer did wrong, one word for each rule that can be broken. */
export type ProtocolCode =
  | "bad-request-line"
  | "bad-target"
  | "bad-version"
  | "bad-field"
  | "bad-line-ending"
  | "bad-host"
  | "bad-content-length"
  | "bad-transfer-encoding"
  | "unknown-transfer-encoding"
  | "bad-chunk"
  | "bad-expectation"
  | "bad-proxy-header"
  | "not-implemented"
  | "target-too-long"
  | "head-too-large"
  | "body-too-large"
  | "cut-short"
  | "too-slow";

/**
 * What a client did wrong, whatever it was about: the engine answers it with {@linkcode ClientError.status} if a handler
 * lets it pass.
 */
export abstract class ClientError extends Error {
  static {
    brand(this, "ClientError");
  }

  /** Which rule was broken. */
  abstract readonly code: string;
  /** The status code of the answer (RFC 9110, section 15). */
  readonly status: number;
  /** Fields of the answer that this status asks for. */
  readonly fields: readonly (readonly [name: string, value: string])[] = [];

  /**
   * Makes the error.
   *
   * @param status the status code of the answer, 400 to 505
   * @param message what was expected and what came
   * @param options what it was caused by
   */
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * The peer's fault: bytes that no request can be made of, or too many of them, or too slowly.
 *
 * The engine answers it with {@linkcode ProtocolError.status} and `connection: close`; a handler that is
 * reading the body when it happens sees it thrown from the read, and may let it pass through.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * const error = new ProtocolError("body-too-large", 413, "the body has 20 bytes, at most 10 are taken");
 * assert.equal(error.status, 413);
 * ```
 */
export class ProtocolError extends ClientError {
  static {
    brand(this, "ProtocolError");
  }

  /** Tells the class of an error from another realm or copy. */
  override readonly name = "ProtocolError";
  /** Which rule was broken. */
  readonly code: ProtocolCode;

  /**
   * Makes the error.
   *
   * @param code which rule was broken
   * @param status the status code of the answer, 400 to 505
   * @param message what was expected and what came
   */
  constructor(code: ProtocolCode, status: number, message: string) {
    super(status, message);
    this.code = code;
  }
}

/**
 * Makes the commonest refusal: 400 Bad Request.
 *
 * @param code which rule was broken
 * @param message what was expected and what came
 * @returns the error, to be thrown
 */
export function badRequest(code: ProtocolCode, message: string): ProtocolError {
  return new ProtocolError(code, 400, message);
}
