// The head of a CGI response (RFC 3875, section 6), read from bytes that may come in pieces.
// A line ends with CR LF or with LF alone. What could not be sent on as it is, is a CgiError.

import { CR, LF } from "./octets.ts";

/** The answer of a program is not a CGI response, or not one that can be sent on. */
export class CgiError extends Error {
  override readonly name = "CgiError";
}

/** What the head of a CGI response says. */
export interface CgiHead {
  readonly status: number;
  /** Reason phrase; empty if the program gave none. */
  readonly reason: string;
  /** In the order given, without Status and without what concerns one connection only. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Bytes of the body that the program has promised, -1 if it has not. */
  readonly contentLength: number;
}

/** Collects the head of a response. */
export class CgiHeadReader {
  #text = "";
  /** The bytes of the line that is read, without its end, as far as an empty one has to be told from others. */
  #line: "empty" | "cr" | "text" = "empty";
  #maxBytes: number;
  #decode: (bytes: Uint8Array, from: number, to: number) => string;

  /**
   * @param maxBytes the most bytes that a head may have
   * @param decode one character a byte
   */
  constructor(maxBytes: number, decode: (bytes: Uint8Array, from: number, to: number) => string) {
    this.#maxBytes = maxBytes;
    this.#decode = decode;
  }

  /** True if nothing has come. */
  get isEmpty(): boolean {
    return this.#text === "";
  }

  /**
   * Reads on.
   *
   * @param bytes a buffer
   * @param from where the next bytes of the response begin in it
   * @param to one past the last
   * @returns where the body begins, or -1 if the head goes on
   * @throws {CgiError} if the head is too long
   */
  read(bytes: Uint8Array, from: number, to: number): number {
    let i = from;
    let isWhole = false;
    while (i < to && !isWhole) {
      const octet = bytes[i++];
      if (octet === LF) {
        isWhole = this.#line !== "text";
        this.#line = "empty";
      } else this.#line = octet === CR && this.#line === "empty" ? "cr" : "text";
    }
    if (this.#text.length + i - from > this.#maxBytes) {
      throw new CgiError(`the head of the answer has more than ${this.#maxBytes} bytes`);
    }
    this.#text += this.#decode(bytes, from, i);
    return isWhole ? i : -1;
  }

  /**
   * Takes the head apart, once it is whole.
   *
   * @returns what it says
   * @throws {CgiError} if it cannot be sent on
   */
  head(): CgiHead {
    return parseHead(this.#text);
  }
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// deno-lint-ignore no-control-regex -- control characters are what it looks for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/** Fields that tell about one connection (RFC 9110, section 7.6.1): that to the client is the server's. */
const CONNECTION_FIELDS: ReadonlySet<string> = new Set(["connection", "keep-alive", "transfer-encoding"]);

function parseHead(text: string): CgiHead {
  const fields: [string, string][] = [];
  let status: { code: number; reason: string } | null = null;
  let contentLength = -1;
  let isMoved = false;
  for (let at = 0; at < text.length;) {
    const lineEnd = text.indexOf("\n", at);
    const line = text.slice(at, text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd);
    at = lineEnd + 1;
    if (line === "") break;
    const [name, value] = parseField(line);
    const lower = name.toLowerCase();
    if (lower === "status") {
      if (status !== null) throw new CgiError("expected one field Status, got two");
      status = parseStatus(value);
      continue;
    }
    if (CONNECTION_FIELDS.has(lower)) continue;
    if (lower === "content-length") contentLength = parseLength(value, contentLength);
    else if (lower === "location") isMoved = true;
    fields.push([name, value]);
  }
  if (status === null && fields.length === 0) throw new CgiError("the head of the answer has no field");
  // RFC 3875, section 6.2.3: a Location alone sends the client there.
  return {
    status: status?.code ?? (isMoved ? 302 : 200),
    reason: status?.reason ?? "",
    fields: contentLength < 0 ? fields : withOneLength(fields),
    contentLength,
  };
}

function parseField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  const name = colon < 0 ? "" : line.slice(0, colon);
  if (!NAME.test(name)) throw new CgiError(`expected a field and its value, got ${shown(line)}`);
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
  if (CONTROL.test(value)) throw new CgiError(`the field ${name} has a control character: ${shown(value)}`);
  return [name, value];
}

function parseStatus(value: string): { code: number; reason: string } {
  const parts = /^([2-5][0-9][0-9])(?:[ \t]+(.*))?$/.exec(value);
  if (parts === null) throw new CgiError(`expected a status from 200 to 599, got ${shown(value)}`);
  return { code: Number(parts[1]), reason: parts[2] ?? "" };
}

function parseLength(value: string, before: number): number {
  const length = /^[0-9]{1,15}$/.test(value) ? Number(value) : -1;
  if (length < 0 || (before >= 0 && before !== length)) {
    throw new CgiError(`expected one Content-Length of digits, got ${shown(value)}`);
  }
  return length;
}

/** Lines of Content-Length that are equal are one. */
function withOneLength(fields: [string, string][]): [string, string][] {
  let isFirst = true;
  return fields.filter(([name]) => {
    if (name.length !== 14 || name.toLowerCase() !== "content-length") return true;
    const isKept = isFirst;
    isFirst = false;
    return isKept;
  });
}

/** The beginning of what came, for a message. */
function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
