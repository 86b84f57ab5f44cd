// Knows: that bodies share the turns of the event loop.

import assert from "node:assert/strict";
import { Turnstile } from "../../src/connection/turnstile.ts";

Deno.test("A turn lets its share of bytes pass, and the rest waits for the next turn together", async () => {
  const calls: (() => void)[] = [];
  const turnstile = new Turnstile((call) => calls.push(call));
  for (let i = 0; i < 8; i++) assert.equal(turnstile.pass(64 * 1024), null);
  const first = turnstile.pass(64 * 1024);
  const second = turnstile.pass(64 * 1024);
  assert.notEqual(first, null);
  assert.equal(first, second);
  assert.equal(calls.length, 1, "one call for all that wait");
  calls[0]();
  await first;
  assert.equal(turnstile.pass(64 * 1024), null);
});
