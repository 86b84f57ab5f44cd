// How to make a LazyRequest without a connection.

import { type Incoming, LazyRequest } from "../../src/message/lazy_request.ts";
import { Inbox } from "../../src/wire/inbox.ts";
import type { RequestHead } from "../../src/wire/request_head.ts";
import { RequestReader } from "../../src/wire/request_reader.ts";

/** What a request is made of here. */
export interface IncomingOptions {
  method?: string;
  target?: string;
  host?: string;
  /** Further field lines, each ended by CR LF. */
  fields?: string;
  /** Pieces of a body. */
  body?: (string | Uint8Array)[];
  /** True if the body was read before the application runs. */
  isWhole?: boolean;
  scheme?: "http" | "https";
  minor?: 0 | 1;
}

const encoder = new TextEncoder();

/** Reads a head. */
export function headOf(text: string): RequestHead {
  const inbox = new Inbox();
  const limits = { maxHeadBytes: 1 << 20, maxRequestLineBytes: 8 * 1024, maxBodyBytes: 0 };
  const reader = new RequestReader(inbox, limits, (bytes, from, to) => {
    let decoded = "";
    for (const octet of bytes.subarray(from, to)) decoded += String.fromCharCode(octet);
    return decoded;
  });
  inbox.put(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
  const head = reader.next();
  if (head.kind !== "head") throw new Error(`no whole head: ${JSON.stringify(text)}`);
  return head;
}

/** A request, and the controller of its signal. */
export function requestOf(options: IncomingOptions = {}): Request & { readonly leave: AbortController } {
  const { target = "/", host = "example.com", fields = "", isWhole = false, scheme = "http", minor = 1 } = options;
  const pieces = options.body?.map((piece) => typeof piece === "string" ? encoder.encode(piece) : piece.slice());
  const { method = pieces === undefined ? "GET" : "POST" } = options;
  const size = pieces?.reduce((sum, piece) => sum + piece.length, 0);
  const framing = size === undefined ? "" : isWhole ? `content-length: ${size}\r\n` : "transfer-encoding: chunked\r\n";
  const hostLine = host === "" ? "" : `Host: ${host}\r\n`;
  const head = headOf(`${method} ${target} HTTP/1.${minor}\r\n${hostLine}${fields}${framing}\r\n`);
  const leave = new AbortController();
  let signal: AbortSignal | null = null;
  let whole = isWhole && size ? new Uint8Array(pieces!.flatMap((piece) => [...piece])) : null;
  const takeBuffered = () => {
    const taken = whole;
    whole = null;
    return taken;
  };
  const incoming: Incoming = {
    head,
    arrival: { scheme, host: null, localName: "127.0.0.1:8000" },
    takeBuffered,
    get signal() {
      return signal ??= leave.signal;
    },
    readBody() {
      return Promise.resolve(takeBuffered()?.slice() ?? (isWhole ? null : pieces?.shift() ?? null));
    },
  };
  return Object.assign(new LazyRequest(incoming) as unknown as Request, { leave });
}

/** True if methods of the native Headers take other objects that have their state: not on Node. */
export const canBorrowHeaders: boolean = Object.getOwnPropertySymbols(new Headers()).length > 0;
