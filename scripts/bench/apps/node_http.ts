// The same answers for node:http, in the style of that interface.
// Defaults, but for the 5 s after which it would close an idle connection of scenario 8.

import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import process from "node:process";
import { type AppName, bytesAsked, EVENT_EVERY_MS, EVENTS_WAITING, eventText } from "./answers.ts";
import { HELLO, PIECE, TEN_HEADERS, TEXT } from "./answers.ts";
import { handlerOf } from "./handlers.ts";

const LISTENERS: Record<Exclude<AppName, "hono" | "sockets">, RequestListener> = {
  plain: (_, response) => answer(response, HELLO),
  closing: (_, response) => answer(response, HELLO),
  echo: echoJson,
  count: countBody,
  stream: streamBytes,
  events: sendEvents,
  mixed: (request, response) => request.method === "POST" ? countBody(request, response) : answer(response, HELLO),
  headers: readEveryHeader,
};

function answer(response: ServerResponse, body: string, type = TEXT): void {
  response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function echoJson(request: IncomingMessage, response: ServerResponse): void {
  let text = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => text += piece);
  request.on("end", () => answer(response, JSON.stringify(JSON.parse(text)), "application/json"));
}

function countBody(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on("data", (piece: Uint8Array) => bytes += piece.byteLength);
  request.on("end", () => answer(response, String(bytes)));
}

function streamBytes(request: IncomingMessage, response: ServerResponse): void {
  let left = bytesAsked(request.url ?? "");
  response.writeHead(200, { "content-type": "application/octet-stream" });
  const go = () => {
    for (let isRoom = true; isRoom && left > 0;) {
      const bytes = Math.min(left, PIECE.byteLength);
      left -= bytes;
      isRoom = response.write(PIECE.subarray(0, bytes));
    }
    if (left === 0) response.end();
  };
  response.on("drain", go);
  go();
}

const listening = new Set<ServerResponse>();
let ticking: ReturnType<typeof setInterval> | undefined;

function sendEvents(_request: IncomingMessage, response: ServerResponse): void {
  ticking ??= setInterval(broadcast, EVENT_EVERY_MS);
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  response.flushHeaders();
  listening.add(response);
  response.on("close", () => listening.delete(response));
}

function broadcast(): void {
  const event = eventText();
  for (const response of listening) {
    if (response.writableLength < event.length * EVENTS_WAITING) response.write(event);
  }
}

function readEveryHeader(request: IncomingMessage, response: ServerResponse): void {
  let octets = 0;
  for (const [name, value] of Object.entries(request.headers)) octets += name.length + String(value).length;
  response.writeHead(200, { ...TEN_HEADERS, "content-length": HELLO.length });
  response.end(octets > 0 ? HELLO : "");
}

async function listenerOf(app: AppName): Promise<RequestListener> {
  if (app === "sockets") throw new TypeError("node:http has no WebSockets");
  if (app !== "hono") return LISTENERS[app];
  const { getRequestListener } = await import("npm:@hono/node-server@^2");
  return getRequestListener(await handlerOf("hono", () => import("npm:hono@^4")));
}

const [app, port] = process.argv.slice(2);
const server = createServer(await listenerOf(app as AppName));
server.keepAliveTimeout = 0;
server.listen(Number(port), "127.0.0.1");
