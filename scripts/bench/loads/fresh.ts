// Requests that each bring a connection of their own; what wrk does if it is installed.
// A connection that the server resets is an error.

import { ask } from "./client.ts";
import { gatherErrors, type LoadResult } from "./reports.ts";

/** Asks again and again, so many at a time, each time over a new connection. */
export async function fresh(port: number, connections: number, milliseconds: number): Promise<LoadResult> {
  const waitsMs: number[] = [];
  const errors: unknown[] = [];
  const begun = performance.now();
  const one = async () => {
    try {
      while (performance.now() - begun < milliseconds) {
        const sentAt = performance.now();
        const { status } = await ask({ method: "GET", path: "/", headers: { connection: "close" } }, port);
        if (status !== 200) throw new Error(`a request was answered with status ${status}`);
        waitsMs.push(performance.now() - sentAt);
      }
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - begun) / 1000;
  waitsMs.sort((a, b) => a - b);
  const at = (share: number) => waitsMs[Math.floor(waitsMs.length * share)];
  return { done: waitsMs.length, seconds, p50Ms: at(0.5), p99Ms: at(0.99), errors: gatherErrors(errors) };
}
