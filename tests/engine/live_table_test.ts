import assert from "node:assert/strict";
import type { Connection } from "../../src/connection/connection.ts";
import { LiveTable } from "../../src/engine/live_table.ts";

function connection(id: number): Connection {
  return { id } as unknown as Connection;
}

function idsIn(table: LiveTable): number[] {
  return [...table.connections()].map(({ id }) => id);
}

Deno.test("LiveTable lists its connections, the oldest first, whichever are deleted", () => {
  // Every order in which four connections can end, and one that comes after the second of them.
  for (const order of permutations([0, 1, 2, 3])) {
    const table = new LiveTable();
    const entries = [1, 2, 3, 4].map((id) => table.add(connection(id), id));
    const left = [1, 2, 3, 4];
    for (const [nr, index] of order.entries()) {
      table.delete(entries[index]!);
      left.splice(left.indexOf(index + 1), 1);
      if (nr === 1) {
        table.add(connection(5), 5);
        left.push(5);
      }
      assert.deepEqual(idsIn(table), left, `order ${order}`);
      assert.equal(table.size, left.length);
    }
  }
});

Deno.test("LiveTable can be looked over while connections are deleted", () => {
  const table = new LiveTable();
  const entries = [1, 2, 3].map((id) => table.add(connection(id), id));
  const seen = [];
  for (const [{ id }, { openedAt }] of table) {
    assert.equal(openedAt, id);
    table.delete(entries[id - 1]!);
    seen.push(id);
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(table.size, 0);
});

Deno.test("A deleted entry of LiveTable does not hold the connections that came after it", () => {
  const table = new LiveTable();
  const [first, second, third] = [1, 2, 3].map((id) => table.add(connection(id), id));
  table.delete(second!);
  table.delete(first!);
  table.add(connection(4), 4);
  assert.deepEqual([first!.next, first!.previous, second!.next, second!.previous], [null, null, null, null]);
  assert.equal(third!.previous, null);
});

function permutations(of: number[]): number[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first) => permutations(of.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}
