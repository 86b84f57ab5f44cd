// How to push bytes through a RequestReader in any pieces, and how the corpus is stored.
// What comes back is plain data, so that two readings can be compared as a whole.

import { Inbox } from "../../src/wire/inbox.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import type { Framing, RequestHead } from "../../src/wire/request_head.ts";
import { type ReaderLimits, RequestReader } from "../../src/wire/request_reader.ts";

/** The limits that the engine has by default. */
export const LIMITS: ReaderLimits = { maxHeadBytes: 32 * 1024, maxRequestLineBytes: 8 * 1024, maxBodyBytes: 1024 ** 3 };

/** A valid request, to be sent behind others. */
export const NEXT_REQUEST = "GET /next HTTP/1.1\r\nHost: next.example\r\n\r\n";

/** Everything a head decides, and its fields. */
export interface SeenHead {
  method: string;
  target: string;
  form: RequestHead["form"];
  minor: 0 | 1;
  host: string;
  framing: Framing;
  keepAlive: boolean;
  expectsContinue: boolean;
  upgrade: string | null;
  fields: [string, string][];
}

/** A request that came to its end; its body one character a byte. */
export type SeenRequest = SeenHead & { body: string };

/** All that a client's bytes gave. */
export interface Outcome {
  requests: SeenRequest[];
  /** What came of a request that did not end: its head, and its body so far. */
  begun: SeenRequest | null;
  fault: { code: string; status: number } | null;
  /** True if the client ended in peace. */
  closed: boolean;
}

/** One character a byte, to bytes. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Bytes to text, one character a byte. */
export function decodeLatin1(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = "";
  for (const octet of bytes.subarray(from, to)) text += String.fromCharCode(octet);
  return text;
}

/**
 * Reads a client's bytes to their end.
 *
 * @param pieces the bytes as they arrive; the connection ends behind the last
 * @param limits what the client may send at most
 * @returns everything that was seen
 * @throws {Error} if a reader does not come to rest, or throws anything but a ProtocolError
 */
export function readAll(pieces: Iterable<Uint8Array>, limits: ReaderLimits = LIMITS): Outcome {
  const inbox = new Inbox();
  const reader = new RequestReader(inbox, limits, decodeLatin1);
  const outcome: Outcome = { requests: [], begun: null, fault: null, closed: false };
  try {
    for (const piece of pieces) {
      inbox.put(piece);
      readWhatCame(reader, inbox, outcome);
    }
    inbox.ended = true;
    readWhatCame(reader, inbox, outcome);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    outcome.fault = { code: error.code, status: error.status };
  }
  return outcome;
}

function readWhatCame(reader: RequestReader, inbox: Inbox, outcome: Outcome): void {
  // Every event but head and end takes a byte or is the last, so this many calls must do.
  for (let calls = 2 * inbox.size + 8; calls > 0; calls--) {
    const event = reader.next();
    switch (event.kind) {
      case "needMore":
        return;
      case "closed":
        outcome.closed = true;
        return;
      case "head":
        outcome.begun = { ...seenHead(event), body: "" };
        if (event.framing.kind === "none") finish(outcome);
        break;
      case "data":
        if (event.bytes.length === 0) throw new Error("a data event without data");
        outcome.begun!.body += decodeLatin1(event.bytes);
        break;
      case "end":
        finish(outcome);
    }
  }
  throw new Error("the reader does not come to rest");
}

function finish(outcome: Outcome): void {
  outcome.requests.push(outcome.begun!);
  outcome.begun = null;
}

/** What a head decides, as plain data. */
export function seenHead(head: RequestHead): SeenHead {
  const { method, target, form, minor, host, framing, keepAlive, expectsContinue, upgrade } = head;
  const fields = head.fields();
  return { method, target, form, minor, host, framing, keepAlive, expectsContinue, upgrade, fields };
}

/** The bytes one by one. */
export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
}

/** One file of the corpus and what it must give. */
export interface Case {
  /** Its file's name without an ending. */
  name: string;
  /** The rule, as a sentence. */
  teaches: string;
  bytes: Uint8Array;
  /** The requests that must be accepted, all of them or those before the fault. */
  requests: SeenRequest[];
  /** How it must be refused; null in `accept/`. */
  fault: { code: string; status: number } | null;
  /** Where the fault is found: before the head is complete, or behind it. */
  in: "head" | "body";
}

type StoredRequest = Omit<SeenRequest, "body"> & { body?: string; bodyBase64?: string };

/** Reads the corpus. */
export function loadCases(kind: "accept" | "reject"): Case[] {
  const directory = new URL(`../corpus/${kind}/`, import.meta.url);
  const names = [...Deno.readDirSync(directory)].map((entry) => entry.name).filter((name) => name.endsWith(".http"));
  return names.sort().map((file) => {
    const name = file.slice(0, -".http".length);
    const stored = JSON.parse(Deno.readTextFileSync(new URL(`${name}.json`, directory)));
    const requests: StoredRequest[] = kind === "accept" ? stored.requests : stored.before;
    return {
      name,
      teaches: stored.teaches,
      bytes: Deno.readFileSync(new URL(file, directory)),
      requests: requests.map(({ bodyBase64, ...rest }) => ({ ...rest, body: rest.body ?? atob(bodyBase64!) })),
      fault: kind === "accept" ? null : { code: stored.code, status: stored.status },
      in: stored.in ?? "head",
    };
  });
}

/**
 * How a run ends: with the status and the code of a refusal, or accepted.
 *
 * @param run what may be refused
 * @returns such as `400 bad-host`, or `accepted`
 */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.status} ${error.code}`;
    throw error;
  }
  return "accepted";
}
