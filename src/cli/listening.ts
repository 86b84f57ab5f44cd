// Listens on the address that was asked for, or says why it cannot.

import { hostPort, showAddress } from "../platform/address.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import { messageOf } from "../platform/log.ts";
import type { Address, Listener, ListenOptions, Platform } from "../platform/ports.ts";
import { listenAtPath, SocketPathError } from "../platform/socket_path.ts";

/** Where to listen: an address, or a socket that listens already. */
export type Where = ListenOptions | { transport: "inherited"; descriptor: number };

/**
 * Listens.
 *
 * @param where the address
 * @param platform the runtime
 * @returns the listener
 * @throws {Failure} if it cannot be used; a fault of usage if no system would take the path of a Unix socket
 */
export async function listen(where: Where, platform: Platform): Promise<Listener> {
  if (where.transport === "inherited") return await takeOver(where.descriptor, platform);
  if (where.transport === "unix") return await atPath(where.path, platform);
  try {
    if (where.reusePort === true && platform.listenShared !== undefined) return await platform.listenShared(where);
    return platform.listen(where);
  } catch (error) {
    const { code } = error as { code?: string };
    throw new Failure(EXIT.error, `cannot listen on ${hostPort(where)}: ${reasonFor(code, error)}`, { cause: error });
  }
}

async function takeOver(descriptor: number, platform: Platform): Promise<Listener> {
  try {
    return await platform.listenOn(descriptor);
  } catch (error) {
    const reason = messageOf(error);
    throw new Failure(
      EXIT.error,
      `cannot take over descriptor ${descriptor}: expected a socket that listens, as systemd hands one over; ${reason}`,
      { cause: error },
    );
  }
}

async function atPath(path: string, platform: Platform): Promise<Listener> {
  try {
    return await listenAtPath(path, platform);
  } catch (error) {
    if (!(error instanceof SocketPathError)) throw error;
    if (error.isUsage) throw Failure.usage(`--unix ${path}: ${error.message}`);
    throw new Failure(EXIT.error, `cannot listen on ${path}: ${error.message}; choose another --unix`, {
      cause: error,
    });
  }
}

function reasonFor(code: string | undefined, error: unknown): string {
  switch (code) {
    case "EADDRINUSE":
      return "another process listens there (EADDRINUSE); stop it or choose another --port";
    case "EACCES":
      return "that is not permitted (EACCES); ports below 1024 need a privilege";
    case "EADDRNOTAVAIL":
      return "this machine has no such address (EADDRNOTAVAIL)";
    default:
      return messageOf(error);
  }
}

/**
 * Tells where a client finds it.
 *
 * @param address where it listens
 * @param isTls whether it speaks TLS
 * @returns a URL, or `unix:` and a path
 */
export function showUrl(address: Address, isTls: boolean): string {
  return address.transport === "unix" ? `unix:${address.path}` : showAddress(address, isTls).slice(0, -1);
}
