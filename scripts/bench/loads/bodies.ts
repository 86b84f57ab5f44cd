// One large upload, one large download, and many uploads at a time that run until they are stopped.
// Every answer is compared with what was sent or asked for.

import { ask, Client, requestText } from "./client.ts";
import type { Job, Run } from "./job.ts";

type OneBody = Job & { kind: "upload" | "download" };

const MIB = 1024 ** 2;
/** What one write hands to the system: larger writes were not faster. */
const PIECE = new Uint8Array(256 * 1024);
/** One upload among many: long enough to run at full speed, short enough to end soon after the stop. */
const ONE_OF_MANY_MIB = 16;

/** Sends one body. */
export async function upload({ port, mib }: OneBody, run: Run): Promise<void> {
  using client = await Client.connect(port);
  await run.ready();
  await sendBody(client, port, mib * MIB);
  run.done = mib;
}

/** Asks for one body. */
export async function download({ port, mib }: OneBody, run: Run): Promise<void> {
  await run.ready();
  const { status, bodyBytes } = await ask({ method: "GET", path: `/bytes/${mib * MIB}` }, port);
  if (status !== 200 || bodyBytes !== mib * MIB) throw new Error(`status ${status}, ${bodyBytes} bytes of ${mib} MiB`);
  run.done = mib;
}

/** Runs many uploads at full speed. */
export async function uploads({ port, connections }: Job & { kind: "uploads" }, run: Run): Promise<void> {
  let isStopped = false;
  const one = async () => {
    using client = await Client.connect(port, 16 * 1024);
    while (!isStopped) {
      await sendBody(client, port, ONE_OF_MANY_MIB * MIB);
      run.done += ONE_OF_MANY_MIB;
    }
  };
  await run.ready();
  const all = Array.from({ length: connections }, () => one().catch((error) => run.errors.push(error)));
  await run.waitStop();
  isStopped = true;
  await Promise.all(all);
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
