// Which entry makes room for a new one.

import assert from "node:assert/strict";
import { dropOldest, setNewest } from "../../src/progress/oldest.ts";

Deno.test("The entry that was set first makes room, and an entry that is set again becomes the newest", () => {
  const map = new Map<string, number>();
  for (const [index, key] of ["a", "b", "a", "c", "d"].entries()) setNewest(map, [key, index], 3);
  assert.deepEqual([...map], [["a", 2], ["c", 3], ["d", 4]]);
});

Deno.test("dropOldest gives what it has dropped, and undefined if there is nothing", () => {
  const set = new Set(["a", "b"]);
  assert.deepEqual([dropOldest(set), dropOldest(set), dropOldest(set)], ["a", "b", undefined]);
  assert.equal(set.size, 0);
});
