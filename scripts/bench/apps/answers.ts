// What every peer answers, as plain data.
// No runtime is named here; Deno and Bun both load this file.

/** What a launcher can be told to serve. */
export type AppName =
  | "plain"
  | "closing"
  | "hono"
  | "echo"
  | "count"
  | "stream"
  | "events"
  | "mixed"
  | "headers"
  | "sockets";

/** The body of the plainest answer. */
export const HELLO = "Hello, World!";

/** What the plainest answer says it is. */
export const TEXT = "text/plain; charset=utf-8";

/** Ten fields as an application behind a proxy would set them. */
export const TEN_HEADERS: Readonly<Record<string, string>> = {
  "content-type": TEXT,
  "cache-control": "private, max-age=60, must-revalidate",
  "etag": '"5d8c72a5edda8"',
  "vary": "Accept-Encoding, Cookie",
  "x-request-id": "7b0c5a4e-52d2-4f4f-9d0b-6a3a6f1f7f11",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "strict-origin-when-cross-origin",
  "content-security-policy": "default-src 'self'; img-src 'self' data:",
  "set-cookie": "session=9f86d081884c7d65; Path=/; HttpOnly; SameSite=Lax",
};

/** A piece of a streamed answer: what a file read commonly brings. */
export const PIECE: Uint8Array<ArrayBuffer> = new Uint8Array(64 * 1024);

/** Milliseconds between two events: 20 a second for each client is a busy dashboard. */
export const EVENT_EVERY_MS = 50;

/** Events that may wait for one client before it misses some; a second's worth, almost. */
export const EVENTS_WAITING = 16;

/** Reads how many bytes a path such as `/bytes/1000` asks for. */
export function bytesAsked(path: string): number {
  return Number(path.slice(path.lastIndexOf("/") + 1));
}

/** Writes one event that says when it was sent, in milliseconds since 1970. */
export function eventText(): string {
  return `data: {"at":${(performance.timeOrigin + performance.now()).toFixed(3)}}\n\n`;
}
