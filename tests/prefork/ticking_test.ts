// How often a supervisor looks, and that it knows when it comes late.

import assert from "node:assert/strict";
import { Ticking } from "../../src/prefork/ticking.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

function ticking(workerTimeoutMs: number) {
  const clock = new FakeClock();
  const looks: number[] = [];
  const late: number[] = [];
  const made = new Ticking({
    clock,
    workerTimeoutMs,
    look(lateMs) {
      looks.push(clock.now());
      late.push(lateMs);
    },
  });
  return { clock, looks, late, ticking: made };
}

Deno.test("Every second while something is under way, else a sixth of the worker timeout, within 1 and 5 s", async () => {
  const paces = [[0, 5_000], [1_000, 1_000], [12_000, 2_000], [30_000, 5_000], [300_000, 5_000]] as const;
  for (const [timeoutMs, calmMs] of paces) {
    const { clock, looks, late, ticking: made } = ticking(timeoutMs);
    const begun = clock.now();
    made.keep(true);
    for (let seconds = 0; seconds < 10; seconds++) await clock.advance(1_000);
    const calm = Array.from({ length: 10_000 / calmMs }, (_, i) => begun + (i + 1) * calmMs);
    assert.deepEqual(looks, calm);
    await clock.advance(300);
    made.keep(false);
    for (let seconds = 0; seconds < 2; seconds++) await clock.advance(1_000);
    if (calmMs > 1_000) assert.deepEqual(looks.slice(calm.length), [begun + 11_300, begun + 12_300]);
    assert.ok(late.every((lateMs) => lateMs === 0), "a change of pace is no lateness");
    made.end();
    made.keep(true);
    assert.equal(clock.timers, 0);
  }
});
