// What a parsed head tells of its fields.

import assert from "node:assert/strict";
import { NO_BODY, RequestHead } from "../../src/wire/request_head.ts";

function headOf(...lines: string[]): RequestHead {
  return headWith("GET / HTTP/1.1\r\n", ...lines);
}

function headWith(line: string, ...lines: string[]): RequestHead {
  return new RequestHead({
    text: line + lines.map((one) => one + "\r\n").join("") + "\r\n",
    methodStart: 0,
    methodEnd: 3,
    targetEnd: line.length - " HTTP/1.1\r\n".length,
    fieldsAt: line.length,
    minor: 1,
    isTargetUtf8: false,
  });
}

Deno.test("A head knows its line, and decides nothing by itself", () => {
  const head = headOf();
  assert.deepEqual([head.method, head.target, head.minor, head.keepAlive], ["GET", "/", 1, true]);
  assert.equal(head.framing, NO_BODY);
});

Deno.test("A field is found whatever the case it was sent in", () => {
  const head = headOf("Host: a.example", "X-One: 1", "x-two: 2", "X-THREE: 3");
  assert.equal(head.field("host"), "a.example");
  assert.equal(head.field("x-one"), "1");
  assert.equal(head.field("x-two"), "2");
  assert.equal(head.field("x-three"), "3");
});

Deno.test("A field that was not sent is null, an empty one is empty", () => {
  const head = headOf("A:", "B: \t ");
  assert.equal(head.field("a"), "");
  assert.equal(head.field("b"), "");
  assert.equal(head.field("c"), null);
  assert.equal(headOf().field("a"), null);
});

Deno.test("Repeated lines are one value, joined in the order sent", () => {
  assert.equal(headOf("A: 1", "B: x", "a: 2", "A:", "A: 3").field("a"), "1, 2, , 3");
});

Deno.test("Cookie lines are joined with a semicolon, wherever they are asked for", () => {
  const head = headOf("Cookie: a=1", "X: y", "cookie: b=2; c=3", "COOKIE:d=4");
  assert.equal(head.field("cookie"), "a=1; b=2; c=3; d=4");
  assert.deepEqual(head.fields(), [["cookie", "a=1; b=2; c=3; d=4"], ["x", "y"]]);
});

Deno.test("Lines that repeat one length are one value, wherever they are asked for", () => {
  const head = headOf("Content-Length: 05", "X: y", "content-length: 05", "content-length:05");
  assert.equal(head.field("content-length"), "05");
  assert.deepEqual(head.fields(), [["content-length", "05"], ["x", "y"]]);
  assert.equal(headOf().field("content-length"), null);
});

Deno.test("White space around a value is no part of it, white space inside is", () => {
  const head = headOf("A: \t b  c \t", "B:d", "C: \xa0e\xa0");
  assert.equal(head.field("a"), "b  c");
  assert.equal(head.field("b"), "d");
  assert.equal(head.field("c"), "\xa0e\xa0");
});

Deno.test("A name that is the beginning or the end of another finds only itself", () => {
  const head = headOf("X-A-B: long", "A-B: end", "X-A: start");
  assert.equal(head.field("x-a"), "start");
  assert.equal(head.field("a-b"), "end");
  assert.equal(head.field("x-a-b"), "long");
  assert.equal(head.field("x"), null);
});

Deno.test("What looks like a field inside a value is not found", () => {
  const head = headOf("A: b: c", "D: a: e");
  assert.equal(head.field("b"), null);
  assert.equal(head.field("a"), "b: c");
});

Deno.test("Characters that differ from a letter in its case bit are other names", () => {
  const head = headOf("^A: caret", "~B: tilde", "`C: grave", "@: nothing");
  assert.equal(head.field("~a"), null);
  assert.equal(head.field("^a"), "caret");
  assert.equal(head.field("^b"), null);
  assert.equal(head.field("~b"), "tilde");
  assert.equal(head.field("`c"), "grave");
});

Deno.test("The request line is not a field, even if its target looks like one", () => {
  const head = headWith("GET /a:b HTTP/1.1\r\n");
  assert.equal(head.field("get /a"), null);
  assert.deepEqual(head.fields(), []);
});

Deno.test("All fields come in the order sent, names in lower case, lines not joined", () => {
  const head = headOf("Host: a.example", "A: 1", "B:", "a: \t2 ", "C: x:y");
  assert.deepEqual(head.fields(), [["host", "a.example"], ["a", "1"], ["b", ""], ["a", "2"], ["c", "x:y"]]);
});

Deno.test("A head is told from the other events of a reader by its kind", () => {
  assert.equal(headOf().kind, "head");
});
