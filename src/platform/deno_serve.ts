// Lets calls of Deno.serve arrive at the program while it loads an application.

import { type ServeArguments, servePort } from "./serve_port.ts";

type NativeServe = (first: unknown, second?: unknown) => unknown;

/**
 * Replaces Deno.serve.
 *
 * @param otherwise serves what is not taken over; by default the former Deno.serve
 */
export function replaceServe(otherwise?: (call: ServeArguments) => object): void {
  const descriptor = Object.getOwnPropertyDescriptor(Deno, "serve")!;
  // Deno makes its function when it is first asked for, which takes a millisecond. Most applications never call it.
  const own: NativeServe = (first, second) => {
    const native = (descriptor.get === undefined ? descriptor.value : descriptor.get.call(Deno)) as NativeServe;
    return native(first, second);
  };
  const serve: NativeServe = (first, second) => {
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
