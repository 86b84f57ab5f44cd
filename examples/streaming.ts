// A text stream and server-sent events: deno run -A mod.ts examples/streaming.ts
// Try: curl -N http://127.0.0.1:3000/text and curl -N http://127.0.0.1:3000/events

const encoder = new TextEncoder();

/** Sends a text every second until the client leaves. */
function everySecond(signal: AbortSignal, text: (count: number) => string): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stop = () => clearInterval(timer);
  return new ReadableStream({
    start(controller) {
      let count = 0;
      const send = () => controller.enqueue(encoder.encode(text(++count)));
      send();
      timer = setInterval(send, 1000);
      signal.addEventListener("abort", stop, { once: true });
    },
    cancel: stop,
  });
}

export default {
  fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    if (pathname === "/text") {
      return new Response(everySecond(request.signal, (count) => `line ${count}\n`), {
        headers: { "content-type": "text/plain;charset=UTF-8" },
      });
    }
    if (pathname === "/events") {
      return new Response(everySecond(request.signal, (count) => `event: tick\ndata: ${count}\n\n`), {
        headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
      });
    }
    return new Response("/text is a text stream, /events are server-sent events\n");
  },
};
