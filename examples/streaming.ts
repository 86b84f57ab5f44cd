// A text stream and server-sent events: deno run -A mod.ts examples/streaming.ts
// Try: curl -N http://127.0.0.1:3000/text and curl -N http://127.0.0.1:3000/events

import type { HandlerInfo } from "../mod.ts";

const encoder = new TextEncoder();

/** Sends a text every second until the client leaves, or this process is told to stop. */
function everySecond(over: AbortSignal, text: (count: number) => string): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  let end = () => {};
  return new ReadableStream({
    start(controller) {
      let count = 0;
      const send = () => controller.enqueue(encoder.encode(text(++count)));
      end = () => {
        clearInterval(timer);
        controller.close();
      };
      send();
      timer = setInterval(send, 1000);
      over.addEventListener("abort", end, { once: true });
    },
    cancel() {
      clearInterval(timer);
      over.removeEventListener("abort", end);
    },
  });
}

export default {
  fetch(request: Request, { leaving }: HandlerInfo): Response {
    const { pathname } = new URL(request.url);
    const over = AbortSignal.any([request.signal, leaving]);
    if (pathname === "/text") {
      return new Response(everySecond(over, (count) => `line ${count}\n`), {
        headers: { "content-type": "text/plain;charset=UTF-8" },
      });
    }
    if (pathname === "/events") {
      return new Response(everySecond(over, (count) => `event: tick\ndata: ${count}\n\n`), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
      });
    }
    return new Response("/text is a text stream, /events are server-sent events\n");
  },
};
