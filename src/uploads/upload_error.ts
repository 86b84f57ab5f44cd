// What can be wrong with an upload, and the status that tells the client so.
// Code matches on class and `code`, never on the wording of the message.

import { brand } from "../copies/shared.ts";
import { ClientError, type ProtocolCode } from "../wire/protocol_error.ts";

/** What a client did wrong with an upload, one word for each rule that can be broken. */
export type UploadCode =
  | "not-multipart"
  | "bad-boundary"
  | "bad-part"
  | "part-head-too-large"
  | "name-too-long"
  | "too-many-files"
  | "too-many-fields"
  | "file-too-large"
  | "field-too-large"
  | "fields-too-large"
  | "total-too-large"
  | "cut-short";

/**
 * The client's fault: an upload that is malformed, too large or not what it was said to be. Thrown by
 * {@linkcode receiveUploads}.
 *
 * A handler may let it pass: the engine answers with {@linkcode UploadError.status} and the message, and so does Hono.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { receiveUploads, UploadError } from "@weft/engine";
 *
 * const request = new Request("http://localhost/", { method: "POST", body: "a=1" });
 * await assert.rejects(receiveUploads(request), (error) => {
 *   assert.ok(error instanceof UploadError);
 *   assert.equal(error.status, 415);
 *   assert.equal(error.code, "not-multipart");
 *   return true;
 * });
 * ```
 */
export class UploadError extends ClientError {
  static {
    brand(this, "UploadError");
  }

  /** Tells the class of an error from another realm or copy. */
  override readonly name = "UploadError";
  /** Which rule was broken; that of a {@linkcode ProtocolError} if the body itself was at fault. */
  readonly code: UploadCode | ProtocolCode;

  /**
   * Makes the error.
   *
   * @param code which rule was broken
   * @param message what was expected, what came and what to do
   * @param options the status code of the answer (400 if it is not given), and what it was caused by
   */
  constructor(code: UploadCode | ProtocolCode, message: string, options: ErrorOptions & { status?: number } = {}) {
    super(options.status ?? 400, message, options);
    this.code = code;
  }

  /**
   * Makes the answer, for a framework that catches what a handler throws and asks the error itself, as Hono does.
   *
   * @returns the status and the message as a text
   */
  getResponse(): Response {
    return new Response(`${this.status}: ${this.message}\n`, { status: this.status });
  }
}

/**
 * Makes the error of an upload that is larger than allowed: 413 (Content Too Large).
 *
 * @param code which limit was passed
 * @param message what is allowed and what to do
 * @returns the error, to be thrown
 */
export function tooLarge(code: UploadCode, message: string): UploadError {
  return new UploadError(code, message, { status: 413 });
}

/**
 * Shows a client's word in a message, without letting it act on a terminal or fill a line.
 *
 * @param word anything
 * @returns the word in quotes, cut if it is long
 */
export function showWord(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}...` : word);
}
