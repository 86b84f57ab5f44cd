// The order of events, the limits of a body, and what a reader tells of its place.

import assert from "node:assert/strict";
import { Inbox } from "../../src/wire/inbox.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { type ReaderLimits, RequestReader, type WireEvent } from "../../src/wire/request_reader.ts";
import { byteByByte, decodeLatin1, latin1, LIMITS, readAll } from "../helpers/wire.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

function post(fields: string, body: string): string {
  return `POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n\r\n${body}`;
}

function reading(text = "", limits: Partial<ReaderLimits> = {}): { inbox: Inbox; reader: RequestReader } {
  const inbox = new Inbox();
  inbox.put(latin1(text));
  return { inbox, reader: new RequestReader(inbox, { ...LIMITS, ...limits }, decodeLatin1) };
}

/** The kinds of events until the reader rests. */
function kinds(reader: RequestReader): string[] {
  const seen: string[] = [];
  for (;;) {
    const event = reader.next();
    seen.push(event.kind);
    if (event.kind === "needMore" || event.kind === "closed") return seen;
  }
}

function text(event: WireEvent): string {
  assert.equal(event.kind, "data");
  return decodeLatin1((event as { bytes: Uint8Array }).bytes);
}

function fault(pieces: string[], limits: Partial<ReaderLimits> = {}): string {
  const { fault } = readAll(pieces.map(latin1), { ...LIMITS, ...limits });
  return fault === null ? "accepted" : `${fault.status} ${fault.code}`;
}

Deno.test("A reader without bytes needs more, as often as it is asked", () => {
  const { reader } = reading();
  for (let i = 0; i < 3; i++) assert.equal(reader.next().kind, "needMore");
});

Deno.test("A request without a body is a head and nothing more", () => {
  assert.deepEqual(kinds(reading(GET + GET).reader), ["head", "head", "needMore"]);
});

Deno.test("A body with a length is head, data, end", () => {
  assert.deepEqual(kinds(reading(post("Content-Length: 2", "ok")).reader), ["head", "data", "end", "needMore"]);
});

Deno.test("A body with a length of 0 has neither data nor end", () => {
  assert.deepEqual(kinds(reading(post("Content-Length: 0", GET)).reader), ["head", "head", "needMore"]);
});

Deno.test("An empty body in chunks has an end and no data", () => {
  assert.deepEqual(kinds(reading(post("Transfer-Encoding: chunked", "0\r\n\r\n")).reader), ["head", "end", "needMore"]);
});

Deno.test("Data is given as it comes", () => {
  const { inbox, reader } = reading(post("Content-Length: 4", "a"));
  assert.equal(reader.next().kind, "head");
  assert.equal(text(reader.next()), "a");
  assert.equal(reader.next().kind, "needMore");
  inbox.put(latin1("bcd" + GET));
  assert.equal(text(reader.next()), "bcd");
  assert.equal(reader.next().kind, "end");
  assert.equal(reader.next().kind, "head");
});

Deno.test("A reader tells how much of a body must still come", () => {
  const { inbox, reader } = reading(post("Content-Length: 4", "a"));
  assert.equal(reader.bodyLeft, 0);
  reader.next();
  assert.equal(reader.bodyLeft, 4);
  reader.next();
  assert.equal(reader.bodyLeft, 3);
  inbox.put(latin1("bcd"));
  reader.next();
  assert.equal(reader.bodyLeft, 0);
  reader.next();
  assert.equal(reader.bodyLeft, 0);
});

Deno.test("A reader cannot tell how much of a chunked body must still come", () => {
  const { inbox, reader } = reading(post("Transfer-Encoding: chunked", "1\r\na"));
  reader.next();
  assert.equal(reader.bodyLeft, -1);
  reader.next();
  inbox.put(latin1("\r\n0\r\n\r\n"));
  assert.equal(reader.next().kind, "end");
  assert.equal(reader.bodyLeft, 0);
});

Deno.test("A client that ends between requests is closed in peace", () => {
  for (const before of ["", GET, GET + "\r\n", post("Content-Length: 2", "ok")]) {
    const { inbox, reader } = reading(before);
    inbox.ended = true;
    assert.equal(kinds(reader).at(-1), "closed", JSON.stringify(before));
    assert.equal(reader.next().kind, "closed");
  }
});

Deno.test("A client that ends anywhere else has cut its request short", () => {
  for (
    const request of [GET, post("Content-Length: 4", "body"), post("Transfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\n")]
  ) {
    for (let length = 1; length < request.length; length++) {
      assert.equal(fault([request.slice(0, length)]), "400 cut-short", JSON.stringify(request.slice(0, length)));
    }
  }
});

Deno.test("All that came before the end is given before the connection is called cut", () => {
  const { inbox, reader } = reading(post("Content-Length: 4", "ab"));
  inbox.ended = true;
  assert.equal(reader.next().kind, "head");
  assert.equal(text(reader.next()), "ab");
  assert.throws(() => reader.next(), (error: unknown) => error instanceof ProtocolError && error.code === "cut-short");
});

Deno.test("A length over the limit is refused before a byte of the body is read", () => {
  const limits = { maxBodyBytes: 10 };
  assert.equal(fault([post("Content-Length: 10", "0123456789")], limits), "accepted");
  const { begun, fault: refused } = readAll([latin1(post("Content-Length: 11", ""))], { ...LIMITS, ...limits });
  assert.deepEqual(refused, { code: "body-too-large", status: 413 });
  assert.equal(begun, null);
});

Deno.test("Chunks over the limit are refused, in one piece and byte by byte", () => {
  const limits = { maxBodyBytes: 10 };
  const fits = post("Transfer-Encoding: chunked", "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n");
  const over = post("Transfer-Encoding: chunked", "5\r\nhello\r\n6\r\nworld!\r\n0\r\n\r\n");
  for (
    const cut of [(all: string) => [all], (all: string) => byteByByte(latin1(all)).map((one) => decodeLatin1(one))]
  ) {
    assert.equal(fault(cut(fits), limits), "accepted");
    assert.equal(fault(cut(over), limits), "413 body-too-large");
  }
});

Deno.test("The limit is of one body, not of a connection", () => {
  const one = post("Content-Length: 10", "0123456789") +
    post("Transfer-Encoding: chunked", "a\r\n0123456789\r\n0\r\n\r\n");
  assert.equal(fault([one + one], { maxBodyBytes: 10 }), "accepted");
});

Deno.test("A limit of 0 is no limit", () => {
  const { reader } = reading(post("Content-Length: 9007199254740991", "a"), { maxBodyBytes: 0 });
  assert.deepEqual(kinds(reader), ["head", "data", "needMore"]);
});

Deno.test("A head over the limit is refused, and so are trailers over it", () => {
  const limits = { maxHeadBytes: 100 };
  const chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  assert.equal(fault([`GET / HTTP/1.1\r\nHost: a\r\nA: ${"b".repeat(100)}\r\n\r\n`], limits), "431 head-too-large");
  assert.equal(fault([`${chunked}A: ${"b".repeat(100)}\r\n\r\n`], limits), "431 head-too-large");
  assert.equal(fault([`${chunked}A: ${"b".repeat(50)}\r\n\r\n`], limits), "accepted");
});

Deno.test("The text of a head is its own, whatever becomes of the buffer", () => {
  const { inbox, reader } = reading(GET);
  const head = reader.next();
  inbox.bytes.fill(0);
  inbox.put(latin1("x".repeat(100)));
  assert.equal(head.kind === "head" && head.field("host"), "a");
});

Deno.test("A head has its text, and a place for its fields, after empty lines too", () => {
  const event = reading("\r\n" + GET).reader.next();
  assert.ok(event.kind === "head");
  assert.equal(event.text.slice(event.fieldsAt), "Host: a\r\n\r\n");
  assert.deepEqual(event.fields(), [["host", "a"]]);
});
