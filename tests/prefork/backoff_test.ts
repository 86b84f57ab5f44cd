// How long a place waits whose workers keep dying young.

import assert from "node:assert/strict";
import { Backoff } from "../../src/prefork/backoff.ts";

Deno.test("A place is filled again at once, then after 0.1 s doubling to 5 s", () => {
  const backoff = new Backoff(() => 0.5);
  const delays = Array.from({ length: 10 }, () => {
    backoff.died(1, true);
    return Math.round(backoff.delayOf(1));
  });
  assert.deepEqual(delays, [0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
});

Deno.test("Waits are spread by a fifth, lest all workers come back at one moment", () => {
  let chance = 0;
  const backoff = new Backoff(() => chance);
  for (let i = 0; i < 3; i++) backoff.died(1, true);
  assert.equal(backoff.delayOf(1), 160);
  chance = 0.999999;
  assert.equal(Math.round(backoff.delayOf(1)), 240);
});

Deno.test("A worker that has lived before it died is replaced at once, and what was before is forgotten", () => {
  const backoff = new Backoff(() => 0.5);
  for (let i = 0; i < 5; i++) backoff.died(1, true);
  backoff.died(1, false);
  assert.equal(backoff.delayOf(1), 0);
  backoff.died(1, true);
  assert.equal(backoff.delayOf(1), 100);
});

Deno.test("Places wait each for itself, and a new generation owes nothing", () => {
  const backoff = new Backoff(() => 0.5);
  for (let i = 0; i < 5; i++) backoff.died(1, true);
  assert.equal(backoff.delayOf(2), 0);
  backoff.forget();
  assert.equal(backoff.delayOf(1), 0);
});
