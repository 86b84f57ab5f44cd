// Listens in runtimes that run packages of Node and are not Node: Bun, and Deno with the npm package. Their handles differ from
// Node's, so they listen with a server of node:net.

import { createServer, type Server } from "node:net";
import process from "node:process";
import { ServerListener } from "./node_net.ts";
import type { Listener, ListenOptions } from "./ports.ts";

const { versions } = process;

/** True on Bun, which has no handles as Node has them. */
export const isBun: boolean = "bun" in versions;
/** True on Bun and on Deno. */
export const isForeign: boolean = isBun || "deno" in versions;

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
