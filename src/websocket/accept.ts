// Makes a WebSocket of a request: what is answered, and the socket that opens once the answer is sent.

import type { RawDeflate } from "../platform/ports.ts";
import { acceptHandshake } from "../wire/websocket_handshake.ts";
import type { Answer } from "../wire/answer.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { SocketLink } from "./link.ts";
import type { WriteTurns } from "./write_turns.ts";

/** As Deno has it. */
const IDLE_TIMEOUT_S = 30;

/** What an application may choose. */
export interface AcceptOptions {
  readonly protocol?: string | undefined;
  /** Seconds. */
  readonly idleTimeout?: number | undefined;
  readonly compress?: boolean | undefined;
}

/** What the engine decides. */
export interface AcceptSettings {
  readonly maxMessageBytes: number;
  readonly loadDeflate: () => Promise<RawDeflate>;
  /** Shared by all sockets of the process. */
  readonly turns: WriteTurns;
}

/**
 * Accepts a request.
 *
 * @param head the request
 * @param options what the application has chosen
 * @param settings what the engine decides
 * @returns the answer, and what drives the socket
 * @throws {HandshakeError} if the request is not a handshake
 * @throws {TypeError} if an option cannot be used
 */
export function accept(
  head: RequestHead,
  { protocol, idleTimeout = IDLE_TIMEOUT_S, compress }: AcceptOptions,
  settings: AcceptSettings,
): { answer: Answer; link: SocketLink } {
  const idleTimeoutMs = Number(idleTimeout) * 1000;
  if (!(idleTimeoutMs >= 0)) throw new TypeError(`idleTimeout: expected seconds from 0, got ${idleTimeout}`);
  const { fields, ...agreed } = acceptHandshake(head, { protocol, compress });
  const answer: Answer = { status: 101, reason: "", fields, body: null, block: null };
  return { answer, link: new SocketLink({ ...settings, agreed, idleTimeoutMs }) };
}
