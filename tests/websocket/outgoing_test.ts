// How messages are put together into writes.

import assert from "node:assert/strict";
import { Outgoing } from "../../src/websocket/outgoing.ts";
import { WriteTurns } from "../../src/websocket/write_turns.ts";
import { readFrames } from "../helpers/web_sockets.ts";

/** What a socket sends, and the texts of each write. */
function fixture(): { outgoing: Outgoing; writes: string[][] } {
  const writes: string[][] = [];
  const sink = {
    write(bytes: Uint8Array) {
      writes.push(readFrames(bytes).map(({ payload }) => new TextDecoder().decode(payload)));
      return Promise.resolve(bytes.length);
    },
  };
  const told = { emptied() {}, failed: assert.fail };
  return { outgoing: new Outgoing(sink, { told, turns: new WriteTurns(() => {}) }), writes };
}

Deno.test("What an application sends for the messages of one read goes out in one write, if it is the same text too", async () => {
  for (const texts of [["a", "b", "c"], ["a", "a", "a", "a"], ["x", "", "x", "x"]]) {
    const { outgoing, writes } = fixture();
    outgoing.cork();
    texts.forEach((text) => outgoing.putText(text));
    outgoing.uncork();
    await outgoing.until(0);
    assert.deepEqual(writes, [texts]);
  }
});

Deno.test("A long text that is sent again is not copied, and keeps its place", async () => {
  const long = "y".repeat(5_000);
  const { outgoing, writes } = fixture();
  outgoing.cork();
  for (const text of ["a", long, long, "b"]) outgoing.putText(text);
  outgoing.uncork();
  await outgoing.until(0);
  assert.deepEqual(writes.flat(), ["a", long, long, "b"]);
});
