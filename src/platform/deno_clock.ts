// Knows: how Deno tells the time, and waits.
// Does not know: what for.
// Rule: Deno's setTimeout is that of node:timers, which takes 7 ms to load, a fifth of a whole start. A signal that times
// out waits as well, and is there from the first moment; what goes on for long is node:timers' to ring, loaded a turn later.

import type { Clock, Timer } from "./ports.ts";

/** 24 days, what a timer of JavaScript can hold; nothing here is waited for as long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Whether node:timers is there. */
let isLoaded = false;

/** Calls once, and keeps the process alive until then. */
function after(ms: number, call: () => void): Timer {
  const waitMs = Math.min(Math.ceil(Math.max(0, ms)), LONGEST_TIMER_MS);
  if (isLoaded) {
    const id = setTimeout(call, waitMs);
    return { cancel: () => clearTimeout(id) };
  }
  const signal = AbortSignal.timeout(waitMs);
  const listener = () => call();
  signal.addEventListener("abort", listener);
  return { cancel: () => signal.removeEventListener("abort", listener) };
}

/** Calls again and again without keeping the process alive. */
function every(everyMs: number, call: () => void): Timer {
  if (isLoaded) return everyByNode(everyMs, call);
  let timer = after(0, () => {
    isLoaded = true;
    timer = everyByNode(everyMs, call);
  });
  return { cancel: () => timer.cancel() };
}

function everyByNode(everyMs: number, call: () => void): Timer {
  const id = setInterval(call, everyMs);
  Deno.unrefTimer(id);
  return { cancel: () => clearInterval(id) };
}

/** Deno's clock. */
export const denoClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  every,
  after,
  soon(call) {
    isLoaded = true;
    setImmediate(call);
  },
};
