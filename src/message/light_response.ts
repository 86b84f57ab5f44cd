// A Response that is made of what its constructor was given, and nothing more: the engine sends a text or bytes as they are.
// It takes the place of a runtime's own Response that costs more than the rest of a request (fast_globals.ts). If something is
// asked of it that needs the native one, that is made once and answers from then on.

import { platform } from "../platform/runtime.ts";
import type { Answer } from "../wire/answer.ts";
import { nativeOf, standFor } from "./native.ts";
import { ANSWER, BLOB_PIECE_BYTES, bodyUsed, streamOfBlob } from "./read_answer.ts";
import { blockOfType, isKnownType, NO_FIELDS, TEXT, TEXT_FIELDS } from "./type_blocks.ts";

const NativeResponse = nativeOf(globalThis.Response);
const NativeHeaders = nativeOf(globalThis.Headers);
const NativeStream = nativeOf(globalThis.ReadableStream);

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const TYPE_NAME = "content-type";
const JSON_TYPE = "application/json";

/** A name and a value that the native Headers takes and does not change, but for the case of the name. */
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$|^$/;

/** Names that were found plain, and the same in lower case: to look them up costs less than to look at each letter again. */
const plainNames = new Map<string, string>();

/** Most names remembered: more than an application uses; one that makes them up must not fill memory. */
const MAX_NAMES = 128;

/** The name in lower case; null if it is not plain. */
function plainNameOf(name: string): string | null {
  if (!NAME.test(name)) return null;
  const lower = name.toLowerCase();
  if (plainNames.size < MAX_NAMES) plainNames.set(name, lower);
  return lower;
}

/** Statuses with which a Response has no body (Fetch standard, null body status). */
function hasBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304;
}

/** True for an iterator, such as a generator: the native class would find nothing left in it. */
function isReadOnce(headers: HeadersInit | undefined): boolean {
  return typeof headers === "object" && headers !== null && Symbol.iterator in headers && "next" in headers;
}

function isStream(body: LightBody): body is ReadableStream<Uint8Array> {
  return typeof body === "object" && body instanceof NativeStream;
}

/** True if a stream is read by another reader, or was read in part before. The native class refuses it then. */
function isTaken(stream: ReadableStream): boolean {
  return stream.locked || platform.isDisturbed?.(stream) === true;
}

type Field = [name: string, value: string];
type LightBody = string | Uint8Array | ReadableStream<Uint8Array> | Blob | null;

/** A Response over what its constructor was given. */
export class LightResponse {
  #body: LightBody = null;
  #status = 200;
  #statusText = "";
  /** What the caller has set, if that is more than a type; not used once `#headers` is there. Changed by the constructor only. */
  #fields: Field[] | null = null;
  /** The type that is sent besides `#fields`: the caller's, or the one that follows from the body. Null if there is none. */
  #type: string | null = null;
  /** True if the caller has set a type, in `#type` or in `#fields`. Set by the constructor. */
  #hasOwnType = false;
  /** The fields as an object; null until it is asked for, and it is the truth from then on. Set by `headers`. */
  #headers: Headers | null = null;
  /** True once the body was read or sent. */
  #isUsed = false;
  /** Null until something is asked that only the native one can answer. Set by `real`. */
  #real: Response | null = null;

  /**
   * @param body as for a native Response
   * @param init as for a native Response
   */
  constructor(body?: BodyInit | null, init?: ResponseInit | null) {
    if (!this.#takeBody(body ?? null) || init != null && !this.#takeInit(init)) {
      // The native constructor takes it, or throws what is to be thrown.
      this.#real = new NativeResponse(body, init ?? undefined);
    }
  }

  /** Gives false if only the native class can have such a body. */
  #takeBody(body: BodyInit | null): boolean {
    if (typeof body === "string") {
      this.#body = body;
      this.#type = TEXT;
      return true;
    }
    if (body === null) return true;
    // The caller may change the bytes afterwards.
    if (body instanceof Uint8Array) this.#body = new Uint8Array(body);
    else if (body instanceof ArrayBuffer) this.#body = new Uint8Array(body.slice(0));
    else if (body instanceof NativeStream && !isTaken(body)) this.#body = body as ReadableStream<Uint8Array>;
    else if (body instanceof Blob && body.size > BLOB_PIECE_BYTES) {
      this.#body = body;
      this.#type = body.type === "" ? null : body.type;
    } else return false;
    return true;
  }

  /** The same for what stands beside the body. */
  #takeInit({ status = 200, statusText = "", headers }: ResponseInit): boolean {
    if (!Number.isInteger(status) || status < 200 || status > 599) return false;
    if (this.#body !== null && !hasBody(status)) return false;
    if (statusText !== "" && !VALUE.test(statusText)) return false;
    this.#status = status;
    this.#statusText = statusText;
    if (headers === undefined) return true;
    const fields: Field[] = [];
    if (Symbol.iterator in headers) {
      if (isReadOnce(headers)) return false;
      for (const pair of headers as Iterable<unknown>) {
        if (!Array.isArray(pair) || pair.length !== 2 || !this.#takeField(fields, pair[0], pair[1])) return false;
      }
    } else {
      // A call of Object.entries takes several times as long.
      for (const name of Object.keys(headers)) {
        if (!this.#takeField(fields, name, (headers as Record<string, unknown>)[name])) return false;
      }
    }
    // Most answers say their type and nothing else. Their head is known.
    if (fields.length === 1 && this.#hasOwnType) this.#type = fields[0]![1];
    else {
      this.#fields = fields;
      if (this.#hasOwnType) this.#type = null;
    }
    return true;
  }

  #takeField(fields: Field[], name: unknown, value: unknown): boolean {
    const text = typeof value === "number" ? String(value) : value;
    if (typeof name !== "string" || typeof text !== "string") return false;
    const lower = plainNames.get(name) ?? plainNameOf(name);
    if (lower === TYPE_NAME) this.#hasOwnType = true;
    if (lower === null || !(lower === TYPE_NAME && isKnownType(text)) && !VALUE.test(text)) return false;
    fields.push([lower, text]);
    return true;
  }

  get status(): number {
    return this.#real?.status ?? this.#status;
  }

  get ok(): boolean {
    return this.status < 300;
  }

  get statusText(): string {
    return this.#real?.statusText ?? this.#statusText;
  }

  get type(): ResponseType {
    return this.#real?.type ?? "default";
  }

  get url(): string {
    return this.#real?.url ?? "";
  }

  get redirected(): boolean {
    return this.#real?.redirected ?? false;
  }

  get headers(): Headers {
    if (this.#real !== null) return this.#real.headers;
    return this.#headers ??= new NativeHeaders(this.#allFields());
  }

  get body(): ReadableStream<Uint8Array> | null {
    if (this.#real !== null) return this.#real.body;
    return this.#body === null ? null : LightResponse.real(this).body;
  }

  get bodyUsed(): boolean {
    return this.#real?.bodyUsed ??
      (this.#isUsed || isStream(this.#body) && platform.isDisturbed?.(this.#body) === true);
  }

  async text(): Promise<string> {
    if (this.#real !== null || typeof this.#body !== "string") return await LightResponse.real(this).text();
    this.#use();
    // Without a byte order mark and without half a character, as the bytes give it.
    return decoder.decode(encoder.encode(this.#body));
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return await LightResponse.real(this).arrayBuffer();
  }

  async bytes(): Promise<Uint8Array> {
    return new Uint8Array(await this.arrayBuffer());
  }

  async blob(): Promise<Blob> {
    return await LightResponse.real(this).blob();
  }

  async formData(): Promise<FormData> {
    return await LightResponse.real(this).formData();
  }

  clone(): Response {
    return LightResponse.real(this).clone();
  }

  /** Makes a Response of a value as JSON. */
  static json(value: unknown, init?: ResponseInit): Response {
    const text = JSON.stringify(value);
    // The native one throws what is to be thrown.
    if (text === undefined || isReadOnce(init?.headers)) return NativeResponse.json(value, init);
    const response = new LightResponse(text, init);
    if (response.#real !== null) return NativeResponse.json(value, init);
    if (!response.#hasOwnType) response.#type = JSON_TYPE;
    return response as unknown as Response;
  }

  static redirect(url: string | URL, status?: number): Response {
    return NativeResponse.redirect(url, status);
  }

  static error(): Response {
    return NativeResponse.error();
  }

  /** A Response of the runtime, such as one of fetch(), is one too. */
  static [Symbol.hasInstance](value: unknown): boolean {
    // A subclass has this method as well.
    return this === LightResponse
      ? value instanceof NativeResponse
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /** The answer to send. Its body counts as used from then on. Null if the native Response stands for this one. */
  get [ANSWER](): Answer | null {
    // An object that only has this prototype has no private fields.
    if (!(#real in this) || this.#real !== null) return null;
    this.#use();
    const reason = this.#statusText;
    const status = this.#status;
    const body = this.#body instanceof Blob ? streamOfBlob(this.#body) : this.#body;
    if (this.#fields === null && this.#headers === null && status === 200 && reason === "") {
      const type = this.#type;
      const block = type === null ? NO_FIELDS : type === TEXT ? TEXT_FIELDS : blockOfType(type);
      return { status, reason, fields: block.fields, body, block };
    }
    return {
      status,
      reason,
      fields: this.#headers === null ? this.#allFields() : [...this.#headers],
      body,
      block: null,
    };
  }

  /** The native Response that stands for one of these. */
  static real(response: LightResponse): Response {
    if (response.#real !== null) return response.#real;
    const { status, statusText, headers } = response;
    const real = new NativeResponse(response.#body as BodyInit | null, { status, statusText, headers });
    // What was read already has to look read.
    if (response.#isUsed) real.body?.cancel().catch(() => {});
    return response.#real = real;
  }

  #allFields(): Field[] {
    const fields = this.#fields ?? [];
    return this.#type === null ? fields : [...fields, ["content-type", this.#type]];
  }

  #use(): void {
    if (this.#isUsed || isStream(this.#body) && isTaken(this.#body)) {
      throw bodyUsed();
    }
    this.#isUsed = this.#body !== null;
  }
}

standFor(LightResponse, NativeResponse, new NativeResponse(), LightResponse.real);
Object.defineProperty(LightResponse.prototype, "constructor", {
  value: LightResponse,
  writable: true,
  configurable: true,
});
// A library may look at the name.
Object.defineProperty(LightResponse, "name", { value: "Response", configurable: true });
