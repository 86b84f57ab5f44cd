// Knows: small requests at a steady pace, and how long each is waited for.
// Does not know: what else the server does meanwhile.
// Rule: a server that stands still delays all the requests that were due, not only the one that was sent: each
// interval that an answer is late counts as one more late request (HdrHistogram's "expected interval").

import { Client, requestText } from "./client.ts";
import { gatherErrors, type LoadResult } from "./reports.ts";

/** Each connection sends one so often: a page that polls, far from what a server can do. */
const EVERY_MS = 20;

const encoder = new TextEncoder();

/** Sends requests for a while, waits for the last answers, and tells their percentiles. */
export async function gets(port: number, connections: number, milliseconds: number): Promise<LoadResult> {
  const request = encoder.encode(requestText({ method: "GET", path: "/" }, port));
  const waitsMs: number[] = [];
  const errors: unknown[] = [];
  let done = 0;
  const begun = performance.now();
  const one = async (_: unknown, nr: number) => {
    try {
      await sleep(nr * EVERY_MS / connections); // or all of them would be due at once
      using client = await Client.connect(port, 4 * 1024);
      while (performance.now() - begun < milliseconds) {
        const sentAt = performance.now();
        await client.send(request);
        const { status } = await client.readAnswer();
        if (status !== 200) throw new Error(`a request was answered with status ${status}`);
        done++;
        const waitMs = performance.now() - sentAt;
        for (let dueMs = waitMs; dueMs > 0; dueMs -= EVERY_MS) waitsMs.push(dueMs);
        await sleep(EVERY_MS - waitMs % EVERY_MS);
      }
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  const seconds = (performance.now() - begun) / 1000;
  waitsMs.sort((a, b) => a - b);
  if (done === 0) errors.push(new Error("not one request was answered"));
  const at = (share: number) => waitsMs[Math.floor(waitsMs.length * share)];
  return { done, seconds, p50Ms: at(0.5), p99Ms: at(0.99), errors: gatherErrors(errors) };
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
