// When lines reach a log, and that a client cannot forge one.

import assert from "node:assert/strict";
import { LineWriter } from "../../src/inspect/line_writer.ts";
import { showState } from "../../src/inspect/dump.ts";
import type { Clock } from "../../src/platform/ports.ts";

/** A clock whose one timer is called by hand. */
function handClock(): Clock & { ring(): void } {
  let waiting: (() => void) | null = null;
  return {
    now: () => 0,
    date: () => 0,
    soon: (call) => call(),
    afterPoll: (call) => call(),
    every: () => ({ cancel() {} }),
    after(_ms, call) {
      waiting = call;
      return { cancel: () => waiting = null };
    },
    ring: () => waiting?.(),
  };
}

Deno.test("Lines wait for each other and leave in one write", () => {
  const written: string[] = [];
  const clock = handClock();
  const writer = new LineWriter((text) => written.push(text), clock);
  writer.write("one\n");
  writer.write("two\n");
  assert.deepEqual(written, []);
  clock.ring();
  assert.deepEqual(written, ["one\ntwo\n"]);
  clock.ring();
  assert.equal(written.length, 1, "nothing waits any more");
});

Deno.test("Many lines do not wait, and a flush leaves nothing behind", () => {
  const written: string[] = [];
  const writer = new LineWriter((text) => written.push(text), handClock());
  const line = `${"x".repeat(1023)}\n`;
  for (let i = 0; i < 65; i++) writer.write(line);
  assert.equal(written.join("").length, 65 * 1024);
  writer.write(line);
  writer.flush();
  writer.flush();
  assert.equal(written.join("").length, 66 * 1024);
});

Deno.test("A dump without clients and workers still tells which program is asked", () => {
  const text = showState({
    version: "1.2.3",
    runtime: "deno 2",
    uptimeMs: 61_234,
    configuration: { port: 3000 },
    accepted: 7,
    backends: [],
    pauses: 1,
    limit: null,
    workers: [],
    connections: [],
  });
  assert.equal(
    text,
    "-- weft engine state --\nversion: 1.2.3 on deno 2\nuptime: 61.2s\nconfiguration: port=3000\naccepted: 7 connections, 1 pauses\nActive clients: 0\n",
  );
});
