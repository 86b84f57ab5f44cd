// How Deno tells the time, and waits.
// Deno's timers are those of node:timers, which take 7 ms to load: what rings again and again waits on a cell of memory
// instead, and the rest loads them when it is first used.

import type { Clock, Timer } from "./ports.ts";

/** 24 days, what a timer of JavaScript can hold; nothing here is waited for as long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Deno asks the system for connections and bytes when it has nothing else to do, or after 61 turns of its event loop. A
 * timer is something to wait for. It is longer than the work of a usual turn, so that it is not due before the wait begins.
 */
export const POLL_MS = 5;

/** A wait for a cell that is never changed ends when its time is over. It does not keep the process alive. */
function every(everyMs: number, call: () => void): Timer {
  const cell = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let isOver = false;
  const wait = () => {
    const waiting = Atomics.waitAsync(cell, 0, 0, Math.max(1, everyMs));
    if (waiting.async) waiting.value.then(ring);
  };
  const ring = () => {
    if (isOver) return;
    wait(); // before the call, which may fail
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

/** Deno's clock. */
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
