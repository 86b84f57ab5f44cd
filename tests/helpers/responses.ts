// How a strict client reads the responses on a connection (RFC 9112, section 6).
// It shares no code with src, so that one mistake cannot hide another.

/** A response as it came. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  readonly version: string;
  /** Names in lower case, in the order sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
  /** False if the connection ended in the middle of it. */
  readonly isWhole: boolean;
  /** How its end was told. */
  readonly framing: "none" | "length" | "chunked" | "close";
}

/** What was read of a connection's bytes. */
export interface ReadResponses {
  readonly responses: RawResponse[];
  /** Bytes behind the last complete response. */
  readonly rest: Uint8Array;
}

const latin1 = new TextDecoder("latin1");

/**
 * Reads responses.
 *
 * @param bytes everything that the server has sent
 * @param options the requests' methods in order (GET if not given), and whether the server has ended its side
 */
export function readResponses(
  bytes: Uint8Array,
  options: { methods?: readonly string[] | undefined; ended?: boolean } = {},
): ReadResponses {
  const { methods = [], ended = false } = options;
  const responses: RawResponse[] = [];
  let at = 0;
  let answered = 0;
  while (at < bytes.length) {
    const headEnd = indexOfEmptyLine(bytes, at);
    if (headEnd < 0) break;
    const [statusLine = "", ...lines] = text(bytes.subarray(at, headEnd)).split("\r\n");
    const [, version, status, reason] = /^(HTTP\/1\.[01]) (\d{3}) (.*)$/.exec(statusLine) ?? [];
    if (version === undefined || reason === undefined) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
    const fields = lines.map((line) => {
      const [, name, value] = /^([^\s:]+): (.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`no field line: ${JSON.stringify(line)}`);
      return [name.toLowerCase(), value] as const;
    });
    const head = { status: Number(status), reason, version, fields };
    const found = readBody(bytes, headEnd + 4, { head, method: methods[answered] ?? "GET", ended });
    if (found === null) break;
    responses.push({ ...head, body: found.body, isWhole: found.isWhole, framing: found.framing });
    at = found.next;
    if (head.status >= 200) answered++;
    if (!found.isWhole || head.status === 101) break;
  }
  return { responses, rest: bytes.subarray(at) };
}

/** The value of a field, null if there is none; it must not have been sent twice. */
export function fieldOf(response: Pick<RawResponse, "fields">, name: string): string | null {
  const found = response.fields.filter(([other]) => other === name);
  if (found.length > 1) throw new Error(`${name} was sent ${found.length} times`);
  return found[0]?.[1] ?? null;
}

/** A response's body as text. */
export function bodyText(response: RawResponse): string {
  return new TextDecoder().decode(response.body);
}

interface FoundBody {
  body: Uint8Array;
  next: number;
  isWhole: boolean;
  framing: RawResponse["framing"];
}

function readBody(
  bytes: Uint8Array,
  from: number,
  about: { head: Pick<RawResponse, "status" | "fields">; method: string; ended: boolean },
): FoundBody | null {
  const { head, method, ended } = about;
  const { status } = head;
  if (status < 200 || status === 204 || status === 304 || method === "HEAD") {
    return { body: new Uint8Array(0), next: from, isWhole: true, framing: "none" };
  }
  const coding = fieldOf(head, "transfer-encoding");
  const length = fieldOf(head, "content-length");
  if (coding !== null) {
    if (coding !== "chunked" || length !== null) throw new Error("a response with strange framing");
    return readChunks(bytes, from, ended);
  }
  if (length !== null) {
    const count = Number(length);
    const body = bytes.subarray(from, from + count);
    if (body.length === count) return { body, next: from + count, isWhole: true, framing: "length" };
    return ended ? { body, next: bytes.length, isWhole: false, framing: "length" } : null;
  }
  return ended ? { body: bytes.subarray(from), next: bytes.length, isWhole: true, framing: "close" } : null;
}

function readChunks(bytes: Uint8Array, from: number, ended: boolean): FoundBody | null {
  const pieces: Uint8Array[] = [];
  const broken = (): FoundBody | null =>
    ended ? { body: join(pieces), next: bytes.length, isWhole: false, framing: "chunked" } : null;
  for (let at = from;;) {
    const lineEnd = indexOfLineEnd(bytes, at);
    if (lineEnd < 0) return broken();
    const line = text(bytes.subarray(at, lineEnd));
    if (!/^[0-9a-f]+$/i.test(line)) throw new Error(`no chunk size: ${JSON.stringify(line)}`);
    const size = parseInt(line, 16);
    at = lineEnd + 2;
    if (bytes.length < at + size + 2) return broken();
    if (text(bytes.subarray(at + size, at + size + 2)) !== "\r\n") throw new Error("a chunk without its end");
    if (size === 0) return { body: join(pieces), next: at + 2, isWhole: true, framing: "chunked" };
    pieces.push(bytes.subarray(at, at + size));
    at += size + 2;
  }
}

/** Puts pieces together. */
export function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Bytes as text, one character a byte. */
export function text(bytes: Uint8Array): string {
  return latin1.decode(bytes);
}

function indexOfLineEnd(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0x0d, from); at >= 0; at = bytes.indexOf(0x0d, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at;
  }
  return -1;
}

function indexOfEmptyLine(bytes: Uint8Array, from: number): number {
  for (let at = indexOfLineEnd(bytes, from); at >= 0; at = indexOfLineEnd(bytes, at + 2)) {
    if (bytes[at + 2] === 0x0d && bytes[at + 3] === 0x0a) return at;
  }
  return -1;
}
