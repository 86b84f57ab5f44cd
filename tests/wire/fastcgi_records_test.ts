// The bytes of FastCGI records, written and read: as a whole, byte by byte, with bytes that follow, and broken.

import assert from "node:assert/strict";
import {
  FastCgiError,
  putRequest,
  putStdin,
  RecordReader,
  requestBytes,
  type RequestStart,
  STDIN_END,
  stdinBytes,
} from "../../src/wire/fastcgi_records.ts";
import { decodeLatin1, latin1 } from "../helpers/wire.ts";

/** A record as it is on the wire. */
function record(type: number, content: string, { id = 1, padding = 0, version = 1 } = {}): string {
  const { length } = content;
  const head = String.fromCharCode(version, type, id >> 8, id & 0xff, length >> 8, length & 0xff, padding, 0);
  return head + content + "\xee".repeat(padding);
}

const STDOUT = 6;
const STDERR = 7;
const END_REQUEST = 3;
const COMPLETE = record(END_REQUEST, "\0\0\0\0\0\0\0\0");

/** Reads bytes that come in pieces of so many. Content of one stream that comes in pieces is joined. */
function read(text: string, step = text.length): string[] {
  const reader = new RecordReader();
  const seen: string[] = [];
  for (let at = 0; at < text.length; at += step) {
    const bytes = latin1(text.slice(at, at + step));
    reader.put(bytes, 0, bytes.length);
    for (let event = reader.next(); event !== "needMore"; event = reader.next()) {
      if (event === "end") {
        seen.push(`end: ${reader.protocolStatus}`);
        continue;
      }
      const content = decodeLatin1(bytes, reader.start, reader.end);
      const last = seen.at(-1);
      if (last?.startsWith(`${event}: `)) seen[seen.length - 1] = last + content;
      else seen.push(`${event}: ${content}`);
    }
  }
  return seen;
}

function written(start: Partial<RequestStart>): string {
  const whole = { variables: [], body: new Uint8Array(0), keepConnection: false, ...start };
  // A buffer that was used before, and is longer than needed.
  const into = new Uint8Array(requestBytes(whole) + 10).fill(0xee);
  const count = putRequest(into, whole);
  assert.equal(count, requestBytes(whole));
  return decodeLatin1(into, 0, count);
}

const BEGIN = "\x01\x01\0\x01\0\x08\0\0" + "\0\x01\0\0\0\0\0\0";
const NO_STDIN = record(5, "");

Deno.test("A request begins with its role and its variables, and ends with an empty record of its body", () => {
  const params = record(4, "\x01\x02Axy" + "\x05\0EMPTY") + record(4, "");
  assert.equal(written({ variables: [["A", "xy"], ["EMPTY", ""]] }), BEGIN + params + NO_STDIN);
});

Deno.test("A request says whether the connection is to be kept", () => {
  assert.equal(written({ keepConnection: true }).charCodeAt(10), 1);
  assert.equal(written({ keepConnection: false }).charCodeAt(10), 0);
});

Deno.test("A name or a value of 128 bytes or more tells its length in four bytes", () => {
  const name = "N".repeat(127);
  const long = "v".repeat(128);
  const longer = "w".repeat(0x12345 & 0xffff);
  const content = `\x7f\x80\0\0\x80${name}${long}` + `\x80\0\0\x80\x80\0\x23\x45${long}${longer}`;
  const expected = BEGIN + record(4, content) + record(4, "") + NO_STDIN;
  assert.equal(written({ variables: [[name, long], [long, longer]] }), expected);
});

Deno.test("Variables that do not fit into one record go on in the next", () => {
  const value = "x".repeat(70_000);
  const content = `\x01\x80\x01\x11\x70A${value}`;
  const params = record(4, content.slice(0, 65_535)) + record(4, content.slice(65_535)) + record(4, "");
  assert.equal(written({ variables: [["A", value]] }), BEGIN + params + NO_STDIN);
});

Deno.test("A variable keeps its bytes above ASCII", () => {
  assert.equal(
    written({ variables: [["P", "\xc3\xa4\xff"]] }),
    BEGIN + record(4, "\x01\x03P\xc3\xa4\xff") + record(4, "") + NO_STDIN,
  );
});

Deno.test("A body goes along with the request, in as many records as it needs", () => {
  const params = record(4, "");
  assert.equal(written({ body: latin1("abc") }), BEGIN + params + record(5, "abc") + NO_STDIN);
  const long = "y".repeat(65_536);
  const expected = BEGIN + params + record(5, long.slice(0, 65_535)) + record(5, "y") + NO_STDIN;
  assert.equal(written({ body: latin1(long) }), expected);
  assert.equal(written({ body: null }), BEGIN + params);
});

Deno.test("A piece of a body becomes records without the one that ends it", () => {
  const piece = latin1("z".repeat(65_537));
  const into = new Uint8Array(stdinBytes(piece.length));
  const count = putStdin(into, piece);
  assert.equal(decodeLatin1(into, 0, count), record(5, "z".repeat(65_535)) + record(5, "zz"));
  assert.equal(decodeLatin1(STDIN_END), NO_STDIN);
});

const ANSWERS: [name: string, text: string, seen: string[]][] = [
  ["an answer in one record", record(STDOUT, "hello") + COMPLETE, ["stdout: hello", "end: complete"]],
  [
    "an answer with padding everywhere",
    record(STDOUT, "he", { padding: 6 }) + record(STDOUT, "llo", { padding: 255 }) +
    record(END_REQUEST, "\0\0\0\0\0\0\0\0", { padding: 3 }),
    ["stdout: hello", "end: complete"],
  ],
  [
    "streams that are mixed",
    record(STDOUT, "a") + record(STDERR, "oops\n") + record(STDOUT, "b") + COMPLETE,
    ["stdout: a", "stderr: oops\n", "stdout: b", "end: complete"],
  ],
  [
    "the ends of both streams",
    record(STDOUT, "a") + record(STDOUT, "") + record(STDERR, "", { padding: 8 }) + COMPLETE,
    ["stdout: a", "end: complete"],
  ],
  ["an exit code", record(END_REQUEST, "\0\0\0\x07\0\0\0\0"), ["end: complete"]],
  ["an overloaded program", record(END_REQUEST, "\0\0\0\0\x02\0\0\0"), ["end: overloaded"]],
  ["a program that wants a connection of its own", record(END_REQUEST, "\0\0\0\0\x01\0\0\0"), [
    "end: cannot multiplex",
  ]],
  ["another role", record(END_REQUEST, "\0\0\0\0\x03\0\0\0"), ["end: unknown role"]],
  ["an END_REQUEST that is longer", record(END_REQUEST, "\0\0\0\0\x02\0\0\0more"), ["end: overloaded"]],
  [
    "management records, which concern no request",
    record(11, "\x63\0\0\0\0\0\0\0", { id: 0 }) + record(10, "\x0f\x01FCGI_MPXS_CONNS0", { id: 0, padding: 7 }) +
    record(STDOUT, "x") + COMPLETE,
    ["stdout: x", "end: complete"],
  ],
  [
    "two answers one after the other",
    record(STDOUT, "one") + COMPLETE + record(STDOUT, "two") + COMPLETE,
    ["stdout: one", "end: complete", "stdout: two", "end: complete"],
  ],
];

for (const [name, text, seen] of ANSWERS) {
  Deno.test(`A reader reads ${name}, whole and byte by byte`, () => {
    for (const step of [text.length, 1, 3, 7, 8, 9]) assert.deepEqual(read(text, step), seen, `pieces of ${step}`);
  });
}

Deno.test("A reader gives the content of a record before it is complete", () => {
  assert.deepEqual(read(record(STDOUT, "x".repeat(60_000)).slice(0, 100)), [`stdout: ${"x".repeat(92)}`]);
});

Deno.test("A reader knows whether a record has begun", () => {
  const reader = new RecordReader();
  const bytes = latin1(record(STDOUT, "ab", { padding: 4 }) + COMPLETE);
  for (let i = 0; i < bytes.length; i++) {
    reader.put(bytes, i, i + 1);
    while (reader.next() !== "needMore");
    assert.equal(reader.isBetweenRecords, i === 13 || i === bytes.length - 1, `after byte ${i}`);
  }
  reader.put(latin1(COMPLETE + "\x01"), 0, 17);
  assert.equal(reader.next(), "end");
  assert.equal(reader.isBetweenRecords, false);
});

const BROKEN: [name: string, text: string, message: RegExp][] = [
  ["HTTP", "HTTP/1.1 200 OK\r\n", /expected a FastCGI record of version 1, got the byte 72/],
  ["another version", record(STDOUT, "x", { version: 2 }), /version 1, got the byte 2/],
  ["a type that is not for us", record(5, "x"), /expected STDOUT, STDERR or END_REQUEST, got a record of type 5/],
  ["a type that does not exist", record(99, "x"), /type 99/],
  ["the id of another request", record(STDOUT, "x", { id: 2 }), /expected the request id 1, got 2/],
  ["no id", record(STDOUT, "x", { id: 0 }), /expected the request id 1, got 0/],
  ["a management record with an id", record(11, "x"), /expected the request id 0/],
  ["an END_REQUEST that is too short", record(END_REQUEST, "\0\0\0\0"), /expected 8 bytes in END_REQUEST, got 4/],
  ["an empty END_REQUEST", record(END_REQUEST, ""), /expected 8 bytes in END_REQUEST, got 0/],
  ["a status that does not exist", record(END_REQUEST, "\0\0\0\0\x04\0\0\0"), /status from 0 to 3, got 4/],
];

for (const [name, text, message] of BROKEN) {
  Deno.test(`A reader refuses ${name}, whole and byte by byte`, () => {
    for (const step of [text.length, 1]) {
      assert.throws(() => read(text, step), (error) => error instanceof FastCgiError && message.test(error.message));
    }
  });
}
