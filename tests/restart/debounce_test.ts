// When a burst of file events is over.

import assert from "node:assert/strict";
import { Debounce } from "../../src/restart/debounce.ts";
import type { Seen } from "../../src/restart/scope.ts";

const NOTHING: Seen = { files: [], isAll: false, isMoved: false };

function saw(...files: string[]): Seen {
  return { ...NOTHING, files };
}

Deno.test("Debounce rests until something that counts is seen", () => {
  const debounce = new Debounce(200);
  assert.deepEqual(debounce.decide(0), { do: "rest" });
  debounce.note(NOTHING, 0);
  assert.deepEqual(debounce.decide(500), { do: "rest" });
});

Deno.test("File events less than the delay apart are one burst, and a file that was seen twice is compared once", () => {
  const debounce = new Debounce(200);
  debounce.note(saw("/a.ts"), 0);
  assert.deepEqual(debounce.decide(0), { do: "wait", ms: 200 });
  debounce.note(saw("/a.ts", "/b.ts"), 150);
  assert.deepEqual(debounce.decide(200), { do: "wait", ms: 150 });
  assert.deepEqual(debounce.decide(350), { do: "compare", files: ["/a.ts", "/b.ts"] });
  assert.deepEqual(debounce.decide(350), { do: "rest" });
});

Deno.test("A burst that never falls quiet is cut after ten delays, and the rest is another burst", () => {
  const debounce = new Debounce(500);
  for (let now = 0; now < 5000; now += 100) {
    debounce.note(saw("/a.ts"), now);
    assert.equal(debounce.decide(now).do, "wait", `at ${now}`);
  }
  assert.deepEqual(debounce.decide(5000), { do: "compare", files: ["/a.ts"] });
  debounce.note(saw("/a.ts"), 5000);
  assert.deepEqual(debounce.decide(5000), { do: "wait", ms: 500 });
});

Deno.test("With a short delay it is cut after two seconds", () => {
  const debounce = new Debounce(10);
  for (let now = 0; now < 2000; now += 5) debounce.note(saw("/a.ts"), now);
  assert.deepEqual(debounce.decide(1999), { do: "wait", ms: 1 });
  assert.deepEqual(debounce.decide(2000), { do: "compare", files: ["/a.ts"] });
});

Deno.test("Lost fileEvents mean that everything is compared", () => {
  const debounce = new Debounce(200);
  debounce.note(saw("/a.ts"), 0);
  debounce.note({ ...NOTHING, isAll: true }, 10);
  assert.deepEqual(debounce.decide(210), { do: "compare", files: "all" });
  debounce.note(saw("/a.ts"), 300);
  assert.deepEqual(debounce.decide(500), { do: "compare", files: ["/a.ts"] });
});

Deno.test("A new directory is watched once the burst is quiet, and everything compared after another delay", () => {
  const debounce = new Debounce(200);
  debounce.note({ ...NOTHING, isMoved: true }, 0);
  assert.deepEqual(debounce.decide(100), { do: "wait", ms: 100 });
  assert.deepEqual(debounce.decide(200), { do: "rewatch" });
  assert.deepEqual(debounce.decide(200), { do: "wait", ms: 200 });
  assert.deepEqual(debounce.decide(400), { do: "compare", files: "all" });
});

Deno.test("If directories come all the time, the burst is cut all the same", () => {
  const debounce = new Debounce(200);
  for (let now = 0; now < 2000; now += 100) debounce.note({ ...NOTHING, isMoved: true }, now);
  assert.deepEqual(debounce.decide(2000), { do: "rewatch" });
  assert.deepEqual(debounce.decide(2000), { do: "compare", files: "all" });
});
