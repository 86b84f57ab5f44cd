// Knows: what the engine and its connections agree on.
// Does not know: where a limit was set.

import type { TemporaryFiles } from "../platform/ports.ts";
import type { Answer } from "../wire/answer.ts";
import type { DecodeLatin1 } from "../wire/head_facts.ts";
import type { ReaderLimits } from "../wire/request_reader.ts";
import type { Exchange } from "./exchange.ts";
import type { Turnstile } from "./turnstile.ts";

/** When the application runs: as soon as a small body is here, when all of it is, or once the head is read. */
export type BodyPolicy = "auto" | "whole" | "stream";

/** Largest body that `auto` reads first: what a form or a JSON document has, and a client sends at once. */
export const AUTO_BODY_BYTES = 64 * 1024;

/** Most bytes of an unread body that are taken to keep a connection: cheaper than a new one up to about here. */
export const MAX_DRAIN_BYTES = 256 * 1024;

/** Most bytes of a body that is read first that stay in memory: a hundred of them are 25 MiB. */
export const MEMORY_BODY_BYTES = 256 * 1024;

/** What a connection needs of an application. Each method may answer with a promise, unless it says otherwise. */
export interface Application {
  /** Asked once the head is read: an answer that is sent without reading the body, or null. */
  accept: ((exchange: Exchange) => unknown) | null;
  /** Runs the application. */
  handle(exchange: Exchange): unknown;
  /** Makes an answer of what `accept` gave, at once; null where the request may pass. */
  answerEarly(result: unknown): Answer | null;
  /** Makes an answer of what `handle` gave, at once. */
  answer(result: unknown, exchange: Exchange): Answer;
  /** Makes an answer of what was thrown; never throws itself. */
  fail(error: unknown, exchange: Exchange): Answer | Promise<Answer>;
}

/** Shared by all connections of one engine; the engine changes what is not readonly, a connection changes nothing. */
export interface Terms {
  readonly app: Application;
  readonly body: BodyPolicy;
  readonly limits: ReaderLimits;
  readonly decode: DecodeLatin1;
  readonly turnstile: Turnstile;
  /** For bodies that are read first and too long for memory. */
  readonly temporaryFiles: TemporaryFiles;
  readonly scheme: "http" | "https";
  /** True where somebody reads the phases; where nobody does, turns are empty and cost next to nothing. */
  readonly isRead: boolean;
  /** True where the first answer of a new connection is its last. */
  closeAfterAnswer: boolean;
  /** True once the engine drains: what has no end of its own should end. */
  isDraining: boolean;
  /** The value of Date, no more than a second old. */
  date: string;
}
