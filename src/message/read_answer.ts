// How to read a handler's Response without making a stream or an iterator if its body is text or bytes.
// What Deno keeps inside is read only if a probe found it as expected; otherwise the public interface is used.

import type { Answer, AnswerBody } from "../wire/answer.ts";
import { nativeOf, symbolsOf } from "./native.ts";
import { blockOfRepeated } from "./repeated_blocks.ts";
import { blockOfType, NO_FIELDS, TEXT_FIELDS } from "./type_blocks.ts";

const NativeResponse = nativeOf(globalThis.Response);

/** How much of a Blob is read at once, and held for each answer. A longer piece is hardly quicker. */
export const BLOB_PIECE_BYTES = 256 * 1024;

/** Under which an object has the answer that it stands for, null if it stands for none any more (answer_response.ts). */
export const ANSWER: unique symbol = Symbol("answer");

/**
 * Reads what a handler returned. Its body counts as used from then on.
 *
 * @param value what the handler returned
 * @returns the answer to send
 * @throws {TypeError} if it is not a Response, an error response, or one whose body was used already
 */
export function readAnswer(value: unknown): Answer {
  const given = (value as { [ANSWER]?: Answer | null } | null | undefined)?.[ANSWER];
  if (given != null) return given;
  if (value instanceof NativeResponse) {
    if (fastPlaces !== null) {
      const answer = readStatic(value as unknown as StaticResponse, fastPlaces);
      if (answer !== null) return answer;
    }
    if (innerPlace !== null) {
      const answer = readInner(value, innerPlace);
      if (answer !== null) return answer;
    }
    return readPublic(value);
  }
  // A Response of another realm or of a library is as good, as long as it behaves like one.
  if (isResponseLike(value)) return readPublic(value);
  throw notAResponse(describe(value));
}

/**
 * Tells a Response from what else `accept` may give.
 *
 * @param value anything
 * @returns true if it can be sent
 */
export function isResponse(value: unknown): boolean {
  return value instanceof NativeResponse || isResponseLike(value);
}

/**
 * The way that every runtime offers. The headers come first: a Response that is made only when something is asked of it, as
 * @hono/node-server has them, forgets a change of its headers when it is asked for its body. Only then does it know the type
 * of a text that was given with other headers.
 */
function readPublic(response: Response): Answer {
  if (isEmptyShell(response)) {
    throw notAResponse("an object with the prototype of Response that no constructor has made");
  }
  const fields = [...response.headers];
  const { status } = response;
  if (response.type === "error") throw errorResponse();
  if (response.bodyUsed || response.body?.locked === true) throw bodyUsed();
  if (!fields.some(isType)) fields.push(...[...response.headers].filter(isType));
  const body = response.body ?? null;
  const isDecoded = body !== null && response.url !== "" && response.url !== undefined && fields.some(isDecodedCoding);
  return {
    status,
    reason: response.statusText ?? "",
    fields: isDecoded ? fields.filter(isOfDecoded) : fields,
    body,
    block: null,
  };
}

/** True if the native getters would answer, which need a state that this object lacks. */
function isEmptyShell(response: Response): boolean {
  if (!(response instanceof NativeResponse) || innerPlace !== null && innerPlace in response) return false;
  if (innerPlace === null) return !hasHeaders(response);
  let owner: object = response;
  while (!Object.hasOwn(owner, "headers")) owner = Object.getPrototypeOf(owner);
  return owner === NativeResponse.prototype;
}

/** False if a getter does not find the state of a Response: it throws then, or gives nothing. */
function hasHeaders(response: Response): boolean {
  try {
    return response.headers !== undefined;
  } catch {
    return false;
  }
}

function isType([name]: [string, string]): boolean {
  return name.toLowerCase() === "content-type";
}

// Deno keeps a Response that was made of text or bytes in a few fields of its own until more is asked for.

/** Under which symbols they stand. */
interface StaticPlaces {
  status: symbol;
  body: symbol;
  headerKind: symbol;
  contentType: symbol;
  consumed: symbol;
  lazyBody: symbol;
  inner: symbol;
}
type StaticResponse = Record<symbol, unknown>;

/** How such a Response tells its only field. */
const NO_TYPE = 0;
const TEXT_TYPE = 1;

function readStatic(response: StaticResponse, places: StaticPlaces): Answer | null {
  const status = response[places.status] as number;
  if (status !== 200) return null;
  if (response[places.consumed] === true) throw bodyUsed();
  if (response[places.lazyBody] === null && !takeStatic(response[places.inner] as InnerResponse | undefined)) {
    return null;
  }
  response[places.consumed] = true;
  const kind = response[places.headerKind];
  const block = kind === TEXT_TYPE
    ? TEXT_FIELDS
    : kind === NO_TYPE
    ? NO_FIELDS
    : blockOfType(response[places.contentType] as string);
  return { status, reason: "", fields: block.fields, body: response[places.body] as string | Uint8Array, block };
}

/** What Deno keeps of any other Response. */
interface InnerResponse {
  type: string;
  status: number;
  statusMessage: string;
  headerList: [string, string][];
  bodyDecoded?: boolean;
  body: null | { streamOrStatic: ReadableStream<Uint8Array> | { body: unknown; consumed: boolean }; source?: unknown };
}

function readInner(response: Response, place: symbol): Answer | null {
  const inner = (response as unknown as Record<symbol, InnerResponse | undefined>)[place];
  // An instance by its prototype only, which keeps its state in another way.
  if (inner === undefined) return null;
  if (inner.type === "error") throw errorResponse();
  if (fastPlaces !== null && (response as unknown as StaticResponse)[fastPlaces.lazyBody] !== null) return null;
  // What fetch() has decoded no longer has the length and the coding that its fields tell.
  const fields = inner.bodyDecoded === true ? inner.headerList.filter(isOfDecoded) : inner.headerList;
  const { status, statusMessage } = inner;
  const body = bodyOf(response, inner);
  const block = typeof body === "string" && statusMessage === "" ? blockOfRepeated(status, fields) : null;
  return { status, reason: statusMessage, fields, body, block };
}

function bodyOf(response: Response, inner: InnerResponse): AnswerBody {
  if (inner.body === null) return null;
  const kept = inner.body.streamOrStatic;
  if ("consumed" in kept && (typeof kept.body === "string" || kept.body instanceof Uint8Array)) {
    takeStatic(inner);
    return kept.body;
  }
  if (response.bodyUsed || response.body?.locked === true) throw bodyUsed();
  const { source } = inner.body;
  if (source instanceof Blob && source.size > BLOB_PIECE_BYTES) {
    response.body!.cancel().catch(() => {}); // It counts as used then. It was not read, so there is nothing to cancel.
    return streamOfBlob(source);
  }
  return response.body;
}

/** Reads a Blob piece by piece. The Blob's own stream gives each of its parts as one copy, anew for each answer. */
export function streamOfBlob(blob: Blob): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    async pull(controller) {
      if (at >= blob.size) return controller.close();
      const piece = new Uint8Array(await blob.slice(at, at += BLOB_PIECE_BYTES).arrayBuffer());
      controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
}

/** Marks a static body as used; false if it is none. */
function takeStatic(inner: InnerResponse | undefined): boolean {
  const kept = inner?.body?.streamOrStatic;
  if (kept === undefined || !("consumed" in kept)) return false;
  if (kept.consumed) throw bodyUsed();
  kept.consumed = true;
  return true;
}

/** What every fetch() decodes. The body of its Response no longer has the coding and the length that the fields tell. */
function isDecodedCoding([name, value]: [string, string]): boolean {
  return name.toLowerCase() === "content-encoding" && /^(?:gzip|x-gzip|deflate|br)$/i.test(value);
}

function isOfDecoded([name]: [string, string]): boolean {
  return !/^(content-encoding|content-length|transfer-encoding)$/i.test(name);
}

const innerPlace = findInner();
const fastPlaces = innerPlace === null ? null : findStatic(innerPlace);

function findInner(): symbol | null {
  const sample = new NativeResponse(new Uint8Array([7]), {
    status: 201,
    statusText: "Made",
    headers: { a: "b", c: "d" },
  });
  const place = symbolsOf(sample)["response"];
  if (place === undefined) return null;
  const inner = (sample as unknown as Record<symbol, InnerResponse>)[place];
  const kept = inner?.body?.streamOrStatic as { body: unknown; consumed: unknown } | undefined;
  const isKnown = inner?.type === "default" && inner.status === 201 && inner.statusMessage === "Made" &&
    JSON.stringify(inner.headerList) === '[["a","b"],["c","d"]]' &&
    kept?.consumed === false && kept.body instanceof Uint8Array && kept.body[0] === 7;
  return isKnown ? place : null;
}

function findStatic(inner: symbol): StaticPlaces | null {
  const sample = new NativeResponse("x");
  const {
    "serve fast status": status,
    "serve fast body": body,
    "serve fast header kind": headerKind,
    "serve fast content type": contentType,
    "serve fast consumed": consumed,
    "lazy static body": lazyBody,
  } = symbolsOf(sample);
  if (
    status === undefined || body === undefined || headerKind === undefined || contentType === undefined ||
    consumed === undefined || lazyBody === undefined
  ) return null;
  const places: StaticPlaces = { status, body, headerKind, contentType, consumed, lazyBody, inner };
  const text = sample as unknown as StaticResponse;
  const json = NativeResponse.json(1) as unknown as StaticResponse;
  const bytes = new NativeResponse(new Uint8Array(1)) as unknown as StaticResponse;
  const isKnown = text[places.status] === 200 && text[places.body] === "x" && text[places.headerKind] === TEXT_TYPE &&
    text[places.lazyBody] === "x" && text[places.consumed] === false &&
    json[places.headerKind] === 2 && json[places.contentType] === "application/json" &&
    bytes[places.headerKind] === NO_TYPE && bytes[places.body] instanceof Uint8Array;
  return isKnown ? places : null;
}

function isResponseLike(value: unknown): value is Response {
  const like = value as Partial<Response> | null | undefined;
  return typeof like === "object" && like !== null && isStatus(like.status) &&
    typeof (like.headers as Headers | undefined)?.[Symbol.iterator] === "function" &&
    // What else could be a body (a Readable of Node's) has no end that could be told.
    (like.body === null || typeof like.body?.getReader === "function");
}

/** What the native class lets pass; another one may let pass anything. */
function isStatus(status: unknown): boolean {
  return Number.isInteger(status) && (status === 101 || status as number >= 200 && status as number <= 599);
}

function errorResponse(): TypeError {
  return new TypeError("expected a response that can be sent, the handler returned Response.error()");
}

/**
 * Makes the error for a Response that was returned once more.
 *
 * @returns the error, to be thrown
 */
export function bodyUsed(): TypeError {
  return new TypeError("the body of the handler's Response was used already; make a new Response for each answer");
}

function notAResponse(what: string): TypeError {
  return new TypeError(`expected the handler to return a Response, it returned ${what}`);
}

/** Most names of an object's properties that a message lists. */
const MAX_NAMES = 5;

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (typeof value === "string") return "a string; return new Response(it)";
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value)) return "an array; for JSON, return Response.json(it)";
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    return `an instance of ${prototype.constructor?.name || "a class without a name"}`;
  }
  const names = Object.keys(value);
  if (names.length === 0) return "an empty object";
  const shown = names.slice(0, MAX_NAMES).join(", ") + (names.length > MAX_NAMES ? ", ..." : "");
  return `a plain object with the properties ${shown}; for JSON, return Response.json(it)`;
}
