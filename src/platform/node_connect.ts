// Connects with Node.

import { Socket as NodeSocket } from "node:net";
import { ConnectBusy } from "./errors.ts";
import { StreamSocket } from "./node_net.ts";
import type { Address, Socket } from "./ports.ts";

/**
 * Connects to an address.
 *
 * @param address of a socket on which a process listens
 * @returns the connection
 * @throws {ConnectBusy} if the queue of a Unix socket is full
 * @throws {Error} with a `code` such as "ECONNREFUSED"
 */
export function connect(address: Address): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = new NodeSocket({ allowHalfOpen: true });
    socket.once("error", (error: Error & { code?: string }) => {
      reject(error.code === "EAGAIN" ? new ConnectBusy(error.message, { cause: error }) : error);
    });
    socket.once("connect", () => {
      socket.removeAllListeners("error");
      if (address.transport === "tcp") socket.setNoDelay(true);
      const localAddr: Address = address.transport === "unix"
        ? address
        : { transport: "tcp", hostname: socket.localAddress ?? "", port: socket.localPort ?? 0 };
      resolve(new StreamSocket(socket, { localAddr, remoteAddr: address }));
    });
    if (address.transport === "unix") socket.connect(address.path);
    else socket.connect(address.port, address.hostname);
  });
}

/**
 * Tells whether a process listens on a Unix socket.
 *
 * @param path of a Unix socket
 * @returns false if no process does, or there is no such path
 */
export async function isUnixSocketLive(path: string): Promise<boolean> {
  try {
    (await connect({ transport: "unix", path })).close();
    return true;
  } catch (error) {
    const { code = "" } = error as { code?: string };
    // Otherwise the socket is in use: its queue is full (EAGAIN), it is for datagrams, or it is another user's.
    return !["ECONNREFUSED", "ENOENT"].includes(code);
  }
}
