// Long bodies: one download, and uploads over one or many connections.
// Every answer is compared with what was sent or asked for.

import { ask, Client, requestText } from "./client.ts";
import type { Job, Run } from "./job.ts";

const MIB = 1024 ** 2;
/** What one write hands to the system: larger writes were not faster. */
const PIECE = new Uint8Array(256 * 1024);

/** Asks for one body. */
export async function download({ port, mib }: Job & { kind: "download" }, run: Run): Promise<void> {
  await run.ready();
  const { status, bodyBytes } = await ask({ method: "GET", path: `/bytes/${mib * MIB}` }, port);
  if (status !== 200 || bodyBytes !== mib * MIB) throw new Error(`status ${status}, ${bodyBytes} bytes of ${mib} MiB`);
  run.done = mib;
}

/** Sends bodies over several connections at full speed. */
export async function upload(job: Job & { kind: "upload" }, run: Run): Promise<void> {
  const { port, mib, connections, untilStop = false } = job;
  let isOver = !untilStop;
  await run.ready();
  const all = run.all(connections, async () => {
    using client = await Client.connect(port, 16 * 1024);
    do {
      await sendBody(client, port, mib * MIB);
      run.done += mib;
    } while (!isOver);
  });
  if (untilStop) await run.waitStop();
  isOver = true;
  await all;
}

/** Sends a body and compares the server's count of it. */
async function sendBody(client: Client, port: number, bytes: number): Promise<void> {
  const head = requestText({ method: "POST", path: "/", headers: { "content-length": String(bytes) } }, port);
  await client.send(new TextEncoder().encode(head));
  for (let left = bytes; left > 0; left -= PIECE.length) {
    await client.send(PIECE.subarray(0, Math.min(left, PIECE.length)));
  }
  const { status, text } = await client.readAnswer();
  if (status !== 200 || text !== String(bytes)) {
    throw new Error(`an upload of ${bytes} bytes was answered with ${status} ${JSON.stringify(text.slice(0, 80))}`);
  }
}
