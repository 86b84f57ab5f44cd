// The fetch-style handler of each application; Weft, Deno.serve and Bun.serve run these very functions.
// No runtime is named here; a handler does what an application would do, and nothing for a server's sake.

import { type AppName, bytesAsked, EVENT_EVERY_MS, EVENTS_WAITING, eventText } from "./answers.ts";
import { HELLO, PIECE, TEN_HEADERS, TEXT } from "./answers.ts";

/** A handler as Deno.serve takes it. */
export type Handler = (request: Request) => Response | Promise<Response>;

// deno-lint-ignore no-explicit-any
type Untyped = any;

/** The part of Hono that is used: each runtime imports the package in its own way. */
export interface HonoModule {
  Hono: new () => Untyped;
}

/** Finds an application's handler; `importHono` loads npm's hono and is called for that application alone. */
export async function handlerOf(app: AppName, importHono: () => Promise<HonoModule>): Promise<Handler> {
  return app === "hono" ? honoHandler(await importHono()) : HANDLERS[app];
}

/** Called only on Deno. */
const { Deno: deno } = globalThis as unknown as {
  Deno: { upgradeWebSocket(request: Request, options: object): { socket: WebSocket; response: Response } };
};

const HANDLERS: Record<Exclude<AppName, "hono">, Handler> = {
  plain: answerPlainly,
  closing: answerPlainly,
  echo: async (request) => Response.json(await request.json()),
  count: countBody,
  stream: (request) => streamBytes(bytesAsked(new URL(request.url).pathname)),
  events: sendEvents,
  mixed: (request) => request.method === "POST" ? countBody(request) : answerPlainly(),
  headers: readEveryHeader,
  sockets: upgrade,
};

function answerPlainly(): Response {
  return new Response(HELLO, { headers: { "content-type": TEXT } });
}

async function countBody(request: Request): Promise<Response> {
  let bytes = 0;
  if (request.body !== null) {
    const reader = request.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) bytes += read.value.byteLength;
  }
  return new Response(String(bytes));
}

function streamBytes(total: number): Response {
  let left = total;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const bytes = Math.min(left, PIECE.byteLength);
      left -= bytes;
      if (bytes > 0) controller.enqueue(PIECE.subarray(0, bytes));
      if (left === 0) controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "application/octet-stream" } });
}

const listening = new Set<ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>>();
const encoder = new TextEncoder();
let ticking: ReturnType<typeof setInterval> | undefined;

function sendEvents(): Response {
  ticking ??= setInterval(broadcast, EVENT_EVERY_MS);
  let mine: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      mine = controller;
      listening.add(controller);
    },
    cancel() {
      listening.delete(mine);
    },
  }, new CountQueuingStrategy({ highWaterMark: EVENTS_WAITING }));
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-cache" } });
}

function broadcast(): void {
  const event = encoder.encode(eventText());
  for (const controller of listening) {
    try {
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(event);
    } catch {
      listening.delete(controller);
    }
  }
}

const room = new Set<WebSocket>();

/** Says back what it hears; in a room, to all of them. */
function upgrade(request: Request): Response {
  if (request.headers.get("upgrade") !== "websocket") return answerPlainly();
  const { socket, response } = deno.upgradeWebSocket(request, { idleTimeout: 0 });
  if (!request.url.endsWith("/room")) {
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  }
  socket.onopen = () => room.add(socket);
  socket.onclose = () => room.delete(socket);
  socket.onmessage = ({ data }) => {
    for (const each of room) each.send(data);
  };
  return response;
}

function readEveryHeader(request: Request): Response {
  let octets = 0;
  for (const [name, value] of request.headers) octets += name.length + value.length;
  return new Response(octets > 0 ? HELLO : "no header came", { headers: TEN_HEADERS });
}

function honoHandler({ Hono }: HonoModule): Handler {
  const app = new Hono();
  app.get("/", (context: Untyped) => context.text("index"));
  app.get("/users", (context: Untyped) => context.json([]));
  app.get("/users/:id", (context: Untyped) => {
    const { req } = context;
    return context.json({ id: req.param("id"), fields: req.query("fields"), agent: req.header("x-agent") });
  });
  app.post("/users", (context: Untyped) => context.json({}));
  return (request) => app.fetch(request);
}
