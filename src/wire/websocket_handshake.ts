// The opening handshake of a WebSocket, as a server sees it (RFC 6455, section 4.2).

import { TCHAR } from "./octets.ts";
import { type DeflateTerms, negotiate, showTerms } from "./permessage_deflate.ts";
import { ClientError } from "./protocol_error.ts";
import type { RequestHead } from "./request_head.ts";
import { sha1 } from "./sha1.ts";

/** Section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** 16 bytes in base64, whose last character has four bits of padding (section 4.1). */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const TOKEN = new RegExp(`^[${TCHAR}]+$`);
const VERSION = "13";

/** The client's fault: a request that cannot become a WebSocket. The engine answers with the status. */
export class HandshakeError extends ClientError {
  override readonly name = "HandshakeError";
  readonly code = "bad-handshake";
  override readonly fields: readonly (readonly [name: string, value: string])[];

  /**
   * @param status 400, or 426 for a client that has to ask in another way
   * @param message what was expected and what came
   */
  constructor(status: 400 | 426, message: string) {
    super(status, message);
    this.fields = status === 426 ? UPGRADE_FIELDS : [];
  }
}

/** What a client has to send (section 4.4; RFC 9110, section 15.5.22). */
const UPGRADE_FIELDS = [["upgrade", "websocket"], ["sec-websocket-version", VERSION]] as const;

/** What the application wants. */
export interface HandshakeOptions {
  /** The subprotocol, one of those that the client offers. */
  readonly protocol?: string | undefined;
  /** True if messages may be compressed. */
  readonly compress?: boolean | undefined;
}

/** A handshake that was accepted. */
export interface Handshake {
  /** Fields of the answer with status 101. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The subprotocol; empty if the application asked for none. */
  readonly protocol: string;
  /** How messages are compressed; null if they are not. */
  readonly deflate: DeflateTerms | null;
  /** The value of Sec-WebSocket-Extensions; empty if there are none. */
  readonly extensions: string;
}

/**
 * Accepts a handshake.
 *
 * @param head the request
 * @param options what the application wants
 * @returns what to answer
 * @throws {HandshakeError} if the client's request is not a handshake
 * @throws {TypeError} if the application wants a protocol that the client does not offer
 */
export function acceptHandshake(head: RequestHead, { protocol = "", compress = false }: HandshakeOptions): Handshake {
  const key = checkedKey(head);
  const offered = (head.field("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  if (protocol !== "" && !offered.includes(protocol)) {
    throw new TypeError(`Protocol '${protocol}' not in the request's protocol list (non negotiable)`);
  }
  const fields: [string, string][] = [
    ["upgrade", "websocket"],
    ["connection", "Upgrade"],
    ["sec-websocket-accept", acceptOf(key)],
  ];
  if (protocol !== "") fields.push(["sec-websocket-protocol", protocol]);
  const deflate = compress ? negotiate(head.field("sec-websocket-extensions") ?? "") : null;
  const extensions = deflate === null ? "" : showTerms(deflate);
  if (deflate !== null) fields.push(["sec-websocket-extensions", extensions]);
  return { fields, protocol, deflate, extensions };
}

/** Section 4.2.1. The head has an upgrade only if it is HTTP/1.1, and Connection names it. The messages are those of Deno. */
function checkedKey(head: RequestHead): string {
  if (!listOf(head.upgrade).includes("websocket")) {
    throw new HandshakeError(426, "Invalid Header: 'upgrade' header must contain 'websocket'");
  }
  if (head.method !== "GET") throw new HandshakeError(400, `a WebSocket begins with GET, got ${head.method}`);
  const { framing } = head;
  if (framing.kind === "chunked" || (framing.kind === "length" && framing.length > 0)) {
    throw new HandshakeError(400, "the request that begins a WebSocket cannot have a body");
  }
  const version = head.field("sec-websocket-version");
  if (version !== VERSION) {
    throw new HandshakeError(426, `the version of a WebSocket is ${VERSION}, got ${version ?? "none"}`);
  }
  const key = head.field("sec-websocket-key");
  if (key === null) throw new HandshakeError(400, "Invalid Header: 'sec-websocket-key' header must be set");
  if (!KEY.test(key)) throw new HandshakeError(400, "Invalid Header: 'sec-websocket-key' must be 16 bytes in base64");
  const protocols = head.field("sec-websocket-protocol");
  if (protocols !== null && !protocols.split(",").every((name) => TOKEN.test(name.trim()))) {
    throw new HandshakeError(400, "Invalid Header: 'sec-websocket-protocol' must be a list of tokens");
  }
  return key;
}

function listOf(value: string | null): string[] {
  return (value ?? "").toLowerCase().split(",").map((part) => part.trim());
}

/** Section 4.2.2: the proof that the key was read. */
function acceptOf(key: string): string {
  return btoa(String.fromCharCode(...sha1(key + GUID)));
}
