// Knows: what a parsed request head says, and how to find a field in it.
// Does not know: how it was read (head_reader.ts) or what an application makes of it.
// Rule: the head is kept as one text; nothing is cut out of it until somebody asks.

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
  /** One of the forms of RFC 9112, section 3.2; the connection never has to look into the target again. */
  form: "origin" | "absolute" | "asterisk" | "authority";
  /** Minor version: 1 for HTTP/1.1, 0 for HTTP/1.0. */
  minor: 0 | 1;
  /** The value of Host, empty where an HTTP/1.0 request has none. */
  host: string;
  /** Where the body ends. */
  framing: Framing;
  /** True where the peer allows the connection to go on after this request (RFC 9112, section 9.3). */
  keepAlive: boolean;
  /** True where the peer waits for 100 (Continue) before it sends the body (RFC 9110, section 10.1.1). */
  expectsContinue: boolean;
  /** The value of Upgrade where the connection options name it too, otherwise null (RFC 9110, section 7.8). */
  upgrade: string | null;
}

/** A request's head: its line, its fields, and the facts that were noted while it was read. */
export class RequestHead implements HeadFacts {
  /** Tells a head from the other events of a {@linkcode RequestReader}. */
  readonly kind = "head";
  /** The method, case as sent. */
  readonly method: string;
  /** The request target as sent. */
  readonly target: string;
  readonly form: HeadFacts["form"];
  readonly minor: 0 | 1;
  readonly host: string;
  readonly framing: Framing;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: string | null;
  /** The whole head, one character a byte, from the method to the empty line. */
  readonly text: string;
  /** Where the first field line starts in {@linkcode RequestHead.text}. */
  readonly fieldsAt: number;

  /** @param parts everything the head says, and its text */
  constructor(parts: Omit<RequestHead, "kind" | "field" | "fields">) {
    this.method = parts.method;
    this.target = parts.target;
    this.form = parts.form;
    this.minor = parts.minor;
    this.host = parts.host;
    this.framing = parts.framing;
    this.keepAlive = parts.keepAlive;
    this.expectsContinue = parts.expectsContinue;
    this.upgrade = parts.upgrade;
    this.text = parts.text;
    this.fieldsAt = parts.fieldsAt;
  }

  /**
   * The value of a field, joined with `, ` where it was sent more than once (RFC 9110, section 5.3).
   *
   * @param name the field's name in lower case
   * @returns the value, one character a byte, or null where there is no such field
   */
  field(name: string): string | null {
    return findField(this.text, this.fieldsAt, name);
  }

  /**
   * Every field in the order sent.
   *
   * @returns pairs of a name in lower case and a value, one character a byte
   */
  fields(): [name: string, value: string][] {
    const { text } = this;
    const pairs: [string, string][] = [];
    for (let at = this.fieldsAt; text.charCodeAt(at) !== 0x0d;) {
      const lineEnd = text.indexOf("\r", at);
      const nameEnd = text.indexOf(":", at);
      pairs.push([text.slice(at, nameEnd).toLowerCase(), trimmed(text, nameEnd + 1, lineEnd)]);
      at = lineEnd + 2;
    }
    return pairs;
  }
}

/**
 * Finds a field in a head's text.
 *
 * @param text the head, one character a byte, ended by an empty line
 * @param fieldsAt where its first field line starts
 * @param name the field's name in lower case
 * @returns the value, values of repeated lines joined with `, `, or null where there is no such field
 */
export function findField(text: string, fieldsAt: number, name: string): string | null {
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
      found = found === null ? value : `${found}, ${value}`;
    }
    at = lineEnd + 2;
  }
  return found;
}

/** Cuts a value out of a field line without its optional white space (RFC 9110, section 5.6.3). */
function trimmed(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
