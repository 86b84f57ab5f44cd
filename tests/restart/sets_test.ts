// Sets without the methods that Node 20 lacks.

import assert from "node:assert/strict";
import { difference, isSubset } from "../../src/restart/sets.ts";

const some = new Set([1, 2, 3]);

Deno.test("The difference of two sets is what only the first has", () => {
  assert.deepEqual([...difference(some, new Set([2, 4]))], [1, 3]);
  assert.deepEqual([...difference(new Set([2, 4]), some)], [4]);
});

Deno.test("A set is a subset if all of it is in the other one", () => {
  assert.ok(isSubset(new Set([1, 3]), some));
  assert.ok(isSubset(new Set(), some));
  assert.ok(!isSubset(new Set([1, 4]), some));
});
