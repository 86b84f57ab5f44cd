// A stream of lines that shows an answer coming piece by piece.

import type { Clock } from "../platform/ports.ts";
import { pause } from "./pause.ts";

/** A line every so often, so many times: five seconds, long enough to open a second one beside it. */
const LINE_EVERY_MS = 100;
const LINES = 50;

/**
 * Answers one line after the other, until they are all out or the client has left.
 *
 * @param signal the request's
 * @param clock what measures the time
 * @returns a stream of text
 */
export function lines(signal: AbortSignal, clock: Clock): Response {
  const stream = ReadableStream.from(write(signal, clock)).pipeThrough(new TextEncoderStream());
  return new Response(stream, { headers: { "content-type": "text/plain;charset=UTF-8", "cache-control": "no-store" } });
}

async function* write(signal: AbortSignal, clock: Clock): AsyncGenerator<string> {
  for (let count = 1; count <= LINES; count++) {
    await pause(clock, { ms: LINE_EVERY_MS, signal });
    yield `line ${count} of ${LINES}, ${count * LINE_EVERY_MS} ms\n`;
  }
}
