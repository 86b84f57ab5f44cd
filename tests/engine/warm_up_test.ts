// The warm-up ends by itself and leaves nothing open.

import assert from "node:assert/strict";
import { warmUp } from "../../src/engine/warm_up.ts";
import { platform } from "../../src/platform/runtime.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

Deno.test("The warm-up answers its requests, logs nothing and leaves no timer", async () => {
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
