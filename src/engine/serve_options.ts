// What `serve` takes: its options, and where they say to listen.
// As under Deno.serve. An option that cannot be honoured is refused, never ignored.

import type { PhaseReader } from "../connection/phases.ts";
import type { Accept, Handler, OnError } from "../message/handler.ts";
import type { Address, ListenOptions, TcpAddress, UnixAddress } from "../platform/ports.ts";
import { servePort } from "../platform/serve_port.ts";
import type { Limits } from "./settings.ts";

/** Options of {@linkcode serve} that do not say where to listen. */
export interface CommonOptions<Addr extends Address = Address> extends Limits {
  /** When it is aborted, the server cuts every connection and stops. */
  signal?: AbortSignal | undefined;
  /**
   * Called once the server listens.
   * @default prints a line with the address to stderr
   */
  onListen?: ((address: Addr) => void) | undefined;
  /**
   * Makes the answer for a handler that threw. It is also told of a stream that failed after the head was sent; what it
   * returns is ignored then.
   * @default logs the error with its stack and answers 500
   */
  onError?: OnError | undefined;
  /** Called with a request's head before its body is read. A Response is sent at once, anything else lets the request pass. */
  accept?: Accept | undefined;
  /**
   * Called with every phase of every connection. {@linkcode stopwatch} and {@linkcode trace} are such readers.
   * @default {[]}
   */
  readers?: readonly PhaseReader[] | undefined;
  /**
   * Addresses and CIDR ranges of proxies, such as `["127.0.0.1", "10.0.0.0/8", "fd00::/8"]`; `"unix"` stands for peers over a
   * Unix socket. What they say in X-Forwarded-For, -Proto and -Host, or in Forwarded, counts for `request.url` and
   * `info.remoteAddr`. They must remove or overwrite what clients send in these fields.
   * @default {[]}
   */
  trustProxy?: string | readonly string[] | undefined;
  /**
   * True if the trusted proxies begin each connection with the header of the PROXY protocol, version 1 or 2. Needs
   * `trustProxy`.
   * @default {false}
   */
  proxyProtocol?: boolean | undefined;
  /**
   * False leaves `Deno.upgradeWebSocket` alone. Otherwise the first server replaces it by a function that knows the requests
   * of this package, and passes any other request on. {@linkcode upgradeWebSocket} can be called in both cases.
   * @default {true}
   */
  patchGlobals?: boolean | undefined;
  /**
   * On Node: true puts faster classes in the place of the global Response, Request and fetch(). A native Response costs more there
   * than all the rest of a small request. Without it a line says so at the first request; false is silent. It does nothing on Deno.
   * @default {false}
   */
  fastGlobals?: boolean | undefined;
  /**
   * True to compress answers that gain by it, in br, zstd or gzip, for clients that accept it.
   * @default {false}
   */
  compress?: boolean | undefined;
  /**
   * Deno.serve's name for `compress`.
   * @default {false}
   */
  automaticCompression?: boolean | undefined;
}

/** Options of {@linkcode serve} for a port. */
export interface TcpOptions extends CommonOptions<TcpAddress> {
  /**
   * Port to listen on, 0 to 65535. 0 picks a free one.
   * @default {8000}
   */
  port?: number | undefined;
  /**
   * Host name or IP address to listen on.
   * @default {"0.0.0.0"}
   */
  hostname?: string | undefined;
  /** Not together with a port. */
  path?: undefined;
  /**
   * The kind of socket.
   * @default {"tcp"}
   */
  transport?: "tcp" | undefined;
  /**
   * Lets several processes listen on the port (SO_REUSEPORT); Deno needs `--unstable-net` for it.
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /**
   * Most connections that wait in the system's queue to be accepted.
   * @default {511}
   */
  tcpBacklog?: number | undefined;
  /** A certificate chain, PEM. With {@linkcode TcpOptions.key} the server speaks TLS. */
  cert?: string | undefined;
  /** The certificate's private key, PEM. */
  key?: string | undefined;
  /**
   * The format of the key.
   * @default {"pem"}
   */
  keyFormat?: "pem" | undefined;
}

/** Options of {@linkcode serve} for a Unix socket. */
export interface UnixOptions extends CommonOptions<UnixAddress> {
  /** Path of a Unix socket to listen on. */
  path: string;
  /**
   * The kind of socket.
   * @default {"unix"}
   */
  transport?: "unix" | undefined;
}

/** Options of {@linkcode serve}, for a port or a Unix socket. */
export interface ServeOptions extends CommonOptions, Omit<TcpOptions, keyof CommonOptions | "path" | "transport"> {
  /** Path of a Unix socket to listen on, instead of a port. */
  path?: string | undefined;
  /**
   * The kind of socket.
   * @default {"tcp"} "unix" with a path
   */
  transport?: "tcp" | "unix" | undefined;
}

/**
 * What the module of an application that Weft serves exports as default. Limits, `port` and `hostname` say how it wants to be
 * served. A flag overrides them.
 *
 * @example
 * ```ts
 * import type { ApplicationModule } from "@weft/engine";
 *
 * const application: ApplicationModule = {
 *   fetch: (request) => new Response(`you asked for ${request.url}`),
 *   maxBodyBytes: 1_000_000,
 * };
 * export default application;
 * ```
 */
export interface ApplicationModule extends Limits {
  /** Answers each request. */
  fetch: Handler;
  /** Called with a request's head before its body is read. A Response is sent at once, anything else lets the request pass. */
  accept?: Accept | undefined;
  /** Makes the answer for a `fetch` that threw; also told of a stream that failed after the head was sent. */
  onError?: OnError | undefined;
  /** Called once the server listens, in each process. */
  onListen?: ((address: Address) => void) | undefined;
  /** Called when the last request is over, before the process ends. A promise is waited for. */
  shutdown?: (() => unknown) | undefined;
  /** Port to listen on; 0 picks a free one. */
  port?: number | undefined;
  /** Host name or IP address to listen on. */
  hostname?: string | undefined;
}

/** What a program that was written for Deno.serve, or has no types, may give. */
type AnyOptions = Readonly<Record<string, unknown>>;

/** Options of Deno.serve and of its older versions that Weft does not have, and what to do. */
const REFUSED: Readonly<Record<string, string>> = {
  certFile: "pass the text of the file, as cert",
  keyFile: "pass the text of the file, as key",
  alpnProtocols: "HTTP/1.1 is the only protocol that is served",
  cid: "VSOCK sockets are not served; expected a port or a path",
};

/**
 * Checks the options that say where to listen.
 *
 * @param options as they were given
 * @param handshakeTimeoutMs limit of a TLS handshake
 * @returns where to listen
 * @throws {TypeError} if an option is of the wrong kind, or cannot be honoured
 * @throws {RangeError} if a number is out of range
 */
export function listenOptionsOf(options: ServeOptions, handshakeTimeoutMs: number): ListenOptions {
  const given: AnyOptions = options as AnyOptions;
  for (const [name, advice] of Object.entries(REFUSED)) {
    if (isSet(given[name])) throw new TypeError(`Cannot serve with the option ${name}: ${advice}`);
  }
  const { path, cert, key } = options;
  expectOneOf(
    "transport",
    given.transport,
    isSet(path) ? ["unix"] : ["tcp"],
    isSet(path) ? "with a path" : "without a path",
  );
  if (isSet(path)) {
    if (path === "") throw new RangeError("path: expected a path, got an empty one");
    if (isSet(cert) || isSet(key)) throw new TypeError("path and cert exclude each other: TLS needs a port");
    return { transport: "unix", path };
  }
  if (isSet(cert) !== isSet(key)) throw new TypeError("cert and key: TLS needs both, one was given");
  expectOneOf("keyFormat", given.keyFormat, ["pem"], "because other keys are not read");
  const tls = isSet(cert) && isSet(key) ? { cert, key, handshakeTimeoutMs, isLate: options.proxyProtocol } : undefined;
  return {
    transport: "tcp",
    hostname: options.hostname ?? "0.0.0.0",
    port: portOf(given.port),
    backlog: backlogOf(given.tcpBacklog),
    reusePort: options.reusePort ?? servePort.isPortShared,
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Null counts as not given, as under Deno.serve. */
function isSet<Value>(value: Value): value is NonNullable<Value> {
  return value !== undefined && value !== null;
}

function expectOneOf(name: string, value: unknown, allowed: readonly string[], why: string): void {
  if (!isSet(value) || allowed.includes(value as string)) return;
  throw new TypeError(`${name}: expected ${allowed.map((one) => `"${one}"`).join(" or ")} ${why}, got ${show(value)}`);
}

/** A text is read as a number, as under Deno.serve: it often comes from the environment. */
function portOf(value: unknown): number {
  if (!isSet(value)) return 8000;
  const port = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof port !== "number" || !Number.isInteger(port)) {
    throw new TypeError(`port: expected a whole number from 0 to 65535, got ${show(value)}`);
  }
  if (port < 0 || port > 65535) throw new RangeError(`port: expected a whole number from 0 to 65535, got ${port}`);
  return port;
}

/** The runtime's own default. */
const BACKLOG = 511;
/** The system takes a 32-bit number. */
const MAX_BACKLOG = 2 ** 31 - 1;

function backlogOf(value: unknown): number {
  if (!isSet(value)) return BACKLOG;
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw new TypeError(`tcpBacklog: expected a whole number from 1, got ${show(value)}`);
  }
  if (value < 1 || value > MAX_BACKLOG) throw new RangeError(`tcpBacklog: expected 1 to ${MAX_BACKLOG}, got ${value}`);
  return value;
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
