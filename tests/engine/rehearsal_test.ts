// Knows: that an engine's rehearsal ends by itself and leaves nothing behind.

import assert from "node:assert/strict";
import { rehearse } from "../../src/engine/rehearsal.ts";
import { platform } from "../../src/platform/runtime.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

Deno.test("A rehearsal reads heads, answers them, says nothing, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  let heads = 0;
  await rehearse({
    clock,
    log: (level, message) => lines.push(`${level} ${message}`),
    decode(bytes, from, to) {
      heads++;
      return platform.decodeLatin1(bytes, from, to);
    },
  });
  assert.ok(heads > 0);
  assert.deepEqual(lines, []);
  assert.equal(clock.timers, 0);
});
