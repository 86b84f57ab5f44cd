// The progress of one upload: how far it is, how fast it comes and how it ended.
// Nothing is done while bytes arrive. The exchange counts them anyway, and a sample is taken when it is asked for.

import { ResponseBroken } from "../connection/endings.ts";
import type { ExchangeView } from "../connection/phases.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import { isSame, type Progress } from "./progress.ts";

/** The rate forgets in this time: slow enough to be read, quick enough to show that a line broke down. */
const RATE_MS = 3_000;
/** Samples closer together measure the pieces that the network makes rather than its rate. */
const MIN_SAMPLE_MS = 100;
/** What does not change is put again so often, well before a store forgets it. */
const REFRESH_MS = 20_000;

/** An upload on its way. */
export class Upload {
  #exchange: ExchangeView;
  #startedAt: number;
  #sampledAt: number;
  #sampled = 0;
  /** Bytes a millisecond; null until it was measured. */
  #rate: number | null = null;
  #put: Progress | null = null;
  #putAt = 0;

  /**
   * @param exchange its request
   * @param now milliseconds of a clock that never steps back
   */
  constructor(exchange: ExchangeView, now: number) {
    this.#exchange = exchange;
    this.#startedAt = this.#sampledAt = now;
  }

  /**
   * Takes a sample.
   *
   * @param now milliseconds of the clock
   * @returns how it stands
   */
  sample(now: number): Progress {
    const exchange = this.#exchange;
    if (isCutShort(exchange)) return this.#ended("aborted", 0, now);
    const { size, received } = exchange;
    this.#measure(received, now);
    const rate = this.#rate ?? 0;
    const left = size - received;
    return {
      state: "uploading",
      size,
      received,
      rate: Math.round(rate * 1000),
      eta: left === 0 ? 0 : size < 0 || Math.round(rate * 1000) === 0 ? -1 : Math.ceil(left / rate / 1000),
      aborted: 0,
      status: 0,
    };
  }

  /**
   * Tells how it ended.
   *
   * @param wasAnswered false if its answer could not be sent to its end
   * @param now milliseconds of the clock
   * @returns its last state
   */
  end(wasAnswered: boolean, now: number): Progress {
    const { status, cutReason, isBodyRead } = this.#exchange;
    if (wasAnswered) {
      // A client that left in the middle of its body is answered too, but it does not read the answer.
      if (cutReason !== undefined && !isBodyRead) return this.#ended("aborted", 0, now);
      return this.#ended(status < 400 ? "done" : "error", status, now);
    }
    if (cutReason instanceof ResponseBroken) return this.#ended("error", status, now);
    // The engine has refused the body: too large, too slow or malformed.
    if (cutReason instanceof ProtocolError && cutReason.code !== "cut-short") {
      return this.#ended("error", cutReason.status, now);
    }
    return this.#ended("aborted", 0, now);
  }

  /** What a store was told last; null before. */
  get told(): Progress | null {
    return this.#put;
  }

  /**
   * Tells whether a store has to hear of a sample, and remembers that it did.
   *
   * @param progress the sample
   * @param now milliseconds of the clock
   * @returns true if it is news, or the last one is getting old
   */
  isNews(progress: Progress, now: number): boolean {
    if (this.#put !== null && isSame(this.#put, progress) && now - this.#putAt < REFRESH_MS) return false;
    this.#put = progress;
    this.#putAt = now;
    return true;
  }

  #measure(received: number, now: number): void {
    const ms = now - this.#sampledAt;
    if (ms < MIN_SAMPLE_MS) return;
    const rate = (received - this.#sampled) / ms;
    // A mean that weighs what is past the less the longer ago it was, however often samples are taken.
    this.#rate = this.#rate === null ? rate : rate + (this.#rate - rate) * Math.exp(-ms / RATE_MS);
    this.#sampledAt = now;
    this.#sampled = received;
  }

  #ended(state: "done" | "error" | "aborted", status: number, now: number): Progress {
    const { size, received } = this.#exchange;
    return {
      state,
      size,
      received,
      rate: Math.round(received * 1000 / Math.max(1, now - this.#startedAt)),
      eta: state === "done" ? 0 : -1,
      aborted: state === "aborted" ? 1 : 0,
      status,
    };
  }
}

/** True if the client has left before its body was complete. The application cannot make up for that. */
function isCutShort(exchange: ExchangeView): boolean {
  return exchange.cutReason !== undefined && !(exchange.cutReason instanceof ProtocolError) && exchange.isBodyCutShort;
}
