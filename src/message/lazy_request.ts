// How to be a Request that is made of nothing but what is touched.
// If the runtime or a caller needs the real Request, it is made once and answers from then on.

import { attach, expose, exposed } from "../copies/shared.ts";
import { platform } from "../platform/runtime.ts";
import { joined } from "../wire/octets.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { LazyHeaders } from "./lazy_headers.ts";
import { nativeOf, standFor } from "./native.ts";
import { type ArrivedOver, urlOf } from "./request_url.ts";

const NativeRequest = nativeOf(globalThis.Request);
const NativeResponse = nativeOf(globalThis.Response);
const NativeStream = nativeOf(globalThis.ReadableStream);
const decoder = new TextDecoder();
const NOTHING = new Uint8Array(0);

/** What a request is made of: the exchange of a connection is one. */
export interface Incoming {
  readonly head: RequestHead;
  /** How it came in. Asked for once, if the URL is. */
  readonly arrival: ArrivedOver;
  /** Takes the whole body if it stands in memory; null otherwise. Use the bytes before the next wait, or copy them. */
  takeBuffered(): Uint8Array | null;
  readonly signal: AbortSignal;
  /** The next piece of the body, or null after the last. */
  readBody(): Promise<Uint8Array | null>;
}

/** A Request over an {@linkcode Incoming}. */
export class LazyRequest {
  #incoming: Incoming;
  #url: string | null = null;
  #headers: LazyHeaders | null = null;
  #real: Request | null = null;
  /** Set by `real` if fetch() is told the length of its stream: takes that back. Called by each other way to read it. */
  #forgetLength: (() => void) | null = null;
  #isTaken = false;

  constructor(incoming: Incoming) {
    this.#incoming = incoming;
  }

  get method(): string {
    return this.#incoming.head.method;
  }

  get url(): string {
    return this.#url ??= urlOf(this.#incoming.head, this.#incoming.arrival);
  }

  get headers(): Headers {
    return (this.#headers ??= new LazyHeaders(this.#incoming.head)) as unknown as Headers;
  }

  get signal(): AbortSignal {
    return this.#incoming.signal;
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#hasBody ? LazyRequest.real(this).body : null;
  }

  get bodyUsed(): boolean {
    return this.#real === null ? this.#isTaken : this.#real.bodyUsed;
  }

  async text(): Promise<string> {
    if (this.#real !== null) return await this.#toRead.text();
    return decoder.decode(this.#takeWhole() ?? await this.#collect());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async bytes(): Promise<Uint8Array> {
    if (this.#real !== null) return new Uint8Array(await this.#toRead.arrayBuffer());
    return this.#takeWhole()?.slice() ?? await this.#collect();
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    const bytes = await this.bytes();
    const { buffer } = bytes;
    return (bytes.length === buffer.byteLength ? buffer : bytes.slice().buffer) as ArrayBuffer;
  }

  async blob(): Promise<Blob> {
    return await (await this.#asResponse()).blob();
  }

  async formData(): Promise<FormData> {
    return await (await this.#asResponse()).formData();
  }

  clone(): Request {
    return LazyRequest.real(this).clone();
  }

  /** What the request of a handler is made of; null for any other Request, such as a copy. */
  static incoming(request: object): Incoming | null {
    return (exposed(request, "incoming") as Incoming | undefined) ?? null;
  }

  static {
    expose(this, "incoming", (request) => request.#incoming);
  }

  /** The native Request that stands for a value, if it is one of these; otherwise the value. */
  static unwrapped<Value>(value: Value): Value | Request {
    return typeof value === "object" && value !== null && #incoming in value ? LazyRequest.real(value) : value;
  }

  /**
   * The native Request that stands for one of these.
   *
   * @param request one of these
   * @param options `leavesBody`: true if the body stays with the exchange until the native Request is read
   */
  static real(request: LazyRequest, { leavesBody = false }: { leavesBody?: boolean } = {}): Request {
    if (request.#real !== null) return request.#real;
    const { method, url, signal } = request;
    const lazy = request.headers as unknown as LazyHeaders;
    const init: RequestInit & { duplex?: "half" } = { method, headers: LazyHeaders.pairs(lazy), signal };
    const isTaken = request.#isTaken;
    if (isTaken) init.body = NOTHING;
    else if (request.#hasBody) {
      const body = request.#bodyOfReal(leavesBody);
      init.body = body as BodyInit;
      if (!(body instanceof Uint8Array)) init.duplex = "half";
    }
    const real = new NativeRequest(url, init);
    LazyHeaders.standIn(lazy, real.headers);
    // What was read already has to look read: an empty body is, at once.
    if (isTaken) real.arrayBuffer();
    return request.#real = real;
  }

  /**
   * The Fetch standard gives GET and HEAD no body. One that was sent reads as empty. Any other request has a body, which is
   * an empty stream if none was sent. Both as under Deno.serve.
   */
  get #hasBody(): boolean {
    const { method } = this.#incoming.head;
    return method !== "GET" && method !== "HEAD";
  }

  /** The native Request's body: bytes if they are here, so that whatever it is sent with knows their length. */
  #bodyOfReal(leavesBody: boolean): Uint8Array | ReadableStream<Uint8Array> {
    const incoming = this.#incoming;
    const { framing } = incoming.head;
    if (framing.kind === "none") return NOTHING;
    const bytes = leavesBody ? null : incoming.takeBuffered();
    if (bytes !== null) return bytes; // The native Request copies them.
    const stream = streamOf(incoming);
    if (framing.kind === "length") {
      this.#forgetLength = platform.tellLength(stream, framing.length, () => streamOf(incoming));
    }
    return stream;
  }

  /** The native Request, to read its body here. Read through the means of fetch(), an error would lose its class. */
  get #toRead(): Request {
    this.#forgetLength?.();
    return this.#real!;
  }

  /**
   * Takes a body that is here as a whole. Its bytes stand in the connection's buffer: they are used on the spot, before
   * anything is waited for. Null if the body has to be collected.
   */
  #takeWhole(): Uint8Array | null {
    if (this.#isTaken) throw new TypeError("the body of this request was read already");
    const incoming = this.#incoming;
    if (!this.#hasBody) return NOTHING;
    this.#isTaken = true;
    return incoming.head.framing.kind === "none" ? NOTHING : incoming.takeBuffered();
  }

  async #collect(): Promise<Uint8Array> {
    const incoming = this.#incoming;
    const first = await incoming.readBody();
    if (first === null) return new Uint8Array(0);
    const pieces = [first];
    let length = first.length;
    for (let piece = await incoming.readBody(); piece !== null; piece = await incoming.readBody()) {
      pieces.push(piece);
      length += piece.length;
    }
    return pieces.length === 1 ? first : joined(pieces, length);
  }

  async #asResponse(): Promise<Response> {
    if (this.#real !== null) {
      return new NativeResponse(await this.#toRead.arrayBuffer(), { headers: this.#typeField() });
    }
    return new NativeResponse((this.#takeWhole() ?? await this.#collect()) as BodyInit, { headers: this.#typeField() });
  }

  #typeField(): Record<string, string> {
    const type = this.headers.get("content-type");
    return type === null ? {} : { "content-type": type };
  }
}

const sample = new NativeRequest("http://localhost/");
standFor(LazyRequest, NativeRequest, sample, LazyRequest.real);

/**
 * True if fetch() and `new Request` take a LazyRequest. The runtime has to find its state there, or the globals have to be those
 * of fast_globals.ts. Set by `requestsAreTaken`.
 */
let areTaken = Object.getOwnPropertySymbols(sample).length > 0;

/** Called when fetch() and `new Request` take a LazyRequest from now on. */
export function requestsAreTaken(): void {
  areTaken = true;
}

/**
 * Makes the request that a handler gets.
 *
 * @param incoming what it is made of
 * @returns a LazyRequest, or a native Request if the runtime would not take the former
 */
export function requestOf(incoming: Incoming): Request {
  const request = new LazyRequest(incoming);
  if (areTaken) return request as unknown as Request;
  // The body stays with the exchange: fastcgi() reads it there.
  const real = LazyRequest.real(request, { leavesBody: true });
  attach(real, "incoming", incoming);
  return real;
}

/** A stream that reads no sooner than it is read, so that the socket is pushed back. */
function streamOf(incoming: Incoming): ReadableStream<Uint8Array> {
  return new NativeStream({
    async pull(controller) {
      const piece = await incoming.readBody();
      if (piece === null) controller.close();
      else controller.enqueue(piece);
    },
  }, { highWaterMark: 0 });
}
