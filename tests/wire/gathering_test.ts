// Pieces come out in order, whole and in writes that are worth it.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "npm:fast-check@^4";
import { BLOCK_BYTES, Gathering } from "../../src/wire/gathering.ts";

function gather(pieces: readonly Uint8Array[]): Uint8Array[] {
  const gathering = new Gathering();
  const writes: Uint8Array[] = [];
  for (const piece of pieces) {
    for (const bytes of gathering.put(piece)) writes.push(bytes.slice());
  }
  const last = gathering.end();
  if (last !== null) writes.push(last.slice());
  assert.equal(gathering.end(), null);
  return writes;
}

Deno.test("Gathering gives back every byte in order, and only the last write is short", () => {
  const length = fc.oneof(fc.nat(100), fc.nat(2 * BLOCK_BYTES), fc.constantFrom(BLOCK_BYTES - 1, BLOCK_BYTES));
  fc.assert(
    fc.property(fc.array(length, { maxLength: 12 }), (lengths) => {
      const pieces = lengths.map((length, nr) => new Uint8Array(length).fill(nr + 1));
      const writes = gather(pieces);
      assert.ok(Buffer.concat(writes).equals(Buffer.concat(pieces)));
      assert.ok(writes.slice(0, -1).every((bytes) => bytes.length >= BLOCK_BYTES));
    }),
    { numRuns: 60 },
  );
});

Deno.test("Gathering does not copy a long piece", () => {
  const piece = new Uint8Array(BLOCK_BYTES);
  assert.deepEqual([...new Gathering().put(piece)].map((bytes) => bytes === piece), [true]);
});
