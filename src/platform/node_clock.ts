// The clock on Node.

import { performance } from "node:perf_hooks";
import { clearInterval, clearTimeout, setImmediate, setInterval, setTimeout } from "node:timers";
import type { Clock } from "./ports.ts";

/** The longest time that a JavaScript timer can hold, 24 days. No wait here needs more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The clock on Node. */
export const nodeClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  every(everyMs, call) {
    const timer = setInterval(call, Math.min(Math.max(1, everyMs), LONGEST_TIMER_MS)).unref();
    return { cancel: () => clearInterval(timer) };
  },
  after(ms, call) {
    const timer = setTimeout(call, Math.min(Math.ceil(Math.max(0, ms)), LONGEST_TIMER_MS));
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (call) => void setImmediate(call),
  // The first may come before the system is asked, the second comes after that.
  afterPoll: (call) => void setImmediate(() => setImmediate(call)),
};
