// What an inbox promises of the bytes in it and of those it gave away.

import assert from "node:assert/strict";
import { Inbox, SMALL_BUFFER_BYTES } from "../../src/wire/inbox.ts";
import { decodeLatin1, latin1 } from "../helpers/wire.ts";

function waiting(inbox: Inbox): string {
  return decodeLatin1(inbox.bytes, inbox.at, inbox.end);
}

/** Takes bytes as a reader does: what comes back stands in the inbox's buffer. */
function take(inbox: Inbox, count: number): Uint8Array {
  inbox.at += count;
  return inbox.bytes.subarray(inbox.at - count, inbox.at);
}

function write(room: Uint8Array, text: string): number {
  room.set(latin1(text));
  return text.length;
}

Deno.test("An inbox is empty at first and has no buffer", () => {
  const inbox = new Inbox();
  assert.equal(inbox.size, 0);
  assert.equal(inbox.bytes.length, 0);
  assert.equal(inbox.ended, false);
});

Deno.test("What is put waits in the order it came", () => {
  const inbox = new Inbox();
  inbox.put(latin1("abc"));
  inbox.put(latin1(""));
  inbox.put(latin1("def"));
  assert.equal(waiting(inbox), "abcdef");
  assert.equal(inbox.size, 6);
});

Deno.test("What is put is copied", () => {
  const inbox = new Inbox();
  const bytes = latin1("abc");
  inbox.put(bytes);
  bytes.fill(0);
  assert.equal(waiting(inbox), "abc");
});

Deno.test("An array that is adopted becomes the buffer, or is copied if bytes wait", () => {
  const inbox = new Inbox();
  const bytes = latin1("abc");
  inbox.adopt(bytes);
  assert.equal(inbox.bytes, bytes);
  assert.equal(waiting(inbox), "abc");
  take(inbox, 1);
  const more = latin1("def");
  inbox.adopt(more);
  more.fill(0);
  assert.equal(waiting(inbox), "bcdef");
});

Deno.test("An array that was adopted does not stay the buffer of an idle connection", () => {
  const inbox = new Inbox();
  inbox.adopt(latin1("abc"));
  take(inbox, 3);
  inbox.rest();
  assert.equal(inbox.room(1).length, SMALL_BUFFER_BYTES);
});

Deno.test("Room has at least what was asked for, and what is written there waits once it is filled", () => {
  for (const least of [1, SMALL_BUFFER_BYTES, SMALL_BUFFER_BYTES + 1, 100_000]) {
    const inbox = new Inbox();
    inbox.put(latin1("ab"));
    const room = inbox.room(least);
    assert.ok(room.length >= least);
    const count = write(room, "c");
    assert.equal(waiting(inbox), "ab");
    inbox.filled(count);
    assert.equal(waiting(inbox), "abc");
  }
});

Deno.test("A room that stays empty changes nothing", () => {
  const inbox = new Inbox();
  inbox.put(latin1("ab"));
  inbox.room(10);
  inbox.filled(0);
  assert.equal(waiting(inbox), "ab");
});

Deno.test("Bytes that wait stay in one piece while the buffer grows", () => {
  const inbox = new Inbox();
  let all = "";
  for (let i = 0; i < 50; i++) {
    const piece = String.fromCharCode(65 + i % 26).repeat(i * 40);
    inbox.put(latin1(piece));
    all += piece;
    take(inbox, 7 * Math.min(i, 3));
    all = all.slice(7 * Math.min(i, 3));
    assert.equal(waiting(inbox), all);
  }
});

Deno.test("A buffer that grows byte by byte is not copied for each byte", () => {
  const inbox = new Inbox();
  const buffers = new Set<Uint8Array>();
  for (let i = 0; i < 64 * 1024; i++) {
    inbox.put(Uint8Array.of(i));
    buffers.add(inbox.bytes);
  }
  assert.ok(buffers.size < 10, `${buffers.size} buffers`);
});

Deno.test("A buffer from which all was taken is used again", () => {
  const inbox = new Inbox();
  inbox.put(latin1("abc"));
  const { bytes } = inbox;
  take(inbox, 3);
  inbox.put(latin1("def"));
  assert.equal(inbox.bytes, bytes);
  assert.equal(inbox.at, 0);
  assert.equal(waiting(inbox), "def");
});

Deno.test("Bytes that were taken are not written over while they are held", () => {
  const inbox = new Inbox();
  inbox.put(latin1("body"));
  const body = take(inbox, 4);
  inbox.hold();
  inbox.put(latin1("next"));
  assert.equal(decodeLatin1(body), "body");
  assert.equal(waiting(inbox), "next");
  inbox.put(new Uint8Array(3 * SMALL_BUFFER_BYTES));
  assert.equal(decodeLatin1(body), "body");
});

Deno.test("Bytes that were taken are not written over while others wait after them", () => {
  const inbox = new Inbox();
  inbox.put(latin1("bodynext"));
  const body = take(inbox, 4);
  inbox.put(latin1("more"));
  inbox.put(new Uint8Array(3 * SMALL_BUFFER_BYTES));
  assert.equal(decodeLatin1(body), "body");
});

Deno.test("A hold ends with rest", () => {
  const inbox = new Inbox();
  inbox.put(latin1("body"));
  take(inbox, 4);
  inbox.hold();
  inbox.rest();
  inbox.put(latin1("next"));
  assert.equal(inbox.at, 0);
  assert.equal(waiting(inbox), "next");
});

Deno.test("A hold that ended while bytes waited is no hold of those", () => {
  const inbox = new Inbox();
  inbox.put(latin1("body"));
  take(inbox, 4);
  inbox.hold();
  inbox.put(latin1("next"));
  inbox.rest();
  assert.equal(decodeLatin1(take(inbox, 4)), "next");
  inbox.put(latin1("more"));
  assert.equal(inbox.at, 0);
  assert.equal(waiting(inbox), "more");
});

Deno.test("A buffer that was lent is never seen again", () => {
  const inbox = new Inbox();
  inbox.put(latin1("body"));
  const body = take(inbox, 4);
  inbox.lend();
  assert.equal(inbox.size, 0);
  inbox.put(latin1("next"));
  assert.notEqual(inbox.bytes.buffer, body.buffer);
  assert.equal(decodeLatin1(body), "body");
  assert.equal(waiting(inbox), "next");
});

Deno.test("Rest lets a large buffer go and keeps a small one", () => {
  const small = new Inbox();
  small.put(latin1("abc"));
  take(small, 3);
  const { bytes } = small;
  small.rest();
  assert.equal(small.bytes, bytes);

  const large = new Inbox();
  large.put(new Uint8Array(SMALL_BUFFER_BYTES + 1));
  take(large, SMALL_BUFFER_BYTES + 1);
  large.rest();
  assert.equal(large.bytes.length, 0);
  large.put(latin1("abc"));
  assert.equal(waiting(large), "abc");
});

Deno.test("Rest keeps what waits", () => {
  const inbox = new Inbox();
  inbox.put(new Uint8Array(SMALL_BUFFER_BYTES * 2));
  inbox.put(latin1("next"));
  take(inbox, SMALL_BUFFER_BYTES * 2);
  inbox.rest();
  assert.equal(waiting(inbox), "next");
});

Deno.test("A room that was promised does not move when the inbox rests", () => {
  const inbox = new Inbox();
  inbox.put(latin1("body"));
  take(inbox, 4);
  inbox.hold();
  const room = inbox.room(SMALL_BUFFER_BYTES * 2);
  inbox.rest();
  inbox.filled(write(room, "next"));
  assert.equal(waiting(inbox), "next");
});

Deno.test("A room that was promised does not move when bytes are taken meanwhile", () => {
  const inbox = new Inbox();
  inbox.put(latin1("body"));
  const room = inbox.room(10);
  const body = take(inbox, 4);
  inbox.rest();
  inbox.filled(write(room, "next"));
  assert.equal(decodeLatin1(body), "body");
  assert.equal(waiting(inbox), "next");
});

Deno.test("A large room that was promised on an empty inbox is kept through rest", () => {
  const inbox = new Inbox();
  const room = inbox.room(SMALL_BUFFER_BYTES * 4);
  inbox.rest();
  inbox.filled(write(room, "late"));
  assert.equal(waiting(inbox), "late");
});
