// What the fields of a request head decide: its host, where its body ends, whether the connection goes on.
// Nothing here guesses. What two parsers could read in two ways is refused. That keeps request smuggling out.

import type { FieldNotes, FieldPlaces } from "./head_reader.ts";
import { badRequest, ProtocolError } from "./protocol_error.ts";
import { CHUNKED, findField, type Framing, NO_BODY, type ReadHead, RequestHead, trimmed } from "./request_head.ts";

/** How a run of bytes becomes text, one character a byte; the fastest way differs from runtime to runtime. */
export type DecodeLatin1 = (bytes: Uint8Array, from: number, to: number) => string;

/** Remembers, while a head is read, which of the fields that matter here it has. */
export class HeadNotes implements FieldNotes {
  hosts = 0;
  hostStart = 0;
  hostEnd = 0;
  contentLengths = 0;
  transferEncodings = 0;
  connections = 0;
  expects = 0;
  upgrades = 0;

  /** True if a field other than Host decides something. */
  get decide(): boolean {
    return this.contentLengths + this.transferEncodings + this.connections + this.expects + this.upgrades > 0;
  }

  /** Forgets the last head. */
  clear(): void {
    this.hosts = this.contentLengths = this.transferEncodings = 0;
    this.connections = this.expects = this.upgrades = 0;
  }

  /** Told by the reader of each field. The length of the name rules out nearly all of them. */
  note(bytes: Uint8Array, from: number, field: FieldPlaces): void {
    const at = from + field.nameStart;
    switch (field.nameEnd - field.nameStart) {
      case 4:
        if (isName(bytes, at, HOST)) {
          this.hosts++;
          this.hostStart = field.valueStart;
          this.hostEnd = field.valueEnd;
        }
        break;
      case 6:
        if (isName(bytes, at, EXPECT)) this.expects++;
        break;
      case 7:
        if (isName(bytes, at, UPGRADE)) this.upgrades++;
        break;
      case 10:
        if (isName(bytes, at, CONNECTION)) this.connections++;
        break;
      case 14:
        if (isName(bytes, at, CONTENT_LENGTH)) this.contentLengths++;
        break;
      case 17:
        if (isName(bytes, at, TRANSFER_ENCODING)) this.transferEncodings++;
        break;
    }
  }
}

const HOST = lowerCodes("host");
const EXPECT = lowerCodes("expect");
const UPGRADE = lowerCodes("upgrade");
const CONNECTION = lowerCodes("connection");
const CONTENT_LENGTH = lowerCodes("content-length");
const TRANSFER_ENCODING = lowerCodes("transfer-encoding");

function lowerCodes(name: string): number[] {
  return [...name].map((letter) => letter.charCodeAt(0));
}

function isName(bytes: Uint8Array, at: number, name: number[]): boolean {
  for (let i = 0; i < name.length; i++) {
    // "-" has the bit of a small letter already, so one OR folds the case of every name above.
    // In range: the field's name is as long as `name`.
    if ((bytes[at + i]! | 0x20) !== name[i]) return false;
  }
  return true;
}

/**
 * Judges a complete head.
 *
 * @param read the head's text and the places that its reader found
 * @param notes which fields it has
 * @returns the head with all it decides
 * @throws {ProtocolError} if its fields contradict RFC 9112 or each other
 */
export function judgeHead(read: ReadHead, notes: HeadNotes): RequestHead {
  const head = new RequestHead(read);
  if (head.method !== "GET" && !ORDINARY_METHODS.has(head.method)) checkMethod(head.method);
  head.form = formOf(head.method, head.target);
  if (read.isTargetUtf8) head.target = percentEncoded(head.target);
  head.host = judgeHost(read, notes);
  if (notes.decide) {
    const { text, fieldsAt, minor } = read;
    head.framing = judgeFraming(read, notes);
    head.expectsContinue = notes.expects > 0 && minor === 1 && judgeExpect(text, fieldsAt);
    const options = notes.connections === 0 ? "" : listOf(findField(text, fieldsAt, "connection"));
    head.keepAlive = !hasToken(options, "close") && (minor === 1 || hasToken(options, "keep-alive"));
    const upgrades = minor === 1 && notes.upgrades > 0 && hasToken(options, "upgrade");
    head.upgrade = upgrades ? findField(text, fieldsAt, "upgrade") : null;
  }
  return head;
}

/** Methods that need no closer look. */
const ORDINARY_METHODS = new Set(["HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]);

/** Methods that a Request cannot have, in any case of their letters (Fetch standard, section 2.2.1). */
const FORBIDDEN_METHODS = new Set(["CONNECT", "TRACE", "TRACK"]);

/** Methods that a Request changes to capital letters. */
const NORMALIZED_METHODS = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]);

/**
 * Refuses a method that a Request cannot have as it was sent. An application would see it or not, depending on what it
 * touches: RFC 9110, section 9.1, makes `get` another method than GET, and the Fetch standard makes it the same.
 */
function checkMethod(method: string): void {
  const upper = method.toUpperCase();
  if (FORBIDDEN_METHODS.has(upper)) {
    throw new ProtocolError("not-implemented", 501, `the method ${method} is not implemented here`);
  }
  if (NORMALIZED_METHODS.has(upper)) {
    throw new ProtocolError("not-implemented", 501, `methods have capital letters: ${upper}, not ${method}`);
  }
}

/** Percent-encodes raw UTF-8, as browsers do in paths and queries. Bytes that are not UTF-8 could be read in two ways. */
function percentEncoded(target: string): string {
  return target.replace(/[\x80-\xff]+/g, (run) => {
    const escapes = run.replace(/./g, (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`);
    try {
      decodeURIComponent(escapes);
    } catch {
      throw badRequest("bad-target", `expected UTF-8 in the target, got ${shown(escapes)}`);
    }
    return escapes;
  });
}

/** RFC 9112, section 3.2: the four forms of a target. */
function formOf(method: string, target: string): RequestHead["form"] {
  if (target.charCodeAt(0) === 0x2f) return "origin";
  if (target === "*") {
    if (method === "OPTIONS") return "asterisk";
    throw badRequest("bad-target", `"*" is a target for OPTIONS only, not for ${shown(method)}`);
  }
  const authority = /^https?:\/\/([^/?]+)/i.exec(target)?.[1];
  if (authority === undefined) {
    throw badRequest("bad-target", `expected a target that starts with "/" or "http://", got "${shown(target)}"`);
  }
  checkAuthority(authority, "bad-target");
  return "absolute";
}

/**
 * RFC 9112, section 3.2: exactly one valid Host in HTTP/1.1; HTTP/1.0 may have none. An empty one is valid, and says as much
 * as none: the server's own address is used (section 3.3).
 */
function judgeHost(read: ReadHead, notes: HeadNotes): string {
  if (notes.hosts === 0) {
    if (read.minor === 0) return "";
    throw badRequest("bad-host", "an HTTP/1.1 request needs a Host field, and there is none");
  }
  if (notes.hosts > 1) throw badRequest("bad-host", `one Host field was expected, got ${notes.hosts}`);
  const isLast = notes.hostEnd - notes.hostStart === lastGoodHost?.length;
  if (isLast && read.text.startsWith(lastGoodHost!, notes.hostStart)) return lastGoodHost!;
  const host = read.text.slice(notes.hostStart, notes.hostEnd);
  if (host === "") return "";
  checkAuthority(host, "bad-host");
  return lastGoodHost = host;
}

// Most requests to a server name the same host; the answer to "is it well formed" is the same too.
let lastGoodHost: string | null = null;

function checkAuthority(authority: string, code: "bad-host" | "bad-target"): void {
  if (isAuthority(authority)) return;
  throw badRequest(code, `expected a host name or address and perhaps a port, got "${shown(authority)}"`);
}

/**
 * RFC 3986, section 3.2.2: a name, an IPv4 or a bracketed IPv6 address, and perhaps a port. No userinfo.
 *
 * @param text anything
 * @returns true if it can be the value of Host
 */
export function isAuthority(text: string): boolean {
  const parts = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+(?::(\d{0,5}))?$|^\[[0-9A-Fa-f:.]+\](?::(\d{0,5}))?$/
    .exec(text);
  return parts !== null && Number(parts[1] ?? parts[2] ?? 0) <= 65535 && URL.canParse(`http://${text}/`);
}

/** RFC 9112, section 6.3, for requests. */
function judgeFraming(read: ReadHead, notes: HeadNotes): Framing {
  if (notes.transferEncodings > 0) {
    const coding = listOf(findField(read.text, read.fieldsAt, "transfer-encoding"));
    // Section 6.1: HTTP/1.0 knows no Transfer-Encoding, and a proxy that is one may have passed it on unread.
    if (read.minor === 0) throw badRequest("bad-transfer-encoding", "an HTTP/1.0 request has a Transfer-Encoding");
    if (notes.contentLengths > 0) {
      throw badRequest("bad-transfer-encoding", "a request has both Transfer-Encoding and Content-Length");
    }
    if (coding === "chunked") return CHUNKED;
    throw refuseCoding(coding);
  }
  if (notes.contentLengths === 0) return NO_BODY;
  const value = findField(read.text, read.fieldsAt, "content-length") ?? "";
  // Lines that repeat one length are joined by findField; section 6.3 allows them, and all parsers agree on them.
  // A list in one line, which it allows too, is refused: there they differ.
  const values = notes.contentLengths === 1 ? [value] : value.split(", ");
  const isList = values.length !== notes.contentLengths;
  for (const one of values) {
    if (isList || !/^[0-9]+$/.test(one) || one !== values[0]) {
      throw badRequest("bad-content-length", `expected one Content-Length of digits, got "${shown(value)}"`);
    }
  }
  const length = Number(values[0]);
  if (!Number.isSafeInteger(length)) {
    throw new ProtocolError("body-too-large", 413, `a body of ${shown(value)} bytes is more than can be counted here`);
  }
  return length === 0 ? NO_BODY : { kind: "length", length };
}

/** RFC 9112, section 6.1: chunked once and last; what is not known is 501, what is out of place is 400. */
function refuseCoding(list: string): ProtocolError {
  const codings = elementsOf(list);
  const misplaced = codings.indexOf("chunked") !== codings.length - 1 && codings.includes("chunked");
  if (misplaced || codings.includes("")) {
    return badRequest(
      "bad-transfer-encoding",
      `expected "chunked" once and last in Transfer-Encoding, got "${shown(list)}"`,
    );
  }
  return new ProtocolError(
    "unknown-transfer-encoding",
    501,
    `only the transfer coding "chunked" is known here, not "${shown(list)}"`,
  );
}

/** RFC 9110, section 10.1.1: a list of expectations, of which one is known. An empty list expects nothing. */
function judgeExpect(text: string, fieldsAt: number): boolean {
  const value = listOf(findField(text, fieldsAt, "expect"));
  if (value === "100-continue") return true;
  const expectations = elementsOf(value).filter((part) => part !== "");
  if (expectations.every((one) => one === "100-continue")) return expectations.length > 0;
  throw new ProtocolError(
    "bad-expectation",
    417,
    `only the expectation "100-continue" is known, not "${shown(value)}"`,
  );
}

/**
 * RFC 9110, section 5.6.1. `trim` would also remove 0xa0, a no-break space in Latin-1, which is not white space in HTTP. A
 * regular expression for white space before commas would take the square of the time for a client's row of spaces.
 */
function elementsOf(list: string): string[] {
  return list.split(",").map((part) => trimmed(part, 0, part.length));
}

function listOf(value: string | null): string {
  return value === null ? "" : value.toLowerCase();
}

function hasToken(list: string, token: string): boolean {
  if (list === token) return true;
  return list.includes(token) && elementsOf(list).includes(token);
}

/** What a peer sent, short and unable to act on a terminal, for an error message. */
function shown(text: string): string {
  return text.slice(0, 80).replace(/[^ -~]/g, "?");
}
