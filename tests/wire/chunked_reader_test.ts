// How a chunked body is taken out of an inbox, and what it may have at most.

import assert from "node:assert/strict";
import { ChunkedReader, MAX_EXTENSION_BYTES } from "../../src/wire/chunked_reader.ts";
import { Inbox } from "../../src/wire/inbox.ts";
import { byteByByte, decodeLatin1, latin1, refusal } from "../helpers/wire.ts";

interface Taken {
  /** Each answer of the reader: text for data. */
  answers: (string | null)[];
  /** What was not taken. */
  rest: string;
}

/** Reads until the body is done or the pieces are used up. */
function take(pieces: string[], maxTrailerBytes = 1000): Taken {
  const inbox = new Inbox();
  const reader = new ChunkedReader(maxTrailerBytes);
  const answers: (string | null)[] = [];
  for (const piece of pieces) {
    inbox.put(latin1(piece));
    for (;;) {
      const found = reader.read(inbox);
      answers.push(found instanceof Uint8Array ? decodeLatin1(found) : found);
      if (found === null || found === "done") break;
    }
  }
  return { answers, rest: decodeLatin1(inbox.bytes, inbox.at, inbox.end) };
}

Deno.test("Each chunk that is there is one piece, without its framing", () => {
  assert.deepEqual(take(["3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"]), { answers: ["abc", "de", "done"], rest: "" });
});

Deno.test("Data is given as it comes, not before its chunk is whole", () => {
  assert.deepEqual(take(["5\r\nab", "c", "de\r\n0\r\n", "\r\n"]).answers, ["ab", null, "c", null, "de", null, "done"]);
});

Deno.test("A body that comes byte by byte gives its data byte by byte", () => {
  const body = byteByByte(latin1("3\r\nabc\r\n0\r\nA: b\r\n\r\n")).map((bytes) => decodeLatin1(bytes));
  const { answers } = take(body);
  assert.deepEqual(answers.filter((answer) => answer !== null), ["a", "b", "c", "done"]);
});

Deno.test("What follows the body is left in the inbox", () => {
  assert.equal(take(["0\r\n\r\nGET / HTTP/1.1\r\n"]).rest, "GET / HTTP/1.1\r\n");
  assert.equal(take(["0\r\nA: b\r\n\r\n\r\n"]).rest, "\r\n");
});

Deno.test("A body that is done stays done", () => {
  const inbox = new Inbox();
  inbox.put(latin1("0\r\n\r\n5\r\nhello\r\n"));
  const reader = new ChunkedReader(1000);
  for (let i = 0; i < 3; i++) assert.equal(reader.read(inbox), "done");
  assert.equal(inbox.size, 10);
});

Deno.test("An empty inbox gives nothing and breaks nothing", () => {
  assert.deepEqual(take(["", "1", "", "\r\n", "", "a", "", "\r\n0\r\n", "", "\r\n"]).answers.filter(Boolean), [
    "a",
    "done",
  ]);
});

Deno.test("Data stands in the inbox's buffer and is not copied", () => {
  const inbox = new Inbox();
  inbox.put(latin1("3\r\nabc\r\n"));
  const found = new ChunkedReader(1000).read(inbox);
  assert.ok(found instanceof Uint8Array);
  assert.equal(found.buffer, inbox.bytes.buffer);
  assert.equal(found.byteOffset, 3);
});

Deno.test("A size may have twelve digits, leading zeros not counted, and the thirteenth is too large", () => {
  assert.deepEqual(take(["000000000002\r\nok\r\n0\r\n\r\n"]).answers, ["ok", "done"]);
  assert.deepEqual(take(["ffffffffffff\r\nab"]).answers, ["ab", null]);
  assert.deepEqual(take(["0000ffffffffffff\r\nab"]).answers, ["ab", null]);
  assert.equal(refusal(() => take(["fffffffffffff"])), "413 body-too-large");
  assert.equal(refusal(() => take(["00001000000000000"])), "413 body-too-large");
});

Deno.test("A size may have 256 leading zeros, and not one more", () => {
  assert.deepEqual(take([`${"0".repeat(256)}2\r\nok\r\n${"0".repeat(256)}\r\n\r\n`]).answers, ["ok", "done"]);
  assert.equal(refusal(() => take(["0".repeat(257)])), "400 bad-chunk");
  assert.equal(refusal(() => take([..."0".repeat(257)])), "400 bad-chunk");
});

Deno.test("The digits of one chunk do not count to the next", () => {
  const chunk = "000000000001\r\nx\r\n";
  assert.deepEqual(take([chunk.repeat(300) + "000000000000\r\n\r\n"]).answers, [...Array(300).fill("x"), "done"]);
});

Deno.test("Extensions may have 4 KiB in all of a body, and not one byte more", () => {
  const name = "n".repeat(MAX_EXTENSION_BYTES / 2 - 1);
  const fits = `1;${name}\r\nx\r\n1;${name}\r\ny\r\n0`;
  assert.deepEqual(take([fits + "\r\n\r\n"]).answers, ["x", "y", "done"]);
  assert.equal(refusal(() => take([fits + ";n\r\n\r\n"])), "400 bad-chunk");
  assert.equal(refusal(() => take([`1;${name};${name}n`])), "400 bad-chunk");
  assert.equal(refusal(() => take([`1;a="${"\\q".repeat(MAX_EXTENSION_BYTES)}`])), "400 bad-chunk");
});

Deno.test("Both characters of an escape count", () => {
  const escapes = (count: number) => `1;a="${"\\q".repeat(count)}"\r\nx\r\n0\r\n\r\n`;
  assert.deepEqual(take([escapes(MAX_EXTENSION_BYTES / 2 - 3)]).answers, ["x", "done"]);
  assert.equal(refusal(() => take([escapes(MAX_EXTENSION_BYTES / 2 - 2)])), "400 bad-chunk");
});

Deno.test("Trailers have the limit that was given", () => {
  assert.deepEqual(take(["0\r\nA: b\r\n\r\n"], 8).answers, ["done"]);
  assert.equal(refusal(() => take(["0\r\nA: b\r\n\r\n"], 7)), "431 head-too-large");
  assert.equal(refusal(() => take(["0\r\nA: ", "b".repeat(100)], 50)), "431 head-too-large");
});

Deno.test("Each octet outside the grammar is refused at once", () => {
  for (const start of ["", "5", "5;", "5;a", "5;a=", "5;a=b", '5;a="b"', "5\r", "1\r\nx", "1\r\nx\r"]) {
    for (const octet of [0x00, 0x20, 0x0b, 0x28, 0x7f, 0x80]) {
      const bytes = start + String.fromCharCode(octet);
      assert.equal(refusal(() => take([bytes])), "400 bad-chunk", JSON.stringify(bytes));
    }
  }
});

Deno.test("A quoted value may have what quoted-string has, and no other octet (RFC 9110, section 5.6.4)", () => {
  for (let octet = 0; octet < 256; octet++) {
    if (octet === 0x22 || octet === 0x5c) continue;
    const letter = String.fromCharCode(octet);
    const isText = octet === 0x09 || (octet >= 0x20 && octet !== 0x7f);
    const expected = isText ? "accepted" : "400 bad-chunk";
    assert.equal(refusal(() => take([`1;a="${letter}"\r\nx\r\n0\r\n\r\n`])), expected, `quoted ${octet}`);
    assert.equal(refusal(() => take([`1;a="\\${letter}"\r\nx\r\n0\r\n\r\n`])), expected, `escaped ${octet}`);
  }
});
