// Upgrades an exchange. Loaded with the first request that asks for an upgrade.

import type { Exchange } from "../connection/exchange.ts";
import { AnswerResponse } from "../message/answer_response.ts";
import { platform } from "../platform/runtime.ts";
import { accept } from "../websocket/accept.ts";
import { WriteTurns } from "../websocket/write_turns.ts";
import type { UpgradeWebSocketOptions, WebSocketUpgrade } from "./upgrade_web_socket.ts";

/** One for all engines: the runtime counts the operations of a process. */
const turns = new WriteTurns(platform.clock.soon);

/**
 * Makes a WebSocket of a request.
 *
 * @param exchange the request, not answered yet
 * @param options what the application has chosen
 * @returns what the application gets
 * @throws {HandshakeError} if the request is not a handshake
 * @throws {TypeError} if an option cannot be used
 */
export function upgradeExchange(exchange: Exchange, options: UpgradeWebSocketOptions): WebSocketUpgrade {
  const { leaving, maxMessageBytes } = exchange.connection.options;
  const { answer, link } = accept(exchange.head, options, {
    maxMessageBytes,
    loadDeflate: platform.loadDeflate,
    turns,
  });
  exchange.takeOver = (socket, first) => {
    // The others were asked when the drain began.
    if (leaving.hasBegun) link.leave(leaving.isReplaced);
    return link.run(socket, first);
  };
  exchange.switched = link;
  // The handler may answer with something else, or the client may leave before.
  const check = () => {
    if (exchange.status !== 101) link.neverOpened();
  };
  exchange.completed.then(check, () => link.neverOpened());
  return {
    socket: link.socket as unknown as WebSocket,
    response: new AnswerResponse(answer) as unknown as Response,
  };
}
