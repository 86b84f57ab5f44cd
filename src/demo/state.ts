// Tells a page of the server's connections, again and again.

import type { ConnectionFacts } from "../inspect/dump.ts";
import type { Clock } from "../platform/ports.ts";
import { pause } from "./pause.ts";

/** Often enough to see an upload move, seldom enough to cost next to nothing. */
const TELL_EVERY_MS = 250;
/** As many as a person would look at. */
const MAX_ROWS = 60;

/** What the table needs. */
export interface StateParts {
  clock: Clock;
  connections: () => readonly ConnectionFacts[] | Promise<readonly ConnectionFacts[]>;
  isStopping: () => boolean;
}

/** One event: how many connections there are, and the first of them. */
export interface StateEvent {
  total: number;
  connections: readonly ConnectionFacts[];
}

/**
 * Answers with server-sent events, each a {@linkcode StateEvent}, until the client leaves or the server stops.
 *
 * @param signal the request's
 * @param parts what is told
 * @returns a stream of events
 */
export function watchState(signal: AbortSignal, parts: StateParts): Response {
  // Pulled, so that a page that is slow to read gets fewer events, not older ones.
  const stream = ReadableStream.from(tell(signal, parts)).pipeThrough(new TextEncoderStream());
  return new Response(stream, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}

async function* tell(signal: AbortSignal, { clock, connections, isStopping }: StateParts): AsyncGenerator<string> {
  while (!isStopping()) {
    const facts = await connections();
    const event: StateEvent = { total: facts.length, connections: facts.slice(0, MAX_ROWS) };
    yield `data: ${JSON.stringify(event)}\n\n`;
    await pause(clock, { ms: TELL_EVERY_MS, signal });
  }
}
