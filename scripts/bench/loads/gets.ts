// Small requests at a steady pace, and how long each is waited for.
// Every request has a time at which it is due. A server that stands still delays all that are due meanwhile,
// so those are counted from when they were due, not from when they could be sent.

import { checkStatus, Client, requestText, sleep } from "./client.ts";
import type { Job, Run } from "./job.ts";

/** Between a request that failed and the same once more: a moment, for the process that takes over. */
const AGAIN_AFTER_MS = 1;
/** A request that has failed for so long fails for good. */
const GIVE_UP_MS = 5_000;

/** Sends requests for a while and waits for the last answers. */
export async function gets(job: Job & { kind: "gets" }, run: Run): Promise<void> {
  const { port, connections, perSecond, seconds, mayFail = false } = job;
  const request = new TextEncoder().encode(requestText({ method: "GET", path: "/" }, port));
  const everyMs = 1000 * connections / perSecond;
  let failed = 0;
  await run.ready();
  const begun = performance.now();
  const end = begun + seconds * 1000;
  await run.all(connections, async (nr) => {
    /** Null before the first request, and after the server or an error has ended it. */
    let client: Client | null = null;
    const hangUp = () => {
      client?.[Symbol.dispose]();
      client = null;
    };
    const ask = async (sentAt: number) => {
      try {
        client ??= await Client.connect(port, 4 * 1024);
        await client.send(request);
        const answer = await client.readAnswer();
        if (answer.headers.get("connection") === "close") hangUp();
        return answer;
      } catch (error) {
        hangUp();
        if (!mayFail || performance.now() - sentAt > GIVE_UP_MS) throw error;
        return null;
      }
    };
    let freeAt = begun;
    // Not all connections are due at once. A load that cannot keep the pace ends in time, and its rate shows that.
    for (let dueAt = begun + nr * everyMs / connections; Math.max(dueAt, freeAt) < end; dueAt += everyMs) {
      const earlyMs = dueAt - performance.now();
      if (earlyMs > 0) await sleep(earlyMs);
      // A timer that fires late is this process's fault, an answer that came late is the server's.
      const sentAt = performance.now();
      const from = freeAt > dueAt ? dueAt : sentAt;
      let lost = 0;
      let answer = await ask(sentAt);
      for (; answer === null; answer = await ask(sentAt)) {
        lost++;
        await sleep(AGAIN_AFTER_MS);
      }
      checkStatus(answer);
      freeAt = performance.now();
      run.done++;
      failed += lost;
      if (lost === 0) run.waitsMs.push(freeAt - from);
      else dueAt = freeAt; // the wait for another process is not the wait for an answer
    }
    hangUp();
  });
  run.failed = failed;
}
