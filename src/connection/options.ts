// What the engine and its connections agree on.

import type { TemporaryFiles } from "../platform/ports.ts";
import type { Answer } from "../wire/answer.ts";
import type { Proxies } from "./arrival.ts";
import type { Exchange } from "./exchange.ts";
import type { InboundOptions } from "./inbound.ts";
import type { Leaving } from "./leaving.ts";
import type { ReadOrder } from "./read_order.ts";
import type { StreamBudget } from "./stream_budget.ts";

/** When the application runs: once a short body is read, once the whole body is read, or once the head is read. */
export type BodyPolicy = "auto" | "whole" | "stream";

/** The application, as a connection calls it. A method may return a promise unless it says otherwise. */
export interface Application {
  /** Called once the head is read: an answer is sent without reading the body. Null if the application has no such hook. */
  accept: ((exchange: Exchange) => unknown) | null;
  /** Runs the application. */
  handle(exchange: Exchange): unknown;
  /** Makes an answer of what `accept` returned, at once; null if the request may pass. */
  answerEarly(result: unknown): Answer | null;
  /** Makes an answer of what `handle` returned, at once. */
  answer(result: unknown, exchange: Exchange): Answer;
  /** Makes an answer of what was thrown; never throws itself. */
  fail(error: unknown, exchange: Exchange): Answer | Promise<Answer>;
}

/** Shared by all connections of one engine. The engine changes what is not readonly; a connection changes nothing. */
export interface ConnectionOptions extends InboundOptions {
  readonly app: Application;
  readonly body: BodyPolicy;
  /** The order in which idle connections read. */
  readonly readOrder: ReadOrder;
  /** How long streams that never wait are sent in one go. */
  readonly streamBudget: StreamBudget;
  /** For bodies that are read first and too long for memory. */
  readonly temporaryFiles: TemporaryFiles;
  readonly scheme: "http" | "https";
  /** Most bytes of a message of a WebSocket. */
  readonly maxMessageBytes: number;
  /** The proxies that are trusted; null if there are none. */
  readonly proxies: Proxies | null;
  /** True if something reads the phases. Otherwise they are not yielded and cost next to nothing. */
  readonly isObserved: boolean;
  /** True if the first answer of a new connection is its last. Set when the engine drains. */
  closeAfterAnswer: boolean;
  /** Whether the engine drains; applications get its signal. */
  readonly leaving: Leaving;
  /** The value of Date, at most a second old. */
  date: string;
}
