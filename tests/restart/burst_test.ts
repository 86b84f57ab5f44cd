// Knows: when a burst of sightings is over.

import assert from "node:assert/strict";
import { Burst } from "../../src/restart/burst.ts";
import type { Seen } from "../../src/restart/scope.ts";

const NOTHING: Seen = { files: [], isAll: false, isMoved: false };

function saw(...files: string[]): Seen {
  return { ...NOTHING, files };
}

Deno.test("A burst rests until something that counts is seen", () => {
  const burst = new Burst(200);
  assert.deepEqual(burst.decide(0), { do: "rest" });
  burst.note(NOTHING, 0);
  assert.deepEqual(burst.decide(500), { do: "rest" });
});

Deno.test("Sightings less than the delay apart are one burst, and a file that was seen twice is compared once", () => {
  const burst = new Burst(200);
  burst.note(saw("/a.ts"), 0);
  assert.deepEqual(burst.decide(0), { do: "wait", ms: 200 });
  burst.note(saw("/a.ts", "/b.ts"), 150);
  assert.deepEqual(burst.decide(200), { do: "wait", ms: 150 });
  assert.deepEqual(burst.decide(350), { do: "compare", files: ["/a.ts", "/b.ts"] });
  assert.deepEqual(burst.decide(350), { do: "rest" });
});

Deno.test("A burst that never falls quiet is cut after ten delays, and the rest is another burst", () => {
  const burst = new Burst(500);
  for (let now = 0; now < 5000; now += 100) {
    burst.note(saw("/a.ts"), now);
    assert.equal(burst.decide(now).do, "wait", `at ${now}`);
  }
  assert.deepEqual(burst.decide(5000), { do: "compare", files: ["/a.ts"] });
  burst.note(saw("/a.ts"), 5000);
  assert.deepEqual(burst.decide(5000), { do: "wait", ms: 500 });
});

Deno.test("With a short delay it is cut after two seconds", () => {
  const burst = new Burst(10);
  for (let now = 0; now < 2000; now += 5) burst.note(saw("/a.ts"), now);
  assert.deepEqual(burst.decide(1999), { do: "wait", ms: 1 });
  assert.deepEqual(burst.decide(2000), { do: "compare", files: ["/a.ts"] });
});

Deno.test("Lost sightings mean that everything is compared", () => {
  const burst = new Burst(200);
  burst.note(saw("/a.ts"), 0);
  burst.note({ ...NOTHING, isAll: true }, 10);
  assert.deepEqual(burst.decide(210), { do: "compare", files: "all" });
  burst.note(saw("/a.ts"), 300);
  assert.deepEqual(burst.decide(500), { do: "compare", files: ["/a.ts"] });
});

Deno.test("A new directory is watched once the burst is quiet, and everything compared after another delay", () => {
  const burst = new Burst(200);
  burst.note({ ...NOTHING, isMoved: true }, 0);
  assert.deepEqual(burst.decide(100), { do: "wait", ms: 100 });
  assert.deepEqual(burst.decide(200), { do: "rewatch" });
  assert.deepEqual(burst.decide(200), { do: "wait", ms: 200 });
  assert.deepEqual(burst.decide(400), { do: "compare", files: "all" });
});

Deno.test("Where directories come all the time, the burst is cut all the same", () => {
  const burst = new Burst(200);
  for (let now = 0; now < 2000; now += 100) burst.note({ ...NOTHING, isMoved: true }, now);
  assert.deepEqual(burst.decide(2000), { do: "rewatch" });
  assert.deepEqual(burst.decide(2000), { do: "compare", files: "all" });
});
