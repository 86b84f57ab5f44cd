// A head in a block is to the byte the head that is written line by line.

import assert from "node:assert/strict";
import { type Answer, writeHead } from "../../src/wire/answer.ts";
import { HeadBlock } from "../../src/wire/head_block.ts";
import { decodeLatin1 } from "../helpers/wire.ts";

const THEN = "Sun, 06 Nov 1994 08:49:37 GMT";

function assertSame(block: HeadBlock, date: string, length: number): void {
  const { status, fields } = block;
  const answer: Answer = { status, reason: "", fields, body: null, block };
  const head = writeHead(answer, { framing: { kind: "length", length }, minor: 1, keepAlive: true, date });
  assert.equal(`${decodeLatin1(block.upToLength(date))}${length}\r\n\r\n`, head);
}

Deno.test("A block and its length are the head that would be written", () => {
  const type = (value: string): [string, string][] => [["content-type", value]];
  assertSame(new HeadBlock(200, []), THEN, 0);
  assertSame(new HeadBlock(404, type("text/plain;charset=UTF-8")), THEN, 12345);
  assertSame(new HeadBlock(200, [["date", "then"], ["x", ""]]), THEN, 5);
});

Deno.test("A field that contains the name of the length does not end the block", () => {
  assertSame(new HeadBlock(200, [["content-type", 'text/x; a="content-length: "; b=c']]), THEN, 2);
  assertSame(new HeadBlock(200, [["x-content-length", "7"]]), THEN, 2);
});

Deno.test("A character past ASCII is one byte", () => {
  assertSame(new HeadBlock(200, [["content-type", "text/x; a=\x80\xe9\xff"]]), THEN, 2);
});

Deno.test("A block follows the date", () => {
  const block = new HeadBlock(200, []);
  for (const date of [THEN, "later", "later", "much later"]) assertSame(block, date, 2);
});

Deno.test("A field that cannot be sent is an error, each time", () => {
  const block = new HeadBlock(200, [["content-type", "a\r\nb: c"]]);
  for (let i = 0; i < 2; i++) assert.throws(() => block.upToLength(THEN), TypeError);
});
