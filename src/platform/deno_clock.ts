// The clock on Deno.
// Deno's timers take 7 ms to load (node:timers). Repeated timers therefore wait with `Atomics.waitAsync` instead. The other
// timers are loaded on first use.

import type { Clock, Timer } from "./ports.ts";

/** The longest time that a JavaScript timer can hold, 24 days. No wait here needs more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Time for `afterPoll`. Deno asks the system for connections and bytes when it has nothing else to do, or after 61 turns of its
 * event loop. Waiting for a timer makes it ask. The time is longer than a usual turn, so that the timer is not due already.
 */
const POLL_MS = 5;

/** Waits on a memory cell that does not change until the time is over. Such a wait does not keep the process alive. */
function every(everyMs: number, call: () => void): Timer {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let isOver = false;
  const wait = () => {
    const waiting = Atomics.waitAsync(cell, 0, 0, Math.max(1, everyMs));
    if (waiting.async) waiting.value.then(ring);
  };
  const ring = () => {
    if (isOver) return;
    wait(); // before the call, which may throw
    call();
  };
  wait();
  return {
    cancel() {
      isOver = true;
      Atomics.notify(cell, 0);
    },
  };
}

/** The clock on Deno. */
export const denoClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  every,
  after(ms, call) {
    const id = setTimeout(call, Math.min(Math.ceil(Math.max(0, ms)), LONGEST_TIMER_MS));
    return { cancel: () => clearTimeout(id) };
  },
  soon: (call) => void setImmediate(call),
  afterPoll: (call) => void setTimeout(call, POLL_MS),
};
