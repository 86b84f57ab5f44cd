// Lets calls of Deno.serve arrive at the program while it loads an application, and calls of Deno.upgradeWebSocket at the
// server whose request it is.

import { type ServeArguments, servePort } from "./serve_port.ts";

type NativeFunction = (first: unknown, second?: unknown) => unknown;

/** Deno makes such a function when it is first asked for, which takes a millisecond. Most applications never call it. */
function ownFunction(name: "serve" | "upgradeWebSocket"): NativeFunction {
  const descriptor = Object.getOwnPropertyDescriptor(Deno, name)!;
  return (first, second) => {
    const native = (descriptor.get === undefined ? descriptor.value : descriptor.get.call(Deno)) as NativeFunction;
    return native(first, second);
  };
}

/**
 * Replaces Deno.serve.
 *
 * @param otherwise serves what is not taken over; by default the former Deno.serve
 */
export function replaceServe(otherwise?: (call: ServeArguments) => object): void {
  const own = ownFunction("serve");
  const serve: NativeFunction = (first, second) => {
    const options = typeof first === "object" ? first as Record<string, unknown> | null : null;
    const handler = [first, second, options?.handler].find((value) => typeof value === "function");
    // Without a handler Deno says what is wrong.
    if (handler === undefined) return own(first, second);
    const call: ServeArguments = { options, handler: handler as () => unknown };
    const taken = servePort.take?.(call) ?? null;
    if (taken !== null) return taken;
    if (otherwise !== undefined) return otherwise(call);
    if (!servePort.isPortShared || options?.path !== undefined) return own(first, second);
    return own({ reusePort: true, ...options }, handler);
  };
  Object.defineProperty(Deno, "serve", { value: serve, configurable: true, enumerable: true, writable: true });
}

/**
 * Replaces Deno.upgradeWebSocket.
 *
 * @param take upgrades a request of this server; null for any other, which the former function gets
 */
export function replaceUpgrade(take: (request: Request, options?: object) => object | null): void {
  const own = ownFunction("upgradeWebSocket");
  const value = (request: Request, options?: object) => take(request, options) ?? own(request, options);
  Object.defineProperty(Deno, "upgradeWebSocket", { value, configurable: true, enumerable: true, writable: true });
}
