// Sends a file as it is, beside the scripts of a site. Only files of well-known types are sent: a copy of a script with another
// ending, or a dump of a database, is not meant for clients.

import { giveBuffer, takeBuffer } from "../connection/buffer_pool.ts";
import type { Document, Documents, OpenDocument } from "../platform/ports.ts";
import type { Answer, AnswerSource, SourceRead } from "../wire/answer.ts";
import type { RequestHead } from "../wire/request_head.ts";

/** What a page is made of, and what it links to. */
const TYPES: Readonly<Record<string, string>> = {
  avif: "image/avif",
  css: "text/css; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  gif: "image/gif",
  htm: "text/html; charset=utf-8",
  html: "text/html; charset=utf-8",
  ico: "image/vnd.microsoft.icon",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  js: "text/javascript; charset=utf-8",
  json: "application/json",
  map: "application/json",
  mjs: "text/javascript; charset=utf-8",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  ogg: "audio/ogg",
  otf: "font/otf",
  pdf: "application/pdf",
  png: "image/png",
  svg: "image/svg+xml",
  ttf: "font/ttf",
  txt: "text/plain; charset=utf-8",
  wasm: "application/wasm",
  webm: "video/webm",
  webmanifest: "application/manifest+json",
  webp: "image/webp",
  woff: "font/woff",
  woff2: "font/woff2",
  xml: "application/xml",
};

/** Read at once: as much as one write takes. */
const PIECE_BYTES = 64 * 1024;

/**
 * The type of a file.
 *
 * @param path of the file
 * @returns for Content-Type; null if the file is not to be sent
 */
export function typeOf(path: string): string | null {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? "";
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] ?? null : null;
}

/**
 * Makes the answer that is a file.
 *
 * @param head the request
 * @param file what was found, and its type
 * @param documents opens it
 * @returns the answer; 304 if the client has it, 405 for a method that does not read
 */
export async function fileAnswer(
  head: RequestHead,
  { document, type }: { document: Document; type: string },
  documents: Documents,
): Promise<Answer> {
  if (head.method !== "GET" && head.method !== "HEAD") return bare(405, [["allow", "GET, HEAD"]]);
  const fields: [string, string][] = [["content-type", type], ["x-content-type-options", "nosniff"]];
  const modified = document.modifiedAt === null ? null : new Date(document.modifiedAt).toUTCString();
  if (modified !== null) {
    fields.push(["last-modified", modified]);
    // RFC 9110, section 13.1.3: whole seconds.
    const since = Date.parse(head.field("if-modified-since") ?? "");
    if (Date.parse(modified) <= since) return bare(304, fields.slice(2));
  }
  fields.push(["content-length", String(document.size)]);
  const body = head.method === "HEAD" ? null : new FileSource(await documents.open(document.path), document.size);
  return { status: 200, reason: "", fields, body, block: null };
}

function bare(status: number, fields: readonly (readonly [string, string])[]): Answer {
  return { status, reason: "", fields, body: null, block: null };
}

/** The bytes of a file. If it becomes longer meanwhile, what is added is not sent. */
class FileSource implements AnswerSource {
  #file: OpenDocument;
  #left: number;
  #buffer: Uint8Array | null = takeBuffer(PIECE_BYTES);

  constructor(file: OpenDocument, size: number) {
    this.#file = file;
    this.#left = size;
  }

  async read(): Promise<SourceRead> {
    const buffer = this.#buffer;
    if (buffer === null) return { done: true, value: undefined };
    const count = this.#left === 0
      ? null
      : await this.#file.read(buffer.subarray(0, Math.min(PIECE_BYTES, this.#left)));
    if (count === null) {
      this.#close();
      // All that was read is on its way, and nothing is read any more.
      giveBuffer(buffer);
      return { done: true, value: undefined };
    }
    this.#left -= count;
    return { done: false, value: buffer.subarray(0, count) };
  }

  cancel(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }

  #close(): void {
    if (this.#buffer === null) return;
    this.#buffer = null;
    this.#file.close();
  }
}
