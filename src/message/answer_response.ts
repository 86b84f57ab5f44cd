// How to be a Response that is made of an answer in the terms of the wire: the engine sends the answer as it is, with its
// fields in their order and without a web stream. If something else is asked of it, the real Response is made once.

import { type Answer, type AnswerBody, type AnswerSource, isStream } from "../wire/answer.ts";
import { nativeOf, standFor, symbolsOf } from "./native.ts";
import { ANSWER } from "./read_answer.ts";

const NativeResponse = nativeOf(globalThis.Response);
const NativeStream = nativeOf(globalThis.ReadableStream);

/** A Response over an {@linkcode Answer}. */
export class AnswerResponse {
  #answer: Answer;
  /** Null until something is asked that only the real one can answer. Set by `real`. */
  #real: Response | null = null;

  /** @param answer what it is made of */
  constructor(answer: Answer) {
    this.#answer = answer;
  }

  get status(): number {
    return this.#answer.status;
  }

  get ok(): boolean {
    const { status } = this.#answer;
    return status >= 200 && status < 300;
  }

  /** Null once the real one was made: it may have been changed, and its body was given to it. */
  get [ANSWER](): Answer | null {
    return this.#real === null ? this.#answer : null;
  }

  /** The native Response that stands for one of these. */
  static real(response: AnswerResponse): Response {
    return response.#real ??= realOf(response.#answer);
  }
}

standFor(AnswerResponse, NativeResponse, new NativeResponse(), AnswerResponse.real);

/** Statuses with which a Response has no body (Fetch standard, null body status). */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function realOf({ status, reason, fields, body }: Answer): Response {
  const isEmpty = WITHOUT_BODY.has(status);
  if (isEmpty && isStream(body)) body.cancel(undefined).catch(() => {}); // It is not asked for, so its failure does not matter.
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  if (status === 101) return switching(headers);
  return new NativeResponse(isEmpty ? null : webBody(body), { status, statusText: reason, headers });
}

/** No constructor makes a Response with this status. */
function switching(headers: Headers): Response {
  const response = new NativeResponse(null, { headers });
  const place = symbolsOf(response)["response"];
  const inner = place === undefined ? undefined : (response as unknown as Record<symbol, { status: number }>)[place];
  if (inner?.status === 200) inner.status = 101;
  return response;
}

function webBody(body: AnswerBody): BodyInit | null {
  return isStream(body) && !("getReader" in body) ? streamOf(body) : body as BodyInit | null;
}

/** A stream that reads no sooner than it is read. The bytes are copied, because the next read may change them. */
function streamOf(source: AnswerSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new NativeStream<Uint8Array<ArrayBuffer>>({
    async pull(controller) {
      const { done, value } = await source.read();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
}
