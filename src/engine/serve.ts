// The library's entry point: `serve`, a drop-in for `Deno.serve`.

import type { Proxies } from "../connection/arrival.ts";
import type { Handler } from "../message/handler.ts";
import { showAddress, withLocalUrl } from "../platform/address.ts";
import { lineLog } from "../platform/log.ts";
import type { Address, Log, TcpAddress, UnixAddress } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { servePort } from "../platform/serve_port.ts";
import { IpRanges } from "../wire/ip_ranges.ts";
import type { ApplicationOptions } from "./application.ts";
import { Engine } from "./engine.ts";
import type { LateParts, LatePartsOptions } from "./late_parts.ts";
import { listenOptionsOf, type ServeOptions, type TcpOptions, type UnixOptions } from "./serve_options.ts";
import { addressList, settle } from "./settings.ts";
import { replaceUpgrade } from "./upgrade_web_socket.ts";

/** A running server. */
export interface Server<Addr extends Address = Address> extends AsyncDisposable {
  /** The address on which it listens. */
  readonly addr: Addr;
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
export function serve(handler: Handler<TcpAddress>): Server<TcpAddress>;
/**
 * Serves over a Unix socket.
 *
 * @param options the path, and the limits
 * @param handler answers each request
 * @returns the server, which listens already
 */
export function serve(options: UnixOptions, handler: Handler<UnixAddress>): Server<UnixAddress>;
/**
 * Serves on a port.
 *
 * @param options where to listen, and the limits
 * @param handler answers each request
 * @returns the server, which listens already
 */
export function serve(options: TcpOptions | undefined, handler: Handler<TcpAddress>): Server<TcpAddress>;
/**
 * Serves over a Unix socket, with options that name the handler.
 *
 * @param options the path, the limits and the handler
 * @returns the server, which listens already
 */
export function serve(options: UnixOptions & { handler: Handler<UnixAddress> }): Server<UnixAddress>;
/**
 * Serves on a port, with options that name the handler.
 *
 * @param options where to listen, the limits and the handler
 * @returns the server, which listens already
 */
export function serve(options: TcpOptions & { handler: Handler<TcpAddress> }): Server<TcpAddress>;
/**
 * Serves with options that are not known to be for a port or for a Unix socket.
 *
 * @param options where to listen, and the limits
 * @param handler answers each request
 * @returns the server, which listens already
 */
export function serve(options: ServeOptions, handler: Handler): Server;
/**
 * Serves with options that name the handler, and are not known to be for a port or for a Unix socket.
 *
 * @param options where to listen, the limits and the handler
 * @returns the server, which listens already
 */
export function serve(options: ServeOptions & { handler: Handler }): Server;
// The implementation takes what any of these gives.
export function serve(first: unknown, second?: unknown): Server {
  const options = typeof first === "function" ? { handler: first } : first ?? {};
  const handler = second ?? (options as { handler?: unknown }).handler;
  if (!isHandler(handler)) {
    throw new TypeError("serve: expected a handler, as serve(handler), serve(options, handler) or serve({ handler })");
  }
  // The program loads this application. It serves it, with workers, reloads and all.
  const taken = servePort.take?.({ options: { ...options }, handler }) ?? null;
  return taken as Server | null ?? start(options as ServeOptions, handler);
}

function isHandler(value: unknown): value is Handler {
  return typeof value === "function";
}

function start(options: ServeOptions, handler: Handler): Server {
  const problem = platform.process.runtimeProblem();
  if (problem !== null) throw new Error(`serve: ${problem}`);
  const { signal } = options;
  const settings = settle(options);
  const { maxInFlight } = settings;
  const isCompressed = options.compress === true || options.automaticCompression === true;
  if (options.patchGlobals !== false) replaceUpgrade();
  const { clock, process, decodeLatin1 } = platform;
  const listenOptions = listenOptionsOf(options, settings.headerTimeoutMs);
  const listener = platform.listen(listenOptions);
  const isTls = listenOptions.transport === "tcp" && listenOptions.tls !== undefined;
  const log = lineLog(process, clock);
  const served = platform.hasSlowGlobals ? withFastGlobals(handler, options.fastGlobals, log) : handler;
  const engine = new Engine({
    listener,
    scheme: isTls ? "https" : "http",
    proxies: proxiesOf(options),
    settings,
    application: {
      ...withLateParts(served, { isCompressed, maxInFlight }),
      accept: options.accept ?? undefined,
      onError: options.onError ?? undefined,
    },
    readers: options.readers ?? [],
  }, { clock, log, decode: decodeLatin1 });
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
  return serverOf(engine, listener.addr);
}

/**
 * Wraps a handler with what only some servers need, and which is loaded only for them. Requests that come before wait for it.
 */
function withLateParts(handler: Handler, options: LatePartsOptions): Pick<ApplicationOptions, "handler" | "transform"> {
  if (!options.isCompressed && options.maxInFlight === 0) return { handler };
  let parts: LateParts | null = null;
  const loading = import("./late_parts.ts").then(({ makeLateParts }) => parts = makeLateParts(handler, options));
  return {
    handler: (request, info) =>
      parts === null ? loading.then((parts) => parts.handler(request, info)) : parts.handler(request, info),
    transform: (answer, exchange) => parts === null ? answer : parts.transform(answer, exchange),
  };
}

/** For a runtime whose own Response is slow: puts a faster one in its place, or says once what that would win. */
function withFastGlobals(handler: Handler, wanted: boolean | undefined, log: Log): Handler {
  if (wanted === true) {
    // The build for Node makes a plain call of it, so that they are there at once.
    import("../message/fast_globals.ts").then(({ installFastGlobals }) => installFastGlobals());
    return handler;
  }
  let isSaid = wanted === false;
  return (request, info) => {
    if (!isSaid) {
      isSaid = true;
      log(
        "INFO",
        "Node's own Response costs more than the rest of a small request: serve({ fastGlobals: true }) replaces Response, " +
          "Request and fetch() by faster ones, and answers about three times as many requests; false leaves out this line",
      );
    }
    return handler(request, info);
  };
}

function proxiesOf({ trustProxy, proxyProtocol = false }: ServeOptions): Proxies | null {
  const list = addressList(trustProxy);
  if (list === null) throw new TypeError(`trustProxy: expected a list of addresses, got ${typeof trustProxy}`);
  if (list.length === 0) {
    if (proxyProtocol) throw new TypeError("proxyProtocol needs trustProxy: which peers send the header");
    return null;
  }
  try {
    return lateProxies(new IpRanges(list), { hasHeader: proxyProtocol });
  } catch (error) {
    throw new RangeError(`trustProxy: ${(error as Error).message}`, { cause: error });
  }
}

/** Proxies whose reading is loaded by the first connection, and waited for by it. */
function lateProxies(ranges: IpRanges, options: { hasHeader: boolean }): Proxies {
  let proxies: Proxies | null = null;
  const loading = import("../connection/proxies.ts").then((module) => proxies = module.trustedProxies(ranges, options));
  return {
    *greet(greeted) {
      const { greet } = proxies ?? (yield loading) as Proxies;
      if (greet !== null) yield* greet(greeted);
    },
    arrivalOf: (head, arrival) => proxies === null ? arrival : proxies.arrivalOf(head, arrival),
  };
}

function announce(isTls: boolean): (address: Address) => void {
  return (address) => platform.process.stderr(`Listening on ${withLocalUrl(showAddress(address, isTls))}\n`);
}

function serverOf(engine: Engine, addr: Address): Server {
  const shutdown = () => {
    engine.drain();
    return engine.finished;
  };
  return {
    addr,
    finished: engine.finished,
    shutdown,
    ref: () => engine.ref(),
    unref: () => engine.unref(),
    [Symbol.asyncDispose]: shutdown,
  };
}
