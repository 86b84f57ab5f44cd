// Knows: the application that is served when none is named.
// Does not know: how it is served.

import { PAGE } from "./page.ts";

/** A line every so often, for so long. */
const LINE_EVERY_MS = 100;
const LINES = 50;

const encoder = new TextEncoder();

/**
 * The built-in application: a page, a stream, an echo.
 *
 * @param request what was asked
 * @returns its answer
 */
export function demo(request: Request): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case "/":
      return new Response(PAGE, { headers: { "content-type": "text/html;charset=UTF-8" } });
    case "/stream":
      return new Response(lines(request.signal), { headers: { "content-type": "text/plain;charset=UTF-8" } });
    case "/echo":
      return echo(request);
    default:
      return new Response(`There is nothing at ${pathname}; the demo is at /\n`, { status: 404 });
  }
}

/** One line after the other, until they are all out or the client has left. */
function lines(signal: AbortSignal): ReadableStream<Uint8Array> {
  let timer: ReturnType<typeof setInterval> | undefined;
  let count = 0;
  const stop = () => clearInterval(timer);
  return new ReadableStream({
    start(controller) {
      timer = setInterval(() => {
        controller.enqueue(encoder.encode(`line ${++count} of ${LINES}, ${count * LINE_EVERY_MS} ms\n`));
        if (count < LINES) return;
        stop();
        controller.close();
      }, LINE_EVERY_MS);
      signal.addEventListener("abort", stop, { once: true });
    },
    cancel: stop,
  });
}

/** What was sent, as the server understood it. */
async function echo(request: Request): Promise<Response> {
  const head = [`${request.method} ${request.url}`];
  for (const [name, value] of request.headers) head.push(`${name}: ${value}`);
  const body = await request.text();
  return new Response(`${head.join("\n")}\n\n${body}`);
}
