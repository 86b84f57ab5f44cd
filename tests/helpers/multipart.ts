// How to write a form as bytes, also one that no client would send.
// It shares no code with src, so that one mistake cannot hide another.

import { join } from "./responses.ts";

/** A part as it is to be sent. */
export interface RawPart {
  /** The lines of its head, without their ends. */
  readonly head: readonly string[];
  readonly body: string | Uint8Array;
}

const encoder = new TextEncoder();

/** A field that is not a file. */
export function value(field: string, body: string | Uint8Array): RawPart {
  return { head: [`Content-Disposition: form-data; name="${field}"`], body };
}

/** A file. */
export function file(field: string, name: string, body: string | Uint8Array, type = "text/plain"): RawPart {
  return {
    head: [`Content-Disposition: form-data; name="${field}"; filename="${name}"`, `Content-Type: ${type}`],
    body,
  };
}

/** Writes a form. */
export function formBytes(parts: readonly RawPart[], boundary: string): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [];
  for (const { head, body } of parts) {
    pieces.push(encoder.encode(`--${boundary}\r\n${head.map((line) => `${line}\r\n`).join("")}\r\n`));
    pieces.push(typeof body === "string" ? encoder.encode(body) : body, encoder.encode("\r\n"));
  }
  return join([...pieces, encoder.encode(`--${boundary}--\r\n`)]);
}

/** A request with these bytes, whose body comes in pieces. */
export function formRequest(
  bytes: string | Uint8Array,
  options: { boundary?: string; type?: string; pieceBytes?: number | undefined } = {},
): Request {
  const { boundary = "b", pieceBytes = Infinity } = options;
  const all = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= all.length) return controller.close();
      controller.enqueue(all.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  }, { highWaterMark: 0 });
  return new Request("http://localhost/", {
    method: "POST",
    headers: { "content-type": options.type ?? `multipart/form-data; boundary=${boundary}` },
    body,
    duplex: "half",
  } as RequestInit);
}
