// Ends the local side of a connection of node:net.

import type { Socket } from "node:net";

/**
 * Ends the local side. The peer may still send.
 *
 * @param socket of node:net, or of node:tls
 * @returns resolved when the system has taken all that was written, or when the socket is closed
 */
export function closeWrite(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // Node does not call back for an end that is asked for after the close.
    if (socket.destroyed) resolve();
    else socket.end(() => resolve());
  });
}
