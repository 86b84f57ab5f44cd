// A form falls into the same parts however its bytes come, and what is no form.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "npm:fast-check@^4";
import { make } from "npm:multipasta@^0.2.8/Search";
import { MultipartReader } from "../../src/uploads/multipart_reader.ts";
import { file, formBytes, type RawPart, value } from "../helpers/multipart.ts";

/** What a reader tells of pieces, each part as its head and its body. */
function read(pieces: Iterable<Uint8Array>, boundary: string): { head: string; body: Buffer }[] {
  const parts: { head: string; body: Buffer; isWhole: boolean }[] = [];
  const reader = new MultipartReader(make, boundary, {
    begin(head) {
      assert.notEqual(parts.at(-1)?.isWhole, false);
      parts.push({ head: new TextDecoder().decode(head), body: Buffer.alloc(0), isWhole: false });
    },
    data(bytes) {
      parts.at(-1)!.body = Buffer.concat([parts.at(-1)!.body, bytes]);
    },
    end: () => void (parts.at(-1)!.isWhole = true),
  });
  for (const piece of pieces) reader.write(piece);
  reader.end();
  assert.ok(reader.isDone);
  assert.ok(parts.every(({ isWhole }) => isWhole));
  return parts.map(({ head, body }) => ({ head, body }));
}

function* split(bytes: Uint8Array, cuts: readonly number[]): Iterable<Uint8Array> {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    // A piece of its own: what is given away must not be looked at beside its end.
    yield bytes.slice(from, cut);
    from = cut;
  }
  yield bytes.slice(from);
}

/** Bytes that look like boundaries more often than not. */
const nasty = fc.array(
  fc.constantFrom("\r\n--", "\r\n", "\r", "\n", "-", "--", "b", "b-b", "x", "\0", "é", "\r\n--b"),
  {
    maxLength: 30,
  },
).map((words) => words.join(""));
const boundaries = fc.constantFrom("b", "b-b", "-", "--", "----b", "bb", "-b--b", "x".repeat(70));

Deno.test("A form falls into the same parts however it is split", () => {
  const part = fc.record({ name: fc.constantFrom("a", "日本", 'q"'), body: nasty, isFile: fc.boolean() });
  fc.assert(
    fc.property(
      boundaries,
      fc.array(part, { maxLength: 5 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      (boundary, made, places) => {
        const parts: RawPart[] = made
          .filter(({ body }) => !`\r\n${body}\r\n`.includes(`\r\n--${boundary}`))
          .map(({ name, body, isFile }) => isFile ? file("f", name, body) : value(name, body));
        const bytes = formBytes(parts, boundary);
        const expected = parts.map(({ head, body }) => ({
          head: head.join("\r\n"),
          body: Buffer.from(body as string),
        }));
        assert.deepEqual(read([bytes], boundary), expected);
        assert.deepEqual(
          read(split(bytes, places.map((place) => Math.floor(place * bytes.length))), boundary),
          expected,
        );
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("A form falls into the same parts cut at any one or two places, and byte by byte", () => {
  const bytes = formBytes(
    [value("a", "1\r\n--"), file("f", "日.txt", "\r\n-\r\r\n--\r\n-\r\n"), file("g", "", "")],
    "--b",
  );
  const expected = read([bytes], "--b");
  assert.equal(expected.length, 3);
  for (let first = 0; first <= bytes.length; first++) {
    for (const second of [first, first + 1, first + 2, first + 7, first + 40]) {
      assert.deepEqual(read(split(bytes, [first, Math.min(second, bytes.length)]), "--b"), expected);
    }
  }
  assert.deepEqual(read(Array.from(bytes, (octet) => Uint8Array.of(octet)), "--b"), expected);
});

Deno.test("Bytes of a long part are passed on uncopied", () => {
  const chunk = new Uint8Array(64 * 1024);
  let passed: Uint8Array | null = null;
  const reader = new MultipartReader(make, "b", { begin() {}, end() {}, data: (bytes) => passed = bytes });
  reader.write(new TextEncoder().encode("--b\r\nA: b\r\n\r\nx"));
  reader.write(chunk);
  assert.equal((passed as Uint8Array | null)?.buffer, chunk.buffer);
});

Deno.test("What stands before the first boundary and after the last belongs to no part", () => {
  const whole = "hello\r\n--b\r\nA: b\r\n\r\nbody\r\n--b--\r\n--b\r\nA: c\r\n\r\nno part\r\n--b--\r\n";
  const bytes = new TextEncoder().encode(whole);
  for (let cut = 0; cut < bytes.length; cut++) {
    assert.deepEqual(read(split(bytes, [cut]), "b"), [{ head: "A: b", body: Buffer.from("body") }]);
  }
});

Deno.test("A boundary's line may end in spaces, the last one without a line end", () => {
  for (const form of ["--b  \t\r\nA: b\r\n\r\n1\r\n--b-- ", "--b\r\nA: b\r\n\r\n1\r\n--b--"]) {
    assert.deepEqual(read([new TextEncoder().encode(form)], "b"), [{ head: "A: b", body: Buffer.from("1") }]);
  }
});

Deno.test("A part without a body may leave out the line end before the boundary", () => {
  const parts = read([new TextEncoder().encode("--b\r\nA: b\r\n\r\n--b\r\nA: c\r\n\r\n\r\n--b--")], "b");
  assert.deepEqual(parts.map(({ head, body }) => [head, body.length]), [["A: b", 0], ["A: c", 0]]);
});

Deno.test("A form without parts is one", () => {
  for (const form of ["--b--\r\n", "--b--", "\r\n\r\n--b--\r\nwhat follows\r\n--b\r\n", "--b--\r"]) {
    for (const size of [1, 3, 1000]) {
      const bytes = new TextEncoder().encode(form);
      assert.deepEqual(read(split(bytes, Array.from(bytes.keys()).filter((at) => at % size === 0)), "b"), [], form);
    }
  }
});

Deno.test("A part may have no head", () => {
  assert.deepEqual(read([new TextEncoder().encode("--b\r\n\r\nbody\r\n--b--\r\n")], "b"), [
    { head: "", body: Buffer.from("body") },
  ]);
});

/** No form, and why. */
const BROKEN: Record<string, [code: string, form: string]> = {
  "nothing": ["cut-short", ""],
  "no boundary": ["cut-short", "a=1&b=2"],
  "another boundary": ["cut-short", "--c\r\nA: b\r\n\r\n1\r\n--c--\r\n"],
  "line ends without CR": ["cut-short", "--c\nA: b\n\n1\n--b--\n"],
  "no end": ["cut-short", "--b\r\nA: b\r\n\r\n1"],
  "no end, but a boundary": ["cut-short", "--b\r\nA: b\r\n\r\n1\r\n--b\r\n"],
  "an end in the head": ["cut-short", "--b\r\nA: b\r\n"],
  "one dash at the end": ["cut-short", "--b\r\nA: b\r\n\r\n1\r\n--b-"],
  "something behind the boundary": ["bad-part", "--bx\r\nA: b\r\n\r\n1\r\n--b--\r\n"],
  "a boundary in the head": ["bad-part", "--b\r\nA: b\r\n--b\r\nA: b\r\n\r\n1\r\n--b--\r\n"],
  "two boundaries in a row": ["bad-part", "--b\r\n--b\r\nA: b\r\n\r\n1\r\n--b--\r\n"],
  "a head without end": ["part-head-too-large", `--b\r\nA: ${"x".repeat(17_000)}\r\n\r\n1\r\n--b--\r\n`],
  "only bytes before the last boundary": ["bad-part", "--c\r\nA: b\r\n\r\n1\r\n--b--\r\n"],
  "a head of many lines": ["part-head-too-large", `--b\r\n${"A: b\r\n".repeat(4_000)}\r\n1\r\n--b--\r\n`],
};

Deno.test("What is no form is refused, however it comes", () => {
  for (const [what, [code, form]] of Object.entries(BROKEN)) {
    const bytes = new TextEncoder().encode(form);
    for (const size of [1, 2, 7, 1000, Infinity]) {
      const pieces = size === Infinity
        ? [bytes]
        : Array.from({ length: Math.ceil(bytes.length / size) }, (_, nr) => bytes.slice(nr * size, (nr + 1) * size));
      assert.throws(() => read(pieces, "b"), { name: "UploadError", code }, `${what}, in pieces of ${size}`);
    }
  }
});
