// A Response that is made of an answer in the terms of the wire: sent as it is, and a real one for a handler that looks.

import assert from "node:assert/strict";
import { AnswerResponse } from "../../src/message/answer_response.ts";
import { readAnswer } from "../../src/message/read_answer.ts";
import type { Answer, AnswerSource } from "../../src/wire/answer.ts";
import { serving } from "../helpers/serving.ts";

const encoder = new TextEncoder();

function answer(parts: Partial<Answer> = {}): Answer {
  return {
    status: 200,
    reason: "",
    fields: [["X-B", "1"], ["X-A", "2"], ["X-B", "3"]],
    body: null,
    block: null,
    ...parts,
  };
}

function responseOf(parts: Partial<Answer> = {}): Response {
  return new AnswerResponse(answer(parts)) as unknown as Response;
}

/** Gives pieces that stand in one buffer, as a reader of a socket does. */
function source(...pieces: string[]): AnswerSource & { cancelled: unknown[] } {
  const buffer = new Uint8Array(16);
  return {
    cancelled: [],
    read() {
      const piece = pieces.shift();
      if (piece === undefined) return Promise.resolve({ done: true, value: undefined });
      const { written } = encoder.encodeInto(piece, buffer.fill(0));
      return Promise.resolve({ done: false, value: buffer.subarray(0, written) });
    },
    cancel(reason) {
      this.cancelled.push(reason);
      return Promise.resolve();
    },
  };
}

Deno.test("An answer that nothing has looked at is sent with its fields as they are", async () => {
  await using server = serving(() => responseOf({ reason: "Fine", body: "hello" }));
  using client = await server.connect();
  await client.ask("GET", "/");
  await client.until("hello");
  assert.match(
    client.text,
    /^HTTP\/1\.1 200 Fine\r\nX-B: 1\r\nX-A: 2\r\nX-B: 3\r\ndate: .*\r\ncontent-length: 5\r\n\r\nhello$/,
  );
});

Deno.test("Its status can be asked for without making a Response", () => {
  const response = responseOf({ status: 404 });
  assert.deepEqual([response.status, response.ok, response instanceof Response], [404, false, true]);
  assert.equal(readAnswer(response).fields.length, 3);
});

Deno.test("A handler can change its headers like those of any Response", async () => {
  await using server = serving(() => {
    const response = responseOf({ body: "hello" });
    response.headers.set("x-a", "changed");
    return response;
  });
  const response = await fetch(server.url);
  assert.deepEqual([response.headers.get("x-a"), response.headers.get("x-b"), await response.text()], [
    "changed",
    "1, 3",
    "hello",
  ]);
});

Deno.test("A source is sent piece by piece, in chunks", async () => {
  await using server = serving(() => responseOf({ body: source("one", "", "two") }));
  using client = await server.connect();
  const response = await client.get("/");
  assert.match(client.text, /transfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
  assert.equal(response.status, 200);
});

Deno.test("A source that is read as a stream keeps its pieces", async () => {
  assert.equal(await responseOf({ body: source("one", "two", "three") }).text(), "onetwothree");
  const cancelled = source("one");
  await responseOf({ body: cancelled }).body!.cancel("enough");
  assert.deepEqual(cancelled.cancelled, ["enough"]);
});

Deno.test("A source that is not sent is cancelled", async () => {
  const body = source("one");
  await using server = serving(() => responseOf({ body }));
  using client = await server.connect();
  await client.ask("HEAD", "/");
  await client.responses(1);
  assert.deepEqual(body.cancelled, [undefined]);
  const none = source("one");
  assert.equal(responseOf({ status: 204, body: none }).body, null);
  assert.deepEqual(none.cancelled, [undefined]);
});
