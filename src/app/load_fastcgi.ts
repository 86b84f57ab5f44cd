// How the address of a FastCGI application becomes a handler. Its processes are there already, or will be.

import { RequestInfo } from "../connection/request_info.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import { messageOf } from "../platform/log.ts";
import { FastCgiClient } from "../fastcgi/fastcgi_client.ts";
import { settle } from "../fastcgi/fastcgi_options.ts";
import type { LoadContext, LoadedApp } from "./load_app.ts";

/**
 * Makes an application of an address.
 *
 * @param specifier such as `fcgi:unix:/run/app.sock`
 * @param context how it is served
 * @returns the application; nothing is loaded
 * @throws {Failure} if it is not an address, or an option is out of range
 */
export function loadFastCgi(specifier: string, { fastcgi: options }: LoadContext): LoadedApp {
  let client: FastCgiClient;
  try {
    client = new FastCgiClient(settle({ ...options, address: specifier.slice("fcgi:".length) }));
  } catch (error) {
    throw new Failure(EXIT.appNotLoaded, `cannot serve ${specifier}: ${messageOf(error)}`, { cause: error });
  }
  return {
    handler: (_request, info) => client.handle(RequestInfo.exchangeOf(info as RequestInfo)),
    release: () => client.close(),
    backends: () => client.backends,
    // Its processes are few, so they should see complete requests only, and none that trickles in.
    options: { body: "whole" },
    called: null,
    readers: [],
  };
}
