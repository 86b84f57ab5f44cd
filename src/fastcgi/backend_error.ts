// What a client is told when a FastCGI backend does not do its part, and how.

import type { Answer } from "../wire/answer.ts";
import { reasonOf } from "../wire/reasons.ts";

/** The status that tells a client of it: a bad answer or none (502), too many requests (503), or a late answer (504). */
export type BackendStatus = 502 | 503 | 504;

/** A backend could not be reached, or has not answered as it must. The message is for the operator. */
export class BackendError extends Error {
  override readonly name = "BackendError";
  /** What the client is answered. */
  readonly status: BackendStatus;

  /**
   * @param status what the client is answered
   * @param message what was expected and what came; the client does not see it
   * @param options the error behind it
   */
  constructor(status: BackendStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Seconds after which a client may try again. A backend that has too much to do is not helped by less. */
const RETRY_AFTER_SECONDS = "1";

/**
 * Makes the answer to a request that no backend answers.
 *
 * @param status what the client is told
 * @returns an answer without details
 */
export function plainAnswer(status: number): Answer {
  const fields: [string, string][] = [["content-type", "text/plain;charset=UTF-8"]];
  if (status === 503) fields.push(["retry-after", RETRY_AFTER_SECONDS]);
  return { status, reason: "", fields, body: `${status} ${reasonOf(status)}\n`, block: null };
}

/** The failure of a backend whose body is not as long as it has said. */
export function wrongLength(came: number, promised: number): BackendError {
  return new BackendError(502, `it has sent ${came} bytes of a body of which it promised ${promised}`);
}
