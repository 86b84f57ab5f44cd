// The library's entry point: `serve`, a drop-in for `Deno.serve`.

import type { Proxies } from "../connection/arrival.ts";
import type { PhaseReader } from "../connection/phases.ts";
import { trustedProxies } from "../connection/proxies.ts";
import type { Accept, Handler, OnError } from "../message/handler.ts";
import { isPort, showAddress } from "../platform/address.ts";
import { lineLog } from "../platform/log.ts";
import type { Address, Listener, ListenOptions } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { servePort } from "../platform/serve_port.ts";
import { Engine } from "./engine.ts";
import { type Limits, settle } from "./settings.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions extends Limits {
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
  /** Path of a Unix socket to listen on, instead of a port. */
  path?: string | undefined;
  /**
   * Lets several processes listen on the port (SO_REUSEPORT); Deno needs `--unstable-net` for it.
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /** A certificate chain, PEM. With {@linkcode ServeOptions.key} the server speaks TLS. */
  cert?: string | undefined;
  /** The certificate's private key, PEM. */
  key?: string | undefined;
  /**
   * Addresses and CIDR ranges of proxies, such as `["127.0.0.1", "10.0.0.0/8", "fd00::/8"]`; `"unix"` stands for peers over a
   * Unix socket. What they say in X-Forwarded-For, -Proto and -Host, or in Forwarded, counts for `request.url` and
   * `info.remoteAddr`. They must remove or overwrite what clients send in these fields.
   * @default {[]}
   */
  trustProxy?: string | readonly string[] | undefined;
  /** When it is aborted, the server cuts every connection and stops. */
  signal?: AbortSignal | undefined;
  /**
   * Called once the server listens.
   * @default prints a line with the address
   */
  onListen?: ((address: Address) => void) | undefined;
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
}

/** A running server. */
export interface Server extends AsyncDisposable {
  /** The address on which it listens. */
  readonly addr: Address;
  /** Resolves when it has stopped and its last connection has ended. */
  readonly finished: Promise<void>;
  /**
   * Stops gracefully: no connection is accepted any more, and requests that are under way may finish. Resolves like
   * {@linkcode Server.finished}.
   */
  shutdown(): Promise<void>;
  /** Makes the server keep the process alive. This is so at first. */
  ref(): void;
  /** Lets the process end while the server listens, and while clients keep connections open. */
  unref(): void;
}

/**
 * Serves HTTP/1.1 with a fetch-style handler. A drop-in for `Deno.serve`.
 *
 * @param handler answers each request
 * @returns the server, which listens already
 * @throws {Error} with `code` "EADDRINUSE" or the like if the address cannot be used
 * @throws {RangeError} if an option is out of range
 * @throws {Error} if this version of Deno is older than 2.9
 *
 * @example
 * ```ts
 * import { serve } from "@weft/engine";
 * import assert from "node:assert/strict";
 *
 * await using server = serve({ port: 0, onListen() {} }, () => new Response("hello"));
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
 * assert.equal(await response.text(), "hello");
 * ```
 */
export function serve(handler: Handler): Server;
/**
 * Serves with options.
 *
 * @param options where to listen, and the limits
 * @param handler answers each request
 * @returns the server, which listens already
 */
export function serve(options: ServeOptions, handler: Handler): Server;
/**
 * Serves with options that name the handler.
 *
 * @param options where to listen, the limits and the handler
 * @returns the server, which listens already
 */
export function serve(options: ServeOptions & { handler: Handler }): Server;
export function serve(first: Handler | ServeOptions & { handler?: Handler }, second?: Handler): Server {
  const options: ServeOptions & { handler?: Handler } = typeof first === "function" ? { handler: first } : first;
  const handler = second ?? options.handler;
  if (typeof handler !== "function") {
    throw new TypeError("serve: expected a handler, as serve(handler), serve(options, handler) or serve({ handler })");
  }
  // The program loads this application. It serves it, with workers, reloads and all.
  const taken = servePort.take?.({ options: { ...options }, handler }) ?? null;
  return taken as Server | null ?? start(options, handler);
}

function start(options: ServeOptions, handler: Handler): Server {
  const problem = platform.process.runtimeProblem();
  if (problem !== null) throw new Error(`serve: ${problem}`);
  const { signal } = options;
  const settings = settle(options);
  const { clock, process, decodeLatin1 } = platform;
  const listenOptions = listenOptionsOf(options, settings.headerTimeoutMs);
  const listener = platform.listen(listenOptions);
  const isTls = listenOptions.transport === "tcp" && listenOptions.tls !== undefined;
  const engine = new Engine({
    listener,
    scheme: isTls ? "https" : "http",
    proxies: proxiesOf(options),
    settings,
    application: { handler, accept: options.accept, onError: options.onError },
    readers: options.readers ?? [],
  }, { clock, log: lineLog(process, clock), decode: decodeLatin1 });
  const abort = () => engine.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  engine.finished.then(() => signal?.removeEventListener("abort", abort));
  try {
    (options.onListen ?? announce(isTls))(listener.addr);
  } catch (error) {
    // The caller gets no server to stop, so it is stopped here.
    engine.abort();
    throw error;
  }
  return serverOf(engine, listener);
}

function proxiesOf({ trustProxy = [] }: ServeOptions): Proxies | null {
  const list = typeof trustProxy === "string" ? trustProxy.split(",").map((text) => text.trim()) : trustProxy;
  if (!Array.isArray(list)) throw new TypeError(`trustProxy: expected a list of addresses, got ${typeof list}`);
  if (list.length === 0) return null;
  try {
    return trustedProxies(list);
  } catch (error) {
    throw new RangeError(`trustProxy: ${(error as Error).message}`, { cause: error });
  }
}

function listenOptionsOf(options: ServeOptions, handshakeTimeoutMs: number): ListenOptions {
  const { path, port = 8000, hostname = "0.0.0.0", cert, key } = options;
  if (path !== undefined) {
    if (path === "") throw new RangeError("path: expected a path, got an empty one");
    if (cert !== undefined || key !== undefined) {
      throw new TypeError("path and cert exclude each other: TLS needs a port");
    }
    return { transport: "unix", path };
  }
  if (!isPort(port)) {
    throw new RangeError(`port: expected a whole number from 0 to 65535, got ${port}`);
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw new TypeError("cert and key: TLS needs both, one was given");
  }
  const reusePort = options.reusePort ?? servePort.isPortShared;
  const tls = cert === undefined || key === undefined ? undefined : { cert, key, handshakeTimeoutMs };
  return { transport: "tcp", hostname, port, reusePort, tls };
}

function announce(isTls: boolean): (address: Address) => void {
  return (address) => platform.process.stdout(`Listening on ${showAddress(address, isTls)}\n`);
}

function serverOf(engine: Engine, listener: Listener): Server {
  const shutdown = () => {
    engine.drain();
    return engine.finished;
  };
  return {
    addr: listener.addr,
    finished: engine.finished,
    shutdown,
    ref: () => engine.ref(),
    unref: () => engine.unref(),
    [Symbol.asyncDispose]: shutdown,
  };
}
