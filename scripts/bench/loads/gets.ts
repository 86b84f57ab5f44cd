// Small requests at a steady pace, and how long each is waited for.
// Every request has a time at which it is due. A server that stands still delays all that are due meanwhile,
// so those are counted from when they were due, not from when they could be sent.

import { type Answer, Client, requestText } from "./client.ts";
import type { Job, Run } from "./job.ts";

/** Between a request that failed and the same once more: a moment, for the process that takes over. */
const AGAIN_AFTER_MS = 1;
/** A request that has failed for so long fails for good. */
const GIVE_UP_MS = 5_000;

/** Sends requests for a while and waits for the last answers. */
export async function gets(job: Job & { kind: "gets" }, run: Run): Promise<void> {
  const { connections, perSecond, seconds, mayFail = false } = job;
  const everyMs = 1000 * connections / perSecond;
  await run.ready();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  run.failed = 0;
  const one = async (_: unknown, nr: number) => {
    using asker = new Asker(job.port);
    let freeAt = begun;
    // Not all connections are due at once. A load that cannot keep the pace ends in time, and its rate shows that.
    for (let dueAt = begun + nr * everyMs / connections; Math.max(dueAt, freeAt) < end; dueAt += everyMs) {
      const earlyMs = dueAt - performance.now();
      if (earlyMs > 0) await sleep(earlyMs);
      // A timer that fires late is this process's fault, an answer that came late is the server's.
      const sentAt = performance.now();
      const from = freeAt > dueAt ? dueAt : sentAt;
      let isLost = false;
      const { status } = await asker.ask((error) => {
        if (!mayFail || performance.now() - sentAt > GIVE_UP_MS) throw error;
        run.failed = (run.failed ?? 0) + 1;
        isLost = true;
      });
      if (status !== 200) throw new Error(`a request was answered with status ${status}`);
      freeAt = performance.now();
      run.done++;
      if (!isLost) run.waitsMs.push(freeAt - from);
      else dueAt = freeAt; // the wait for another process is not the wait for an answer
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, nr) => one(_, nr).catch((e) => run.errors.push(e))));
}

/** A client that keeps its connection, and makes a new one if the server says that it closes. */
class Asker implements Disposable {
  #port: number;
  #request: Uint8Array;
  /** The connection; null before the first request, and after the server or an error has ended it. */
  #client: Client | null = null;

  constructor(port: number) {
    this.#port = port;
    this.#request = new TextEncoder().encode(requestText({ method: "GET", path: "/" }, port));
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
