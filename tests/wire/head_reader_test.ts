// How a head is read in pieces, where it stands in its buffer, and what it may have at most.

import assert from "node:assert/strict";
import { type FieldPlaces, HeadReader } from "../../src/wire/head_reader.ts";
import { decodeLatin1, latin1, LIMITS, refusal } from "../helpers/wire.ts";

const HEAD = "PUT /a?b HTTP/1.0\r\nHost: a.example\r\nEmpty:\r\nBlank: \t \r\nB:\tc d \t\r\n\r\n";

function place(reader: HeadReader): Record<string, number> {
  const { methodStart, methodEnd, targetEnd, fieldsAt, minor } = reader;
  return { methodStart, methodEnd, targetEnd, fieldsAt, minor };
}

const MAX_LINE_BYTES = LIMITS.maxRequestLineBytes;

/** A reader that writes down the fields it is told of. */
function reading(maxBytes = 1000, maxLineBytes = MAX_LINE_BYTES): { reader: HeadReader; noted: string[] } {
  const noted: string[] = [];
  const note = (bytes: Uint8Array, from: number, field: FieldPlaces) => {
    const name = decodeLatin1(bytes, from + field.nameStart, from + field.nameEnd);
    noted.push(`${name}=${decodeLatin1(bytes, from + field.valueStart, from + field.valueEnd)}`);
  };
  const reader = new HeadReader({ note });
  reader.startHead(maxBytes, maxLineBytes);
  return { reader, noted };
}

Deno.test("A head in one piece gives its places and its fields", () => {
  const { reader, noted } = reading();
  const bytes = latin1(HEAD);
  assert.equal(reader.read(bytes, 0, bytes.length), HEAD.length);
  assert.deepEqual(place(reader), { methodStart: 0, methodEnd: 3, targetEnd: 8, fieldsAt: 19, minor: 0 });
  assert.deepEqual(noted, ["Host=a.example", "Empty=", "Blank=", "B=c d"]);
});

Deno.test("A head that comes byte by byte gives the same head", () => {
  const { reader, noted } = reading();
  const bytes = latin1(HEAD);
  for (let end = 0; end < bytes.length; end++) assert.equal(reader.read(bytes, 0, end), 0);
  assert.equal(reader.read(bytes, 0, bytes.length), HEAD.length);
  assert.deepEqual(place(reader), { methodStart: 0, methodEnd: 3, targetEnd: 8, fieldsAt: 19, minor: 0 });
  assert.deepEqual(noted, ["Host=a.example", "Empty=", "Blank=", "B=c d"]);
});

Deno.test("A head that moves in its buffer while it comes gives the same head", () => {
  const { reader, noted } = reading();
  let length = 0;
  for (let end = 1; end <= HEAD.length; end++) {
    const from = end % 7;
    const bytes = latin1("?".repeat(from) + HEAD.slice(0, end));
    length = reader.read(bytes, from, bytes.length);
  }
  assert.equal(length, HEAD.length);
  assert.deepEqual(noted, ["Host=a.example", "Empty=", "Blank=", "B=c d"]);
});

Deno.test("No byte is looked at twice", () => {
  const { reader } = reading();
  const bytes = latin1(HEAD);
  for (let end = 1; end < bytes.length; end++) {
    reader.read(bytes, 0, end);
    // A reader that looks back finds what no head may have.
    bytes[end - 1] = 0;
  }
  assert.equal(reader.read(bytes, 0, bytes.length), HEAD.length);
});

Deno.test("What follows a head is not read", () => {
  const { reader } = reading();
  const bytes = latin1(HEAD + "\0\0\n\r");
  assert.equal(reader.read(bytes, 0, bytes.length), HEAD.length);
});

Deno.test("A reader is fresh before a head, between heads, and through empty lines", () => {
  const { reader } = reading();
  const bytes = latin1("\r\n\r\n" + HEAD);
  assert.equal(reader.isFresh, true);
  for (let end = 1; end <= 4; end++) {
    reader.read(bytes, 0, end);
    assert.equal(reader.isFresh, true);
  }
  reader.read(bytes, 0, 5);
  assert.equal(reader.isFresh, false);
  assert.equal(reader.read(bytes, 0, bytes.length), 4 + HEAD.length);
  assert.equal(reader.methodStart, 4);
  reader.startHead(1000, MAX_LINE_BYTES);
  assert.equal(reader.isFresh, true);
});

Deno.test("A reader reads head after head", () => {
  const { reader, noted } = reading();
  const bytes = latin1(HEAD + "GET / HTTP/1.1\r\nA: b\r\n\r\n");
  const first = reader.read(bytes, 0, bytes.length);
  assert.equal(reader.minor, 0);
  reader.startHead(1000, MAX_LINE_BYTES);
  assert.equal(first + reader.read(bytes, first, bytes.length), bytes.length);
  assert.deepEqual(place(reader), { methodStart: 0, methodEnd: 3, targetEnd: 5, fieldsAt: 16, minor: 1 });
  assert.equal(noted.at(-1), "A=b");
});

Deno.test("A head may have exactly as many bytes as allowed, and not one more", () => {
  const bytes = latin1(HEAD);
  assert.equal(reading(HEAD.length).reader.read(bytes, 0, bytes.length), HEAD.length);
  const { reader } = reading(HEAD.length - 1);
  assert.equal(refusal(() => reader.read(bytes, 0, bytes.length)), "431 head-too-large");
});

Deno.test("A head is refused at the byte that makes it too large, not before and not later", () => {
  const { reader } = reading(40);
  const bytes = latin1("GET / HTTP/1.1\r\nA: " + "b".repeat(100));
  assert.equal(reader.read(bytes, 0, 39), 0);
  assert.equal(refusal(() => reader.read(bytes, 0, 40)), "431 head-too-large");
  assert.equal(refusal(() => reading(40).reader.read(bytes, 0, bytes.length)), "431 head-too-large");
});

Deno.test("What follows the limit is not looked at", () => {
  const bytes = latin1("GET / HTTP/1.1\r\nA: bcd\0");
  assert.equal(refusal(() => reading(20).reader.read(bytes, 0, bytes.length)), "431 head-too-large");
  assert.equal(refusal(() => reading(50).reader.read(bytes, 0, bytes.length)), "400 bad-field");
});

Deno.test("Empty lines without end are a head that is too large", () => {
  const bytes = latin1("\r\n".repeat(50));
  assert.equal(refusal(() => reading(100).reader.read(bytes, 0, bytes.length)), "431 head-too-large");
});

function requestLine(length: number): string {
  return `GET /${"x".repeat(length - "GET / HTTP/1.1".length)} HTTP/1.1`;
}

Deno.test("A request line may have 8 KiB with its version, and one byte more is 414", () => {
  const longest = latin1(requestLine(MAX_LINE_BYTES) + "\r\n\r\n");
  assert.equal(longest.length, MAX_LINE_BYTES + 4);
  assert.equal(reading(1 << 20).reader.read(longest, 0, longest.length), longest.length);
  const longer = latin1(requestLine(MAX_LINE_BYTES + 1) + "\r\n\r\n");
  assert.equal(refusal(() => reading(1 << 20).reader.read(longer, 0, longer.length)), "414 target-too-long");
});

Deno.test("A target that is too long is refused before it ends, the same in pieces", () => {
  const bytes = latin1("GET /" + "x".repeat(20_000));
  assert.equal(refusal(() => reading(1 << 20).reader.read(bytes, 0, bytes.length)), "414 target-too-long");
  const { reader } = reading(1 << 20);
  const inPieces = () => {
    for (let end = 1; end <= bytes.length; end++) reader.read(bytes, 0, end);
  };
  assert.equal(refusal(inPieces), "414 target-too-long");
});

Deno.test("Empty lines before a request line do not count to its length", () => {
  const bytes = latin1("\r\n\r\n" + requestLine(MAX_LINE_BYTES) + "\r\n\r\n");
  assert.equal(reading(1 << 20).reader.read(bytes, 0, bytes.length), bytes.length);
});

Deno.test("A request line may have as many bytes as it is allowed, empty lines before it not counted", () => {
  for (const most of [30, 64 * 1024]) {
    const longest = latin1("\r\n" + requestLine(most) + "\r\n\r\n");
    assert.equal(reading(1 << 20, most).reader.read(longest, 0, longest.length), longest.length);
    const longer = latin1(requestLine(most + 1) + "\r\n\r\n");
    assert.equal(refusal(() => reading(1 << 20, most).reader.read(longer, 0, longer.length)), "414 target-too-long");
  }
});

Deno.test("A method without end is 501, a target without end 414, whichever limit they meet (RFC 9112, section 3)", () => {
  const cases = [
    ["G".repeat(9000), "501 not-implemented"],
    ["GET /" + "x".repeat(9000), "414 target-too-long"],
  ] as const;
  for (const [text, expected] of cases) {
    const bytes = latin1(text);
    for (const [head, line] of [[100, MAX_LINE_BYTES], [1 << 20, MAX_LINE_BYTES], [1 << 20, 100], [100, 100]]) {
      assert.equal(refusal(() => reading(head, line).reader.read(bytes, 0, bytes.length)), expected);
      const { reader } = reading(head, line);
      const inPieces = () => {
        for (let end = 1; end <= bytes.length; end++) reader.read(bytes, 0, end);
      };
      assert.equal(refusal(inPieces), expected);
    }
  }
});

Deno.test("A head that meets its limit in the version has a request line that is too long", () => {
  const bytes = latin1("GET / HTTP/1.1\r\nA: b\r\n\r\n");
  for (const most of [6, 10, 15]) {
    assert.equal(refusal(() => reading(most).reader.read(bytes, 0, bytes.length)), "414 target-too-long");
  }
  assert.equal(refusal(() => reading(16).reader.read(bytes, 0, bytes.length)), "431 head-too-large");
});

Deno.test("A reader says of each head whether its target has bytes past ASCII", () => {
  const { reader } = reading();
  for (const [target, expected] of [["/e", false], ["/\xc3\xa9", true], ["/e", false]] as const) {
    const bytes = latin1(`GET ${target} HTTP/1.1\r\n\r\n`);
    reader.startHead(1000, MAX_LINE_BYTES);
    assert.equal(reader.read(bytes, 0, bytes.length), bytes.length);
    assert.equal(reader.isTargetUtf8, expected);
  }
});

Deno.test("A CR after the target waits for what follows it", () => {
  for (const [last, expected] of [["\n", "505 bad-version"], ["b", "400 bad-line-ending"]]) {
    const { reader } = reading();
    const bytes = latin1(`GET /\r${last}`);
    assert.equal(reader.read(bytes, 0, bytes.length - 1), 0);
    assert.equal(refusal(() => reader.read(bytes, 0, bytes.length)), expected);
    assert.equal(refusal(() => reading().reader.read(bytes, 0, bytes.length)), expected);
  }
});

Deno.test("A trailer section is a head without its first line", () => {
  const { reader, noted } = reading();
  const bytes = latin1("A: b\r\nC:\r\n\r\nrest");
  reader.startTrailers(1000);
  assert.equal(reader.read(bytes, 0, 3), 0);
  assert.equal(reader.read(bytes, 0, bytes.length), 12);
  assert.deepEqual(noted, ["A=b", "C="]);
});

Deno.test("An empty trailer section is one empty line", () => {
  const { reader, noted } = reading();
  reader.startTrailers(1000);
  const bytes = latin1("\r\nA: b\r\n");
  assert.equal(reader.read(bytes, 0, 1), 0);
  assert.equal(reader.read(bytes, 0, bytes.length), 2);
  assert.deepEqual(noted, []);
});

Deno.test("A trailer section that is too large is refused", () => {
  const { reader } = reading();
  reader.startTrailers(20);
  const bytes = latin1("A: " + "b".repeat(50));
  assert.equal(refusal(() => reader.read(bytes, 0, bytes.length)), "431 head-too-large");
});
