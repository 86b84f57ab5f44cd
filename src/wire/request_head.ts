// What a parsed request head says, and how to find a field in it.
// The head is kept as one text; nothing is cut out of it until it is asked for.

/** Where a message body ends (RFC 9112, section 6.3). */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly length: number }
  | { readonly kind: "chunked" };

/** The framing of a request without a body. */
export const NO_BODY: Framing = { kind: "none" };
/** The framing of a body in chunks. */
export const CHUNKED: Framing = { kind: "chunked" };

/** What a head says beside its text; the facts that decide how the connection goes on. */
export interface HeadFacts {
  /** A form of RFC 9112, section 3.2 (CONNECT, which alone has the fourth, is refused); the connection never has to look into the target again. */
  form: "origin" | "absolute" | "asterisk";
  /** Minor version: 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minor: 0 | 1;
  /** The value of Host, empty if an HTTP/1.0 request has none. */
  host: string;
  /** Where the body ends. */
  framing: Framing;
  /** True if the peer allows the connection to go on after this request (RFC 9112, section 9.3). */
  keepAlive: boolean;
  /** True if the peer waits for 100 (Continue) before it sends the body (RFC 9110, section 10.1.1). */
  expectsContinue: boolean;
  /** The value of Upgrade if the connection options name it too, otherwise null (RFC 9110, section 7.8). */
  upgrade: string | null;
}

/** What is known of a complete head before it is judged: its text and the places of its parts in it. */
export interface ReadHead {
  /** One character a byte, ended by the empty line. */
  readonly text: string;
  readonly methodStart: number;
  readonly methodEnd: number;
  readonly targetEnd: number;
  /** Where the first field line starts. */
  readonly fieldsAt: number;
  readonly minor: 0 | 1;
  /** True if the target has bytes past ASCII. */
  readonly isTargetUtf8: boolean;
}

/** A request's head: its line, its fields, and the facts that `judgeHead` (head_facts.ts) sets; all others only read. */
export class RequestHead implements HeadFacts {
  /** Tells a head from the other events of a {@linkcode RequestReader}. */
  readonly kind = "head";
  /** The method, case as sent. */
  readonly method: string;
  /** The request target as sent, but raw UTF-8 percent-encoded, as browsers do. Set by `judgeHead`. */
  target: string;
  readonly minor: 0 | 1;
  /** The whole head, one character a byte, from the method (or an empty line before it) to the empty line. */
  readonly text: string;
  /** Where the first field line starts in {@linkcode RequestHead.text}. */
  readonly fieldsAt: number;
  form: HeadFacts["form"] = "origin";
  host = "";
  framing: Framing = NO_BODY;
  keepAlive: boolean;
  expectsContinue = false;
  upgrade: string | null = null;

  /**
   * Makes a head of what its reader has found.
   *
   * @param read the head as its reader left it; the facts are those of a head whose fields decide nothing
   */
  constructor(read: ReadHead) {
    const { text } = read;
    this.method = text.startsWith("GET ", read.methodStart) ? "GET" : text.slice(read.methodStart, read.methodEnd);
    this.target = text.slice(read.methodEnd + 1, read.targetEnd);
    this.minor = read.minor;
    this.text = text;
    this.fieldsAt = read.fieldsAt;
    this.keepAlive = read.minor === 1;
  }

  /**
   * The value of a field. Lines of one name are joined with `, ` (RFC 9110, section 5.3); {@linkcode RequestHead.fields} has
   * the exceptions.
   *
   * @param name the field's name in lower case
   * @returns the value, one character a byte, or null if there is no such field
   */
  field(name: string): string | null {
    if (name === "cookie") return findField(this.text, this.fieldsAt, name, COOKIE_SEPARATOR);
    const value = findField(this.text, this.fieldsAt, name);
    return name === "content-length" && value !== null ? oneLength(value) : value;
  }

  /**
   * Every field in the order sent. Two are one field even if they came in several lines, because a list with commas would be
   * wrong: Cookie is joined with `; ` (RFC 9113, section 8.2.3), and lines of Content-Length, which are equal, are one value.
   *
   * @returns pairs of a name in lower case and a value, one character a byte
   */
  fields(): [name: string, value: string][] {
    const { text } = this;
    const pairs: [string, string][] = [];
    let cookies: [string, string] | null = null;
    let hasLength = false;
    for (let at = this.fieldsAt; text.charCodeAt(at) !== 0x0d;) {
      const lineEnd = text.indexOf("\r", at);
      const nameEnd = text.indexOf(":", at);
      const pair: [string, string] = [text.slice(at, nameEnd).toLowerCase(), trimmed(text, nameEnd + 1, lineEnd)];
      at = lineEnd + 2;
      if (pair[0] === "cookie") {
        if (cookies !== null) {
          cookies[1] += COOKIE_SEPARATOR + pair[1];
          continue;
        }
        cookies = pair;
      } else if (pair[0] === "content-length") {
        if (hasLength) continue;
        hasLength = true;
      }
      pairs.push(pair);
    }
    return pairs;
  }
}

const COOKIE_SEPARATOR = "; ";

/** The first of values that are equal, joined with `, `. */
function oneLength(joined: string): string {
  const end = joined.indexOf(",");
  return end < 0 ? joined : joined.slice(0, end);
}

/**
 * Finds a field in a head's text.
 *
 * @param text the head, one character a byte, ended by an empty line
 * @param fieldsAt where its first field line starts
 * @param name the field's name in lower case
 * @param separator what the values of repeated lines are joined with
 * @returns the value, or null if there is no such field
 */
export function findField(text: string, fieldsAt: number, name: string, separator = ", "): string | null {
  const first = name.charCodeAt(0) | 0x20;
  let found: string | null = null;
  for (let at = fieldsAt; text.charCodeAt(at) !== 0x0d;) {
    const lineEnd = text.indexOf("\r", at);
    const nameEnd = at + name.length;
    if (
      (text.charCodeAt(at) | 0x20) === first && text.charCodeAt(nameEnd) === 0x3a &&
      text.slice(at, nameEnd).toLowerCase() === name
    ) {
      const value = trimmed(text, nameEnd + 1, lineEnd);
      found = found === null ? value : found + separator + value;
    }
    at = lineEnd + 2;
  }
  return found;
}

/**
 * Cuts out a value without its optional white space (RFC 9110, section 5.6.3).
 *
 * @param text what it is a part of
 * @param from where it starts
 * @param to one past its end
 * @returns the value
 */
export function trimmed(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
