// Heads that are sent again are remembered, and never mistaken for each other.

import assert from "node:assert/strict";
import { blockOfRepeated } from "../../src/message/repeated_blocks.ts";
import { readAnswer } from "../../src/message/read_answer.ts";
import { denoTest } from "../helpers/deno_test.ts";

type Fields = [string, string][];

Deno.test("The second answer in a row with the same head gets a block, with fields of its own", () => {
  const fields: Fields = [["x-a", "1"], ["x-b", "2"]];
  assert.equal(blockOfRepeated(200, fields), null);
  const block = blockOfRepeated(200, structuredClone(fields))!;
  assert.deepEqual(block.fields, fields);
  assert.equal(blockOfRepeated(200, structuredClone(fields)), block);
  fields[0]![1] = "9";
  assert.deepEqual(block.fields, [["x-a", "1"], ["x-b", "2"]]);
});

Deno.test("Another status, name, value, order or number of fields is another head", () => {
  const fields: Fields = [["x-c", "1"], ["x-d", "2"]];
  for (let i = 0; i < 3; i++) blockOfRepeated(200, structuredClone(fields));
  // Each of these falls into the place of the head above, or of another one.
  const others: [number, Fields][] = [
    [201, fields],
    [216, fields],
    [200, [["x-c", "1"], ["x-d", "3"]]],
    [200, [["x-c", "1"], ["x-e", "2"]]],
    [200, [["X-c", "1"], ["x-d", "2"]]],
    [200, [["x-d", "2"], ["x-c", "1"]]],
    [200, [["x-c", "12"]]],
    [200, [["x-c", "1"], ["x-d", "2"], ["x-f", ""]]],
  ];
  for (const [status, other] of others) {
    for (let i = 0; i < 3; i++) {
      const block = blockOfRepeated(status, structuredClone(other));
      assert.equal(block === null, i === 0);
      if (block !== null) assert.deepEqual([block.status, block.fields], [status, other]);
    }
  }
  assert.equal(blockOfRepeated(200, [["x-c", "1"], ["x-d", "2"], ["x-f", ""], ["x-g", ""]]), null);
});

Deno.test("Fields that are changed after they were sent do not match what was sent", () => {
  const first: Fields = [["x-h", "1"]];
  blockOfRepeated(200, first);
  first[0]![1] = "2";
  const block = blockOfRepeated(200, [["x-h", "1"]]);
  assert.equal(block, null);
});

Deno.test("A field that the connection looks at leaves an answer without a block", () => {
  for (const name of ["Connection", "content-length", "Date", "keep-alive", "Transfer-Encoding", "upgrade"]) {
    for (let i = 0; i < 3; i++) assert.equal(blockOfRepeated(200, [["x-i", "1"], [name, "7"]]), null);
  }
});

// What Node keeps inside of a Response is not looked at.
denoTest("A text with fields has a block, a stream and another reason phrase have none", () => {
  const headers = { "x-j": "1", "x-k": "2" };
  const blocksOf = (make: () => Response) => [1, 2, 3].map(() => readAnswer(make()).block != null);
  assert.deepEqual(blocksOf(() => new Response("x", { status: 404, headers })), [false, true, true]);
  assert.deepEqual(blocksOf(() => new Response("x", { statusText: "Fine", headers })), [false, false, false]);
  assert.deepEqual(blocksOf(() => new Response(null, { status: 204, headers })), [false, false, false]);
  assert.deepEqual(blocksOf(() => new Response(new ReadableStream(), { headers })), [false, false, false]);
});
