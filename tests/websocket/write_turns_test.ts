// Writes of many sockets in one turn of the event loop.

import assert from "node:assert/strict";
import { WriteTurns } from "../../src/websocket/write_turns.ts";

/** Turns that end when `endTurn` is called, and writers that note their number when they begin. */
function fixture() {
  const calls: (() => void)[] = [];
  const turns = new WriteTurns((call) => calls.push(call));
  const begun: number[] = [];
  const write = (nr: number) => {
    const writer = { goOn: () => void (turns.begin(writer) && begun.push(nr)) };
    writer.goOn();
  };
  const endTurn = () => calls.splice(0).forEach((call) => call());
  return { turns, begun, write, endTurn, calls };
}

Deno.test("Writes beyond those of one turn wait for the next ones, in order", () => {
  const { begun, write, endTurn, calls } = fixture();
  const all = Array.from({ length: 250 }, (_, nr) => nr);
  all.forEach(write);
  const perTurn = begun.length;
  assert.ok(perTurn > 0 && perTurn < 128, "less than tokio gives a task");
  for (let turns = 1; turns * perTurn < all.length; turns++) {
    assert.equal(calls.length, 1, "one turn is asked for");
    endTurn();
    assert.deepEqual(begun, all.slice(0, (turns + 1) * perTurn));
  }
  assert.equal(calls.length, 0);
});

Deno.test("A socket that waits again takes its place behind the others", () => {
  const { begun, write, endTurn } = fixture();
  for (let nr = 0; nr < 200; nr++) write(nr);
  write(0);
  while (begun.length < 201) endTurn();
  assert.equal(begun.at(-1), 0);
});

Deno.test("Sockets that answer each read once never wait", () => {
  const { turns, begun, write, calls } = fixture();
  for (let nr = 0; nr < 1_000; nr++) {
    turns.haveRead();
    write(nr);
  }
  assert.equal(begun.length, 1_000);
  assert.equal(calls.length, 0);
});
