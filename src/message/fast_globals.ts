// Puts faster classes in the place of a runtime's Response, Request and fetch(). For Node, whose Response costs more than all the
// rest of a small request. What is put there passes for the runtime's own: `instanceof` holds in both directions.

import { LazyRequest, requestsAreTaken } from "./lazy_request.ts";
import { LightResponse } from "./light_response.ts";
import { nativeOf } from "./native.ts";

const NativeRequest = nativeOf(globalThis.Request);

/** A native Request that can be made of the request that a handler gets. */
class UnwrappingRequest extends NativeRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(LazyRequest.unwrapped(input), LazyRequest.unwrapped(init) as RequestInit | undefined);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // A subclass has this method as well.
    return this === UnwrappingRequest
      ? value instanceof NativeRequest
      : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

// A library may look at the name.
Object.defineProperty(UnwrappingRequest, "name", { value: "Request", configurable: true });

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
  requestsAreTaken();
}

function replace(name: "Response" | "Request" | "fetch", value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: name === "fetch" });
}
