// How the address of a FastCGI application becomes a handler. Its processes are there already, or will be.

import { EXIT, Failure } from "../platform/failure.ts";
import { readBackendAddress, showBackendAddress } from "./backend_address.ts";
import { fastcgi } from "./fastcgi.ts";
import type { LoadContext, LoadedApp } from "./load_app.ts";

/**
 * Makes an application of an address.
 *
 * @param specifier such as `fcgi:unix:/run/app.sock`
 * @param context how it is served
 * @returns the application; nothing is loaded
 * @throws {Failure} if it is not an address
 */
export function loadFastCgi(specifier: string, { cwd, fastcgi: options }: LoadContext): LoadedApp {
  const address = readBackendAddress(specifier.slice("fcgi:".length), cwd);
  if (address === null) {
    throw new Failure(
      EXIT.appNotLoaded,
      `${specifier}: expected the address of a FastCGI application: fcgi:unix:PATH or fcgi:HOST:PORT`,
    );
  }
  const handler = fastcgi({ ...options, address: showBackendAddress(address) });
  // Its processes are few, so they should see complete requests only, and none that trickles in.
  return { handler, backends: () => handler.backends, options: { body: "whole" }, called: null, readers: [] };
}
