// Serves FastCGI applications: programs in Perl, PHP or any other language that run in processes of their own.
// The options and the handler; what passes requests on is loaded when there is one.

import { Exchange } from "../connection/exchange.ts";
import { RequestInfo } from "../connection/request_info.ts";
import type { HandlerInfo } from "../message/handler.ts";
import { LazyRequest } from "../message/lazy_request.ts";
import type { BackendFacts } from "./backends.ts";
import type { FastCgiClient } from "./fastcgi_client.ts";
import { type FastCgiOptions, settle } from "./fastcgi_options.ts";

/** A handler that passes requests on to a FastCGI application. */
export interface FastCgiHandler {
  /**
   * Passes a request on.
   *
   * @param request what Weft gave to its handler, or a copy of it
   * @param info what Weft gave beside it; needed with a copy
   * @returns the answer of the application, or 502, 503 or 504 if it has given none
   */
  (request: Request, info?: HandlerInfo): Promise<Response>;
  /** How the backends stand, as this process sees them. */
  readonly backends: BackendFacts;
  /** Closes connections that are kept. Requests that are under way may finish. */
  close(): void;
}

/**
 * Makes a handler that passes requests on to a FastCGI application: plackup, PHP-FPM, or any other program that listens for
 * FastCGI. The application gets a body with its length; one of unknown length is stored first. With `body: "whole"` the
 * application gets complete requests only, so that a slow client does not hold one of its processes.
 *
 * @param options where the application listens, and the limits
 * @returns the handler to serve
 * @throws {TypeError} if the address is not one, or the root is not a directory
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { fastcgi, serve } from "@weft/engine";
 *
 * const app = fastcgi({ address: "unix:/run/app.sock" });
 * await using server = serve({ port: 0, body: "whole", onListen() {} }, (request, info) => {
 *   return request.url.endsWith("/hello") ? new Response("hello") : app(request, info);
 * });
 * ```
 */
export function fastcgi(options: FastCgiOptions): FastCgiHandler {
  const settled = settle(options);
  let client: FastCgiClient | null = null;
  let loading: Promise<FastCgiClient> | null = null;
  let isClosed = false;
  const load = async () => {
    client = new (await import("./fastcgi_client.ts")).FastCgiClient(settled);
    if (isClosed) client.close();
    return client;
  };
  const handler = (request: Request, info?: HandlerInfo) => {
    const exchange = exchangeOf(request, info);
    return client?.handle(exchange) ?? (loading ??= load()).then((client) => client.handle(exchange));
  };
  const { name, maxConnections } = settled;
  const unused = { address: name, free: maxConnections, busy: 0, waiting: 0 };
  return Object.defineProperties(handler, {
    backends: { get: () => client?.backends ?? unused },
    close: {
      value() {
        isClosed = true;
        client?.close();
      },
    },
  }) as FastCgiHandler;
}

/** Finds what the engine knows of a request. A framework may have passed the request on alone. */
function exchangeOf(request: Request, info: HandlerInfo | undefined): Exchange {
  if (info instanceof RequestInfo) return RequestInfo.exchangeOf(info);
  const incoming = LazyRequest.incoming(request);
  if (incoming instanceof Exchange) return incoming;
  throw new TypeError(
    "fastcgi(): expected the request that Weft gave to its handler, or the handler's second argument beside a copy of it",
  );
}
