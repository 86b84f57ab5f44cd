// How to be an upload, with a connection or without one, and how to ask for its progress.

import type { ExchangeView } from "../../src/connection/phases.ts";
import type { Progress } from "../../src/progress/progress.ts";
import { headOf } from "./incoming.ts";
import type { RawClient } from "./raw_client.ts";
import { bodyText } from "./responses.ts";
import type { Serving } from "./serving.ts";
import { itemAt } from "./items.ts";

/** An exchange without a connection: the test says what has come of it, and how it ends. */
export class FakeExchange implements ExchangeView {
  readonly traffic = null;
  readonly remoteAddr = { transport: "tcp", hostname: "127.0.0.1", port: 49152 } as const;
  status = 0;
  received = 0;
  sent = 0;
  isBodyRead = false;
  cutReason: unknown = undefined;
  timings = null;
  #completed = Promise.withResolvers<void>();
  readonly completed = this.#completed.promise;

  constructor(readonly head: ExchangeView["head"]) {
    this.completed.catch(() => {});
  }

  get size(): number {
    return this.head.framing.kind === "length" ? this.head.framing.length : -1;
  }

  get isBodyCutShort(): boolean {
    return this.cutReason !== undefined && !this.isBodyRead;
  }

  /** Its client has ended its side; it may still be answered. */
  leave(reason: unknown): void {
    this.cutReason ??= reason;
  }

  finish(): void {
    this.#completed.resolve();
  }

  cut(reason: unknown): void {
    this.leave(reason);
    this.#completed.reject(reason);
  }
}

/** Makes an exchange without a connection. */
export function exchangeOf(
  target: string,
  options: { method?: string; fields?: string; size?: number } = {},
): FakeExchange {
  const { method = "POST", fields = "", size } = options;
  const framing = size === undefined ? "transfer-encoding: chunked\r\n" : `content-length: ${size}\r\n`;
  return new FakeExchange(headOf(`${method} ${target} HTTP/1.1\r\nhost: a\r\n${fields}${framing}\r\n`));
}

/** Takes the rest of the body, and answers. */
export function answerExchange(exchange: FakeExchange, status = 200): void {
  exchange.received = Math.max(exchange.received, exchange.size);
  exchange.isBodyRead = true;
  exchange.status = status;
  exchange.finish();
}

/** Begins an upload and leaves the sending of its body to the test. */
export async function beginUpload(
  serving: Serving,
  target: string,
  options: { size?: number | undefined; fields?: string; method?: string } = {},
): Promise<RawClient> {
  const { size, fields = "", method = "POST" } = options;
  const client = await serving.connect();
  const framing = size === undefined ? "transfer-encoding: chunked" : `content-length: ${size}`;
  await client.send(`${method} ${target} HTTP/1.1\r\nhost: test\r\n${fields}${framing}\r\n\r\n`);
  return client;
}

/** Asks once. */
export async function poll(client: RawClient, id: string): Promise<Progress> {
  return JSON.parse(bodyText(await client.get(`/anything?progress_id=${id}`)));
}

/** Asks again and again until it is so; each question is a turn of the network, so nothing else has to be waited for. */
export async function pollUntil(
  client: RawClient,
  id: string,
  isSo: (progress: Progress) => boolean,
): Promise<Progress> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const progress = await poll(client, id);
    if (isSo(progress)) return progress;
    if (performance.now() > deadline) throw new Error(`it did not come to that: ${JSON.stringify(progress)}`);
  }
}

/** The events in a stream so far. */
export function eventsIn(text: string): Progress[] {
  return [...text.matchAll(/^data: (.*)$/gm)].map((match) => JSON.parse(itemAt(match, 1)));
}

/** An application that reads every body and then answers with what the path says: `/503` with 503. */
export async function readAndAnswer(request: Request): Promise<Response> {
  await request.arrayBuffer();
  const [, status = "200"] = /\/(\d{3})$/.exec(new URL(request.url).pathname) ?? [];
  return new Response("read\n", { status: Number(status) });
}
