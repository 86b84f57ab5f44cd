// One large upload, one large download, and many uploads at a time that run until they are stopped.
// Every answer is compared with what was sent or asked for.

import { ask, Client, requestText } from "./client.ts";
import { gatherErrors, type LoadResult, sayReady, waitStop } from "./reports.ts";

/** What one write hands to the system: past this, larger writes were not faster. */
const PIECE = new Uint8Array(256 * 1024);

/** Bytes of one upload among many: long enough to run flat out, short enough to end soon after the stop. */
const ONE_OF_MANY_BYTES = 16 * 1024 ** 2;

const encoder = new TextEncoder();

/** Sends one body and compares the server's count of it. */
export async function upload(port: number, bytes: number): Promise<LoadResult> {
  using client = await Client.connect(port);
  const begun = performance.now();
  await sendBody(client, port, bytes);
  return { done: bytes, seconds: (performance.now() - begun) / 1000, errors: [] };
}

/** Asks for one body and counts it. */
export async function download(port: number, bytes: number): Promise<LoadResult> {
  const begun = performance.now();
  const { status, bodyBytes } = await ask({ method: "GET", path: `/bytes/${bytes}` }, port);
  const errors = status === 200 && bodyBytes === bytes ? [] : [`status ${status}, ${bodyBytes} bytes of ${bytes}`];
  return { done: bodyBytes, seconds: (performance.now() - begun) / 1000, errors };
}

/** Runs many uploads flat out, each over a kept connection, until the harness says stop. */
export async function uploads(port: number, connections: number): Promise<LoadResult> {
  const errors: unknown[] = [];
  const begun = performance.now();
  let done = 0;
  let isStopped = false;
  const one = async () => {
    try {
      using client = await Client.connect(port, 16 * 1024);
      while (!isStopped) {
        await sendBody(client, port, ONE_OF_MANY_BYTES);
        done += ONE_OF_MANY_BYTES;
      }
    } catch (error) {
      errors.push(error);
    }
  };
  const all = Promise.all(Array.from({ length: connections }, one));
  sayReady();
  await waitStop();
  isStopped = true;
  await all;
  return { done, seconds: (performance.now() - begun) / 1000, errors: gatherErrors(errors) };
}

async function sendBody(client: Client, port: number, bytes: number): Promise<void> {
  const head = requestText({ method: "POST", path: "/", headers: { "content-length": String(bytes) } }, port);
  await client.send(encoder.encode(head));
  for (let left = bytes; left > 0; left -= PIECE.length) {
    await client.send(PIECE.subarray(0, Math.min(left, PIECE.length)));
  }
  const { status, text } = await client.readAnswer();
  if (status !== 200 || text !== String(bytes)) {
    throw new Error(`an upload of ${bytes} bytes was answered with ${status} ${JSON.stringify(text.slice(0, 80))}`);
  }
}
