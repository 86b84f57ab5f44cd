// Knows: how somebody who asks for an upload's progress is answered: with JSON, or with events until it is over.
// Does not know: how an upload is followed.

import type { Progress } from "./progress.ts";
import { isUploadId, showBadId } from "./progress.ts";
import type { Uploads } from "./uploads.ts";

/** What is asked. */
export interface Poll {
  /** As it came; it may be none that fits. */
  id: string;
  method: string;
  /** The value of Accept, null where there is none. */
  accept: string | null;
  /** Aborted when the one who asks leaves. */
  signal: () => AbortSignal;
  /** True once the server stops. */
  isStopping?: () => boolean;
}

const EVENTS = "text/event-stream";
const encoder = new TextEncoder();

/**
 * Answers a poll.
 *
 * @param uploads who knows
 * @param poll what is asked
 * @returns the progress as JSON, a stream of events where they are accepted, 400 where no upload can have such an id
 */
export function answerPoll(uploads: Uploads, poll: Poll): Response | Promise<Response> {
  const { id, method, accept } = poll;
  if (!isUploadId(id)) return json({ error: `upload progress: ${showBadId(id)}` }, 400);
  if (accept?.toLowerCase().includes(EVENTS) !== true) return answerOnce(uploads, id);
  const headers = { "content-type": EVENTS, "cache-control": "no-store" };
  // Who asks for the head alone must not be left with a stream that nobody reads.
  if (method === "HEAD") return new Response(null, { headers });
  return new Response(eventsOf(uploads.progressChanges(id, { signal: poll.signal(), isStopping: poll.isStopping })), {
    headers,
  });
}

async function answerOnce(uploads: Uploads, id: string): Promise<Response> {
  return json(await uploads.progressOf(id), 200);
}

function json(value: Progress | { error: string }, status: number): Response {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return new Response(JSON.stringify(value), { status, headers });
}

/** One event for each change; the stream ends behind the last. */
function eventsOf(changes: AsyncGenerator<Progress, void, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await changes.next();
      if (done === true) controller.close();
      else controller.enqueue(encoder.encode(`data: ${JSON.stringify(value)}\n\n`));
    },
    cancel: async () => void await changes.return(),
  }, { highWaterMark: 0 });
}
