// Answers a poll for an upload's progress: with JSON, or with events until the upload is over.

import type { Progress } from "./progress.ts";
import { isUploadId, showBadId } from "./progress.ts";
import type { Uploads } from "./uploads.ts";

/** What is asked. */
export interface Poll {
  /** As it came; it may be none that fits. */
  id: string;
  method: string;
  /** The value of Accept; null if there is none. */
  accept: string | null;
  /** Aborted when the client leaves. */
  signal: () => AbortSignal;
  /** True once the server stops. */
  isStopping?: (() => boolean) | undefined;
}

const EVENTS = "text/event-stream";
const encoder = new TextEncoder();

/**
 * Answers a poll.
 *
 * @param uploads the registry that knows the uploads
 * @param poll what is asked
 * @returns the progress as JSON, a stream of events if the client accepts them, or 400 if an upload cannot have such an id
 */
export function answerPoll(uploads: Uploads, poll: Poll): Response | Promise<Response> {
  const { id, method, accept } = poll;
  if (!isUploadId(id)) return json({ error: `upload progress: ${showBadId(id)}` }, 400);
  if (accept?.toLowerCase().includes(EVENTS) !== true) return answerOnce(uploads, id);
  const headers = { "content-type": EVENTS, "cache-control": "no-store" };
  // A HEAD request must not leave a stream that is never read.
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

/** One event for each change. The stream ends after the last. */
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
