// Waits in a handler, at most until the client leaves.

import type { Clock } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";

/**
 * Waits, unless the client leaves.
 *
 * @param clock what measures the time
 * @param options `ms` to wait, and the request's `signal`
 * @throws the signal's reason, once the client has left
 */
export async function pause(clock: Clock, { ms, signal }: { ms: number; signal: AbortSignal }): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = withResolvers<void>();
  const timer = clock.after(ms, resolve);
  const leave = () => {
    timer.cancel();
    reject(signal.reason);
  };
  signal.addEventListener("abort", leave);
  try {
    await promise;
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
