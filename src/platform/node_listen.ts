// Listens with Node, at once and with the system's error codes: a server of node:net would tell of them later.
// Node's handles are used for it, as its module `cluster` does.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import net, { isIP } from "node:net";
import { constants } from "node:os";
import { isBun, isForeign, listenPlainly } from "./node_foreign.ts";
import { addressOf, HandleListener, type ListenHandle } from "./node_listener.ts";
import { process } from "./node_process.ts";
import { systemError } from "./node_system_error.ts";
import type { Listener, ListenOptions } from "./ports.ts";

const { EACCES, EINVAL, ENOENT } = constants.errno;

/** Loads at once what is rarely needed, in functions that may not wait. */
const require = createRequire(import.meta.url);

/** Makes a handle that is bound; a negative number is an error. A port of -1 stands for a path, and a family of -1 with it. */
type MakeHandle = (
  address: string | null,
  port: number,
  family: 4 | 6 | -1,
  descriptor?: number | null,
  flags?: number,
) => ListenHandle | number;

const makeHandle = (net as unknown as { _createServerHandle: MakeHandle })._createServerHandle;

/** Most connections that wait to be accepted: what Node has it at. The system has a limit of its own. */
const BACKLOG = 511;

/** What the system has room for in the address of a Unix socket, without the zero at the end. */
const MAX_SOCKET_PATH_BYTES = process.platform === "linux" ? 107 : 103;

/** UV_TCP_REUSEPORT of libuv. */
const REUSE_PORT = 2;

/** Node has SO_REUSEPORT since 22.12. Older versions ignore the flag. */
export const hasReusePort: boolean = !isForeign && isAtLeast(22, 12) && process.platform !== "win32" &&
  process.platform !== "darwin";

function isAtLeast(major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split(".").map(Number);
  return ownMajor > major || ownMajor === major && ownMinor >= minor;
}

/**
 * Listens.
 *
 * @param options the address
 * @returns the listener
 * @throws {Error} with a `code` such as "EADDRINUSE"
 */
export function listen(options: ListenOptions): Listener {
  if (isBun || isForeign && options.transport === "unix") return listenPlainly(options);
  if (options.transport === "unix") {
    checkLength(options.path);
    const handle = listening(withDirectory(makeHandle(options.path, -1, -1), options.path), options.path);
    return new HandleListener(handle, { address: { transport: "unix", path: options.path }, isFileOwn: true });
  }
  return listenOnPort(makeBound(options), options);
}

/** Throws if a path is too long for a socket: the libuv of Node 20 cuts it, and takes what is left for the path. */
function checkLength(path: string): void {
  if (process.platform === "win32") return; // It has pipes there.
  if (new TextEncoder().encode(path).length > MAX_SOCKET_PATH_BYTES) throw systemError("bind", -EINVAL, path);
}

/** libuv tells EACCES if the directory of a socket does not exist, as Windows does. */
function withDirectory(made: ListenHandle | number, path: string): ListenHandle | number {
  return made === -EACCES && !existsSync(path.slice(0, path.lastIndexOf("/") + 1) || ".") ? -ENOENT : made;
}

/** An address of TCP. */
export type TcpListenOptions = ListenOptions & { transport: "tcp" };

/**
 * Makes a socket that is bound to an address and does not listen yet.
 *
 * @param options the address
 * @returns Node's handle, or the negative number of the system's error
 * @throws {Error} with `code` "ENOTFOUND" if the name is not known
 */
export function makeBound({ hostname, port, reusePort = false }: Omit<TcpListenOptions, "transport">) {
  const ip = isIP(hostname) === 0 ? resolved(hostname) : hostname;
  return makeHandle(ip, port, isIP(ip) === 6 ? 6 : 4, null, reusePort && hasReusePort ? REUSE_PORT : 0);
}

/**
 * Listens on a socket that is bound.
 *
 * @param handle Node's handle, or the negative number of the error that came instead
 * @param options the address, for messages, and how connections become TLS
 * @returns the listener
 * @throws {Error} with a `code` such as "EADDRINUSE"
 */
export function listenOnPort(
  handle: ListenHandle | number,
  { hostname, port, backlog = BACKLOG, tls }: TcpListenOptions,
): Listener {
  if (tls !== undefined) checkCertificate(tls);
  const bound = listening(handle, `${hostname}:${port}`, backlog);
  const upgrade = tls === undefined ? null : loadTls().then(({ NodeTls }) => new NodeTls(tls));
  return new HandleListener(bound, { address: addressOf(bound), upgrade });
}

async function loadTls(): Promise<typeof import("./node_tls.ts")> {
  return await import("./node_tls.ts");
}

/** Throws if the certificate or the key is bad, or if they do not belong together. */
function checkCertificate(pair: { cert: string; key: string }): void {
  const failure = tlsFailure(pair);
  if (failure === null) return;
  const { cert, key } = pair;
  // OpenSSL's errors do not say which it is, so each is tried alone.
  const problem = tlsFailure({ cert }) !== null
    ? "cannot use the certificate"
    : tlsFailure({ key }) !== null
    ? "cannot use the private key"
    : "the private key does not belong to the certificate";
  throw new Error(`${problem}: ${failure.message}`, { cause: failure });
}

function tlsFailure(parts: { cert?: string; key?: string }): Error | null {
  try {
    (require("node:tls") as typeof import("node:tls")).createSecureContext(parts);
    return null;
  } catch (error) {
    return error as Error;
  }
}

function listening(handle: ListenHandle | number, where: string, backlog: number = BACKLOG): ListenHandle {
  if (typeof handle === "number") throw systemError("bind", handle, where);
  const result = handle.listen(backlog);
  if (result === 0) return handle;
  handle.close();
  throw systemError("listen", result, where);
}

/** The address of a name. Node resolves names later only, so another process of Node does it; this is rare. */
function resolved(hostname: string): string {
  if (hostname === "localhost") return "127.0.0.1";
  const source = 'require("dns").lookup(process.argv[1],(e,a)=>{if(e)process.exit(1);process.stdout.write(a)})';
  const { execFileSync } = require("node:child_process") as typeof import("node:child_process");
  try {
    return execFileSync(process.execPath, ["-e", source, hostname], { stdio: ["ignore", "pipe", "ignore"] }).toString();
  } catch (error) {
    throw Object.assign(new Error(`the name ${hostname} is not known`, { cause: error }), { code: "ENOTFOUND" });
  }
}

/**
 * Takes over an inherited listening socket.
 *
 * @param descriptor its number, as systemd gives it: 3 is the first
 * @returns the listener
 * @throws {Error} with `code` "EBADF", "ENOTSOCK" or "EINVAL" if the descriptor is not a listening socket
 */
export function listenOn(descriptor: number): Promise<Listener> {
  return Promise.resolve().then(() => {
    const handle = listening(makeHandle(null, 0, 4, descriptor), `descriptor ${descriptor}`);
    return new HandleListener(handle, { address: addressOf(handle) });
  });
}
