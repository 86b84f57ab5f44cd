// Listens in runtimes that run packages of Node and are not Node: Bun, and Deno with the npm package. Their handles differ from
// Node's, so they listen with a server of node:net.

import { createServer, type Server } from "node:net";
import { ServerListener, StreamSocket } from "./node_net.ts";
import { process } from "./node_process.ts";
import { type AcceptedOptions, type ConnectionHandle, endsOf, streamOf } from "./node_socket.ts";
import type { Listener, ListenOptions, Socket } from "./ports.ts";

const { versions } = process;

/** True on Bun, which has no handles as Node has them. */
export const isBun: boolean = "bun" in versions;
/** True on Bun and on Deno. */
export const isForeign: boolean = isBun || "deno" in versions;

/** Deno's handle of a listening socket. It tells of a connection, and does not give it. */
interface AskedHandle {
  accept(into: ConnectionHandle): number;
  constructor: new (kind: number) => ConnectionHandle;
}

/** TCPConstants.SOCKET of Node's binding, which a handle of a connection is made with. */
const CONNECTION = 0;

/**
 * Takes the connection that Deno's handle has told of.
 *
 * @param handle Deno's, of a listening socket
 * @returns the connection's handle, or the negative number of the system's error
 */
export function takeConnection(handle: object): ConnectionHandle | number {
  const asked = handle as AskedHandle;
  const connection = new asked.constructor(CONNECTION);
  const error = asked.accept(connection);
  return error === 0 ? connection : error;
}

/**
 * Makes a socket of Deno's handle of a connection: it is not written to and read as Node's handles are.
 *
 * @param handle Deno's
 * @param options the address on which it was accepted, and what is called when it is closed
 * @returns the socket
 */
export function foreignSocket(handle: object, { address, onClose }: AcceptedOptions): Socket {
  const stream = streamOf(handle, onClose);
  return new StreamSocket(stream, endsOf(stream, address));
}

/**
 * Listens at once. On Deno only a Unix socket can do that, and an error of it is told of by the first `accept`.
 *
 * @param options the address
 * @returns the listener
 * @throws {Error} with a `code` such as "EADDRINUSE"
 */
export function listenPlainly(options: ListenOptions): Listener {
  return new ServerListener(started(options));
}

/**
 * Listens in one of several processes, each with a socket of its own.
 *
 * @param options the address
 * @returns the listener
 * @throws {Error} with a `code` such as "EADDRINUSE"
 */
export async function listenBeside(options: ListenOptions): Promise<Listener> {
  const server = started(options);
  if (!server.listening || server.address() === null) {
    await new Promise<void>((resolve, reject) => {
      server.once("listening", resolve);
      server.once("error", reject);
    });
  }
  return new ServerListener(server);
}

function started(options: ListenOptions): Server {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true });
  if (options.transport === "unix") return server.listen(options.path);
  const { hostname: host, port, reusePort = false, backlog, tls } = options;
  if (tls !== undefined) throw new Error("TLS is served here by Node and by Deno without the npm package only");
  return server.listen({ host, port, reusePort, exclusive: true, ...backlog === undefined ? {} : { backlog } });
}
