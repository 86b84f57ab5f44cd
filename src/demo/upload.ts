// Takes an upload at the speed that was asked for, and tells its sender what has come. Nothing is kept.

import type { Clock } from "../platform/ports.ts";
import { documentOf } from "./assets.ts";
import { pause } from "./pause.ts";

/** What came. */
interface Taken {
  bytes: number;
  ms: number;
}

/**
 * Takes a body and counts it. `?rate=` says how many bytes a second are read at most; what waits, waits in the network.
 *
 * @param request a POST of anything
 * @param clock what measures the time
 * @returns the count: a page for a browser that left its own for it, JSON for a script
 */
export async function takeUpload(request: Request, clock: Clock): Promise<Response> {
  if (request.method !== "POST") {
    return new Response("Post something here\n", { status: 405, headers: { allow: "POST" } });
  }
  const rate = rateOf(request.url);
  if (rate === null) {
    return new Response("rate: expected bytes a second, a whole number above 0, or nothing\n", { status: 400 });
  }
  const taken = await drain(request, { rate, clock });
  const isPage = request.headers.get("accept")?.includes("text/html") ?? false;
  return isPage ? answerPage(taken) : Response.json(taken);
}

function rateOf(url: string): number | null {
  const text = new URL(url).searchParams.get("rate") ?? "";
  if (text === "") return Infinity;
  return /^[1-9]\d{0,11}$/.test(text) ? Number(text) : null;
}

/** Reads a body to its end, and waits wherever it is ahead of the rate. */
async function drain(request: Request, { rate, clock }: { rate: number; clock: Clock }): Promise<Taken> {
  const startedAt = clock.now();
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.byteLength;
    const aheadMs = startedAt + bytes / rate * 1000 - clock.now();
    // Less than a millisecond is not worth a timer: the next piece makes up for it.
    if (aheadMs >= 1) await pause(clock, { ms: aheadMs, signal: request.signal });
  }
  return { bytes, ms: Math.round(clock.now() - startedAt) };
}

function answerPage({ bytes, ms }: Taken): Response {
  const seconds = (ms / 1000).toFixed(1);
  return documentOf("Upload arrived", [
    "<h1>Upload arrived</h1>",
    `<p>The server read ${bytes.toLocaleString("en")} bytes of form in ${seconds} seconds, and kept none of them.</p>`,
    '<p><a href="/">Back to the demo</a></p>',
  ]);
}
