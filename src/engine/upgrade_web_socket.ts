// What applications call to make a WebSocket of a request. It is small: WebSockets are loaded when the first request asks for
// one, before its handler runs.

import { shared } from "../copies/shared.ts";
import type { Exchange } from "../connection/exchange.ts";
import { LazyRequest } from "../message/lazy_request.ts";
import { platform } from "../platform/runtime.ts";
import { ClientError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";

/** Options of {@linkcode upgradeWebSocket}. */
export interface UpgradeWebSocketOptions {
  /**
   * The subprotocol, one of those that the client offers.
   * @default {undefined} none
   */
  protocol?: string | undefined;
  /**
   * Seconds of silence after which the client counts as gone and the socket closes with 1001. Half of them bring a ping. 0 means
   * that a client may be silent.
   * @default {30}
   */
  idleTimeout?: number | undefined;
  /**
   * True to compress messages if the client can do it (permessage-deflate, RFC 7692).
   * @default {false}
   */
  compress?: boolean | undefined;
}

/** What {@linkcode upgradeWebSocket} gives. */
export interface WebSocketUpgrade {
  /** The server's end. It opens once the response is sent. */
  socket: WebSocket;
  /** What the handler has to return. */
  response: Response;
}

/** How an exchange is upgraded; null until WebSockets are loaded. */
interface UpgradePort {
  upgrade: ((exchange: Exchange, options: UpgradeWebSocketOptions) => WebSocketUpgrade) | null;
  /** True once the runtime's own function was replaced. */
  isReplaced: boolean;
}

/** One for all copies of this package: the program has loaded what the application calls. */
const port: UpgradePort = shared("websocket", () => ({ upgrade: null, isReplaced: false }));

let loading: Promise<void> | null = null;

/**
 * Loads WebSockets.
 *
 * @returns null if they are loaded
 */
export function loadWebSockets(): Promise<void> | null {
  if (port.upgrade !== null) return null;
  return loading ??= import("./web_sockets.ts").then(({ upgradeExchange }) => {
    port.upgrade = upgradeExchange;
  });
}

/**
 * Makes a WebSocket of a request that this package serves. `Deno.upgradeWebSocket` does the same with such a request.
 *
 * @param request what the handler was given
 * @param options how
 * @returns the socket, and the response that the handler has to return
 * @throws {ClientError} if the request is not a handshake; the client is told so if the handler lets it pass
 * @throws {TypeError} if it was upgraded already, is not one that this package serves, or an option cannot be used
 *
 * @example
 * ```ts
 * import { serve, upgradeWebSocket } from "@weft/engine";
 *
 * await using server = serve({ port: 0, onListen() {} }, (request) => {
 *   const { socket, response } = upgradeWebSocket(request);
 *   socket.onmessage = ({ data }) => socket.send(`you said ${data}`);
 *   return response;
 * });
 * ```
 */
export function upgradeWebSocket(request: Request, options: UpgradeWebSocketOptions = {}): WebSocketUpgrade {
  const upgraded = upgradeOwn(request, options);
  if (upgraded !== null) return upgraded;
  throw new TypeError("upgradeWebSocket: expected a request as a handler of this package is given it, got another one");
}

/** Null if the request is not one of this package. */
function upgradeOwn(request: Request, options: UpgradeWebSocketOptions = {}): WebSocketUpgrade | null {
  const exchange = LazyRequest.incoming(request) as Exchange | null;
  if (exchange === null) return null;
  if (exchange.takeOver !== null) throw new TypeError("Already upgraded");
  if (exchange.head.upgrade === null || port.upgrade === null) throw new NotAnUpgrade(exchange.head);
  return port.upgrade(exchange, options);
}

/** Lets `Deno.upgradeWebSocket` upgrade requests of this package. Further calls do nothing. */
export function replaceUpgrade(): void {
  if (port.isReplaced) return;
  port.isReplaced = true;
  platform.replaceUpgrade(upgradeOwn);
}

/** A request that asks for no upgrade. WebSockets are not loaded for it. The messages are those of Deno. */
class NotAnUpgrade extends ClientError {
  override readonly name = "HandshakeError";
  readonly code = "bad-handshake";
  override readonly fields = [["upgrade", "websocket"], ["sec-websocket-version", "13"]] as const;

  constructor(head: RequestHead) {
    super(
      426,
      head.minor === 0
        ? "a WebSocket needs HTTP/1.1, got HTTP/1.0"
        : head.field("upgrade") === null
        ? "Invalid Header: 'upgrade' header must contain 'websocket'"
        : "Invalid Header: 'connection' header must contain 'Upgrade'",
    );
  }
}
