// The warm-up of an engine.

import assert from "node:assert/strict";
import { warmUp } from "../../src/engine/warm_up.ts";
import { platform } from "../../src/platform/runtime.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

Deno.test("A warm-up reads heads and ends by itself, without a line in the log or a timer that is left", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  let heads = 0;
  await warmUp({
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
