// How to walk one connection over a duplex, with an application that is a plain function.

import { Connection } from "../../src/connection/connection.ts";
import { Turns } from "../../src/connection/drive.ts";
import type { Exchange } from "../../src/connection/exchange.ts";
import type { BodyPolicy, ConnectionOptions } from "../../src/connection/options.ts";
import type { Phase } from "../../src/connection/phases.ts";
import { Leaving } from "../../src/connection/leaving.ts";
import { ReadBudget } from "../../src/connection/read_budget.ts";
import { ReadOrder } from "../../src/connection/read_order.ts";
import { StreamBudget } from "../../src/connection/stream_budget.ts";
import { denoPlatform } from "../../src/platform/deno.ts";
import type { Answer, AnswerBody } from "../../src/wire/answer.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { Client, type DuplexOptions } from "./duplex.ts";
import { FakeTemporaryFiles } from "./fake_files.ts";
import { type RawResponse, readResponses } from "./responses.ts";

/** What a connection is walked with. */
export interface ConnectedOptions extends DuplexOptions {
  handle?: (exchange: Exchange) => Answer | Promise<Answer>;
  accept?: (exchange: Exchange) => Answer | null | Promise<Answer | null>;
  body?: BodyPolicy;
  maxHeadBytes?: number;
  maxBodyBytes?: number;
  closeAfterAnswer?: boolean;
  temporaryFiles?: FakeTemporaryFiles;
  /** Are its phases read? */
  isObserved?: boolean;
  /** Shared with other connections; without it, the connection is alone. */
  readOrder?: ReadOrder;
}

/** A connection that is walked to its end in the background. */
export interface Connected {
  readonly client: Client;
  readonly connection: Connection;
  /** Drives it; not begun if nothing drives it. */
  readonly driver: Turns;
  readonly terms: ConnectionOptions;
  /** Every phase, in order. */
  readonly phases: Phase[];
  /** The phases of each turn. */
  readonly turns: Phase[][];
  /** Exchanges in order. */
  readonly exchanges: Exchange[];
  /** What the application failed with. */
  readonly failures: unknown[];
  /** Resolves when the walk is over: with the error that it ended with, or null. */
  readonly done: Promise<unknown>;
  /** The responses that have come. */
  responses(methods?: readonly string[]): RawResponse[];
}

/** Makes an answer. */
export function answer(body: AnswerBody, status = 200, fields: Answer["fields"] = []): Answer {
  return { status, reason: "", fields, body, block: null };
}

/** Walks a connection. */
export function connected(options: ConnectedOptions = {}): Connected {
  return connectedBy(drive, options);
}

/** Makes a connection that something else drives, if a driver is given. */
export function connectedBy(
  drivenBy: ((connected: Pick<Connected, "driver" | "phases" | "turns">) => Promise<unknown>) | null,
  options: ConnectedOptions = {},
): Connected {
  const { handle = () => answer("ok"), accept, body = "stream" } = options;
  const client = new Client(options);
  const failures: unknown[] = [];
  const exchanges: Exchange[] = [];
  const terms: ConnectionOptions = {
    app: {
      accept: accept === undefined ? null : (exchange) => accept(exchange),
      handle(exchange) {
        exchanges.push(exchange);
        return handle(exchange);
      },
      answerEarly: (result) => result as Answer | null,
      answer: (result) => result as Answer,
      fail(error) {
        failures.push(error);
        return answer("failed\n", error instanceof ProtocolError ? error.status : 500);
      },
    },
    body,
    limits: {
      maxHeadBytes: options.maxHeadBytes ?? 32 * 1024,
      maxRequestLineBytes: 8 * 1024,
      maxBodyBytes: options.maxBodyBytes ?? 0,
    },
    decode: (bytes, from, to) => new TextDecoder("latin1").decode(bytes.subarray(from, to)),
    temporaryFiles: options.temporaryFiles ?? new FakeTemporaryFiles(),
    readBudget: new ReadBudget(queueMicrotask),
    readOrder: options.readOrder ?? new ReadOrder(denoPlatform.clock),
    streamBudget: new StreamBudget(denoPlatform.clock),
    scheme: "http",
    maxMessageBytes: 64 * 1024 ** 2,
    proxies: null,
    isObserved: options.isObserved ?? true,
    leaving: new Leaving(),
    closeAfterAnswer: options.closeAfterAnswer ?? false,
    date: "Sun, 22 Nov 2026 09:00:00 GMT",
  };
  const connection = new Connection(1, client.socket, terms);
  const phases: Phase[] = [];
  const turns: Phase[][] = [];
  const driver = new Turns(connection);
  const done = drivenBy === null ? Promise.resolve(null) : drivenBy({ driver, phases, turns });
  return {
    client,
    connection,
    driver,
    terms,
    phases,
    turns,
    exchanges,
    failures,
    done,
    responses: (methods) => readResponses(client.bytes, { methods, ended: client.ended }).responses,
  };
}

/** Walks to the end. Resolves with the error that it ended with, or null. */
async function drive(
  { driver, phases, turns }: Pick<Connected, "driver" | "phases" | "turns">,
): Promise<unknown> {
  try {
    for await (const turn of driver) {
      const passed: Phase[] = [];
      turns.push(passed);
      for (const phase of turn) {
        phases.push(phase);
        passed.push(phase);
      }
    }
    return null;
  } catch (error) {
    return error;
  }
}

/** Reads all of a body that is streamed. */
export async function readAll(exchange: Exchange): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for (let piece = await exchange.readBody(); piece !== null; piece = await exchange.readBody()) {
    all += decoder.decode(piece, { stream: true });
  }
  return all;
}

/** A stream that the test fills. */
export function openStream(): {
  stream: ReadableStream<Uint8Array>;
  push(text: string): void;
  close(): void;
  fail(error: unknown): void;
  /** How often it was asked for more. */
  pulls(): number;
  /** Resolves with the reason of its cancellation. */
  cancelled: Promise<unknown>;
} {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let pulls = 0;
  const { promise: cancelled, resolve } = Promise.withResolvers<unknown>();
  const stream = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    pull: () => void pulls++,
    cancel: (reason) => resolve(reason),
  }, { highWaterMark: 0 });
  return {
    stream,
    push: (text) => controller.enqueue(new TextEncoder().encode(text)),
    close: () => controller.close(),
    fail: (error) => controller.error(error),
    pulls: () => pulls,
    cancelled,
  };
}
