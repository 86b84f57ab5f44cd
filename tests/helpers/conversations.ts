// Random conversations of a client with a server, the bytes that they consist of, and the answers that must come.
// A client never ends its side unless the conversation says so. An end of file would hide a missed wake-up.

import fc from "npm:fast-check@^4";
import type { BodyPolicy } from "../../src/connection/options.ts";
import type { Handler } from "../../src/message/handler.ts";
import { join, type RawResponse } from "./responses.ts";

/** How the request's body is framed. */
type Framing = { kind: "none" } | { kind: "length" } | { kind: "chunked"; chunkBytes: number };

/** What the handler does with the body, and how many turns of the event loop it waits before it answers. */
interface Plan {
  read: "text" | "stream" | "first" | "none";
  turns: number;
  answer: "text" | "stream";
}

/** One request. */
export interface Ask {
  method: "GET" | "POST" | "HEAD";
  framing: Framing;
  bodyBytes: number;
  /** Does the head ask for 100 (Continue), and does the client wait for it? */
  expect: "no" | "at once" | "wait";
  plan: Plan;
}

/** A whole conversation on one connection. */
export interface Conversation {
  asks: Ask[];
  /** Where the bytes are cut, as fractions of 1000 of what is sent without waiting for a 100. */
  cuts: number[];
  /** Turns of the event loop that the client waits after each piece. */
  pauses: number[];
  /** What follows the last request. */
  tail: "" | "\r\n";
  /** Does the client end its side after the last byte? It still reads. */
  halfClose: boolean;
}

/** Connections that run at the same time against one server. */
export interface Scene {
  body: BodyPolicy;
  conversations: Conversation[];
}

const near = (bytes: number, by: number) => fc.integer({ min: bytes - by, max: bytes + by });

const bodyBytes = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 8 }) },
  { weight: 3, arbitrary: near(1000, 200) },
  { weight: 4, arbitrary: near(1536, 200) },
  { weight: 3, arbitrary: near(3500, 600) },
  { weight: 2, arbitrary: near(16 * 1024, 64) },
  { weight: 2, arbitrary: near(64 * 1024, 64) },
  { weight: 1, arbitrary: near(256 * 1024, 64) },
);

/** Most bytes that a test leaves unread: a connection whose unread body is longer is closed, as documented. */
const MOST_UNREAD = 48 * 1024;

const plan: fc.Arbitrary<Plan> = fc.record({
  read: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("text" as const, "stream" as const) },
    { weight: 1, arbitrary: fc.constantFrom("first" as const, "none" as const) },
  ),
  turns: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) }),
  answer: fc.constantFrom("text" as const, "text" as const, "stream" as const),
});

const ask: fc.Arbitrary<Ask> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      method: fc.constantFrom("GET" as const, "GET" as const, "HEAD" as const, "POST" as const),
      framing: fc.constant<Framing>({ kind: "none" }),
      bodyBytes: fc.constant(0),
      expect: fc.constant("no" as const),
      plan,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      method: fc.constant("POST" as const),
      framing: fc.oneof(
        { weight: 2, arbitrary: fc.constant<Framing>({ kind: "length" }) },
        {
          weight: 1,
          arbitrary: fc.record({
            kind: fc.constant("chunked" as const) as fc.Arbitrary<"chunked">,
            chunkBytes: fc.constantFrom(1, 7, 1000, 1536, 5000, 70_000),
          }),
        },
      ),
      bodyBytes,
      expect: fc.oneof(
        { weight: 8, arbitrary: fc.constant("no" as const) },
        { weight: 1, arbitrary: fc.constantFrom("at once" as const, "wait" as const) },
      ),
      plan,
    }).map(sensible),
  },
);

/** Keeps to what keeps the connection: a body that is not read must be short, and a client that waits must be asked. */
function sensible(ask: Ask): Ask {
  const { framing, plan } = ask;
  const isLeft = plan.read === "first" || plan.read === "none";
  const isTiny = framing.kind === "chunked" && framing.chunkBytes < 1000;
  const bodyBytes = isTiny
    ? Math.min(ask.bodyBytes, 600)
    : isLeft
    ? Math.min(ask.bodyBytes, MOST_UNREAD)
    : ask.bodyBytes;
  const expect = isLeft ? "no" : ask.expect;
  return { ...ask, bodyBytes, expect };
}

/** Any conversation. */
export const conversation: fc.Arbitrary<Conversation> = fc.record({
  asks: fc.array(ask, { minLength: 1, maxLength: 16 }),
  cuts: fc.oneof(
    { weight: 2, arbitrary: fc.constant<number[]>([]) },
    { weight: 3, arbitrary: fc.array(fc.nat(1000), { maxLength: 12 }) },
  ),
  pauses: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
  tail: fc.constantFrom("" as const, "" as const, "\r\n" as const),
  halfClose: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

/** Any number of connections, up to a limit, under any body policy. */
export function scenes(maxConnections: number): fc.Arbitrary<Scene> {
  return fc.record({
    body: fc.constantFrom<BodyPolicy>("auto", "whole", "stream"),
    conversations: fc.array(conversation, { minLength: 1, maxLength: maxConnections }),
  });
}

/** A run of pieces that the client sends; before the next run it waits for a 100 (Continue). */
export type Run = readonly Uint8Array[];

/** What the client sends. */
export function runsOf(conversation: Conversation): Run[] {
  const runs: Run[] = [];
  let pending: Uint8Array[] = [];
  const endRun = () => {
    if (pending.length > 0) runs.push(cut(join(pending), conversation.cuts));
    pending = [];
  };
  for (const [i, ask] of conversation.asks.entries()) {
    pending.push(headOf(ask, i));
    if (ask.expect === "wait") endRun();
    pending.push(...bodyOf(ask, i));
  }
  pending.push(encoder.encode(conversation.tail));
  endRun();
  return runs;
}

const encoder = new TextEncoder();

function headOf({ method, framing, bodyBytes, expect, plan }: Ask, i: number): Uint8Array {
  const fields = [
    "host: test",
    `x-plan: ${JSON.stringify({ ...plan, i })}`,
    ...(framing.kind === "length" ? [`content-length: ${bodyBytes}`] : []),
    ...(framing.kind === "chunked" ? ["transfer-encoding: chunked"] : []),
    ...(expect === "no" ? [] : ["expect: 100-continue"]),
  ];
  return encoder.encode(`${method} /${i} HTTP/1.1\r\n${fields.join("\r\n")}\r\n\r\n`);
}

function bodyOf({ framing, bodyBytes }: Ask, i: number): Uint8Array[] {
  if (framing.kind === "none") return [];
  const body = pattern(i, bodyBytes);
  if (framing.kind === "length") return [body];
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += framing.chunkBytes) {
    const chunk = body.subarray(at, at + framing.chunkBytes);
    pieces.push(encoder.encode(`${chunk.length.toString(16)}\r\n`), chunk, encoder.encode("\r\n"));
  }
  pieces.push(encoder.encode("0\r\n\r\n"));
  return pieces;
}

function pattern(i: number, length: number): Uint8Array {
  const body = new Uint8Array(length);
  for (let at = 0; at < length; at++) body[at] = (at * 7 + (at >> 8) + i * 31) & 0xff;
  return body;
}

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set(cuts.map((part) => Math.floor(part * bytes.length / 1000)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.subarray(places[i - 1] ?? 0, end)).filter(({ length }) =>
    length > 0
  );
}

/** Handles every request as its plan says. `turn` waits for one turn of the event loop. */
export function handlerOf(turn: () => Promise<void>): Handler {
  return async (request) => {
    const plan: Plan & { i: number } = JSON.parse(request.headers.get("x-plan")!);
    const seen = plan.read === "none" ? "" : await take(request, plan, turn);
    for (let i = 0; i < plan.turns; i++) await turn();
    const text = `${plan.i} ${request.method} ${seen}\n`;
    return new Response(plan.answer === "stream" ? streamOf(text) : text);
  };
}

async function take(request: Request, { read }: Plan, turn: () => Promise<void>): Promise<string> {
  if (read === "text") return sum(new Uint8Array(await request.arrayBuffer()));
  if (request.body === null) return sum(new Uint8Array());
  const reader = request.body.getReader();
  if (read === "first") {
    await reader.read();
    return "first";
  }
  const pieces: Uint8Array[] = [];
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    pieces.push(next.value);
    if (pieces.length % 3 === 0) await turn();
  }
  return sum(join(pieces));
}

function streamOf(text: string): ReadableStream<Uint8Array> {
  const pieces = [text.slice(0, 2), text.slice(2)].map((piece) => encoder.encode(piece));
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
}

function sum(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${bytes.length}:${hash.toString(16)}`;
}

/** The methods of a conversation's requests, for reading its responses. */
export function methodsOf({ asks }: Conversation): string[] {
  return asks.map(({ method }) => method);
}

/** What the final responses must say. */
export function expected({ asks }: Conversation): string[] {
  return asks.map(({ method, framing, bodyBytes, plan }, i) => {
    if (method === "HEAD") return "200 ";
    const whole = sum(pattern(i, framing.kind === "none" ? 0 : bodyBytes));
    const seen = plan.read === "none" ? "" : plan.read === "first" && method === "POST" ? "first" : whole;
    return `200 ${i} ${method} ${seen}\n`;
  });
}

/** What the final responses do say. */
export function answersOf(responses: readonly RawResponse[]): string[] {
  return responses.filter(({ status }) => status >= 200).map(({ status, body, isWhole }) =>
    `${status} ${new TextDecoder().decode(body)}${isWhole ? "" : " (cut short)"}`
  );
}

/** How many 100 (Continue) have come. */
export function continuesOf(responses: readonly RawResponse[]): number {
  return responses.filter(({ status }) => status === 100).length;
}
