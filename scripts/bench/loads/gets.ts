// Small requests at a steady pace, and how long each is waited for.
// A server that stands still delays all the requests that were due, not only the one that was sent: each
// interval that an answer is late counts as one more late request (HdrHistogram's "expected interval").

import { type Answer, Client, requestText } from "./client.ts";
import { gatherErrors, type LoadResult } from "./reports.ts";

/** Each connection sends one so often: a page that polls, far from what a server can do. */
const EVERY_MS = 20;
/** Between a request that failed and the same once more: a moment, for the process that takes over. */
const AGAIN_AFTER_MS = 1;
/** A request that has failed for so long fails for good. */
const GIVE_UP_MS = 5_000;

const encoder = new TextEncoder();

/** How the requests are sent. */
export interface Pace {
  connections: number;
  milliseconds: number;
  /**
   * Asks again, over a new connection, if an answer is lost, and counts it as failed: its wait is not among the others'.
   * Otherwise that is an error.
   * @default {false}
   */
  mayFail?: boolean;
}

/** Sends requests for a while, waits for the last answers, and tells their percentiles. */
export async function gets(port: number, { connections, milliseconds, mayFail = false }: Pace): Promise<LoadResult> {
  const waitsMs: number[] = [];
  const errors: unknown[] = [];
  let done = 0;
  let failed = 0;
  const begun = performance.now();
  const one = async (_: unknown, nr: number) => {
    try {
      await sleep(nr * EVERY_MS / connections); // or all of them would be due at once
      using asker = new Asker(port);
      while (performance.now() - begun < milliseconds) {
        const sentAt = performance.now();
        let isLost = false;
        const isLate = () => performance.now() - sentAt > GIVE_UP_MS;
        const { status } = await asker.ask((error) => {
          if (!mayFail || isLate()) throw error;
          failed++;
          isLost = true;
        });
        if (status !== 200) throw new Error(`a request was answered with status ${status}`);
        done++;
        const waitMs = performance.now() - sentAt;
        for (let dueMs = waitMs; dueMs > 0 && !isLost; dueMs -= EVERY_MS) waitsMs.push(dueMs);
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
  return { done, seconds, p50Ms: at(0.5), p99Ms: at(0.99), failed, errors: gatherErrors(errors) };
}

/** A client that keeps its connection, and makes a new one if the server says that it closes. */
class Asker implements Disposable {
  #port: number;
  #request: Uint8Array;
  #client: Client | null = null;

  constructor(port: number) {
    this.#port = port;
    this.#request = encoder.encode(requestText({ method: "GET", path: "/" }, port));
  }

  /** Asks until there is an answer; `onLost` is told each time there is none, and ends it by throwing. */
  async ask(onLost: (error: unknown) => void): Promise<Answer> {
    for (;;) {
      try {
        this.#client ??= await Client.connect(this.#port, 4 * 1024);
        await this.#client.send(this.#request);
        const answer = await this.#client.readAnswer();
        if (answer.headers.get("connection") === "close") this.#hangUp();
        return answer;
      } catch (error) {
        this.#hangUp();
        onLost(error);
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#hangUp();
  }

  #hangUp(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = null;
  }
}

async function sleep(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
