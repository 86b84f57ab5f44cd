// Bodies share the turns of the event loop.

import assert from "node:assert/strict";
import { ReadBudget } from "../../src/connection/read_budget.ts";
import { itemAt } from "../helpers/items.ts";

Deno.test("A turn lets its share of bytes pass, and the rest waits for the next turn together", async () => {
  const calls: (() => void)[] = [];
  const budget = new ReadBudget((call) => calls.push(call));
  for (let i = 0; i < 8; i++) assert.equal(budget.take(64 * 1024), null);
  const first = budget.take(64 * 1024);
  const second = budget.take(64 * 1024);
  assert.notEqual(first, null);
  assert.equal(first, second);
  assert.equal(calls.length, 1, "one call for all that wait");
  itemAt(calls, 0)();
  await first;
  assert.equal(budget.take(64 * 1024), null);
});
