import assert from "node:assert/strict";
import { type LiveConnection, LiveTable } from "../../src/engine/live_table.ts";

/** What the table needs of a connection, and a number. */
function connection(id: number): LiveConnection {
  return { id, previous: null, next: null } as unknown as LiveConnection;
}

function tableOf(...ids: number[]): { table: LiveTable; all: LiveConnection[] } {
  const table = new LiveTable();
  const all = ids.map(connection);
  for (const one of all) table.add(one);
  return { table, all };
}

Deno.test("LiveTable lists its connections, the oldest first, whichever are deleted", () => {
  // Every order in which four connections can end, and one that comes after the second of them.
  for (const order of permutations([0, 1, 2, 3])) {
    const { table, all } = tableOf(1, 2, 3, 4);
    const left = [1, 2, 3, 4];
    for (const [nr, index] of order.entries()) {
      table.delete(all[index]!);
      left.splice(left.indexOf(index + 1), 1);
      if (nr === 1) {
        table.add(connection(5));
        left.push(5);
      }
      assert.deepEqual([...table].map(({ id }) => id), left, `order ${order}`);
      assert.equal(table.size, left.length);
    }
  }
});

Deno.test("LiveTable can be looked over while connections are deleted", () => {
  const { table } = tableOf(1, 2, 3);
  const seen = [];
  for (const one of table) {
    table.delete(one);
    seen.push(one.id);
  }
  assert.deepEqual(seen, [1, 2, 3]);
  assert.equal(table.size, 0);
});

Deno.test("A connection deleted from LiveTable does not hold the connections that came after it", () => {
  const { table, all: [first, second, third] } = tableOf(1, 2, 3);
  table.delete(second!);
  table.delete(first!);
  table.add(connection(4));
  assert.deepEqual([first!.next, first!.previous, second!.next, second!.previous], [null, null, null, null]);
  assert.equal(third!.previous, null);
});

function permutations(of: number[]): number[][] {
  if (of.length === 0) return [[]];
  return of.flatMap((first) => permutations(of.filter((other) => other !== first)).map((rest) => [first, ...rest]));
}
