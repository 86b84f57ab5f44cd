// Puts faster classes in the place of a runtime's Response, Request and fetch(). For Node, whose Response costs more than all the
// rest of a small request. What is put there passes for the runtime's own: `instanceof` holds in both directions.

import { LazyRequest, requestsAreTaken } from "./lazy_request.ts";
import { LightResponse } from "./light_response.ts";
import { nativeOf } from "./native.ts";

const NativeRequest = nativeOf(globalThis.Request);
const NativeResponse = nativeOf(globalThis.Response);

/**
 * The native class, with a constructor that also takes the request of a handler. The prototype, the name and `instanceof` are
 * those of the native class.
 */
const UnwrappingRequest = new Proxy(NativeRequest, {
  construct(native, args, made) {
    return Reflect.construct(native, args.map((argument) => LazyRequest.unwrapped(argument)), made);
  },
});

/** True once they are there. Set by `installFastGlobals`. */
let areInstalled = false;

/** Replaces Response, Request and fetch(). May be called again. */
export function installFastGlobals(): void {
  if (areInstalled) return;
  areInstalled = true;
  const { fetch } = globalThis;
  replace("Response", LightResponse);
  replace("Request", UnwrappingRequest);
  replace("fetch", (input: RequestInfo | URL, init?: RequestInit) => {
    return fetch(LazyRequest.unwrapped(input), LazyRequest.unwrapped(init) as RequestInit | undefined);
  });
  // `constructor` of a request, or of a fetched response, is the class that the global names.
  for (const { prototype } of [NativeRequest, LazyRequest]) setConstructor(prototype, UnwrappingRequest);
  setConstructor(NativeResponse.prototype, LightResponse);
  requestsAreTaken();
}

function replace(name: "Response" | "Request" | "fetch", value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: name === "fetch" });
}

function setConstructor(prototype: object, value: unknown): void {
  Object.defineProperty(prototype, "constructor", { value, writable: true, configurable: true });
}
