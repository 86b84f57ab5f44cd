// Knows: how Deno tells the time, and waits.
// Does not know: what for.
// Rule: Deno's setTimeout is that of node:timers, which takes 7 ms to load, a fifth of a whole start. A signal that times
// out waits as well, and is there from the first moment.

import type { Clock, Timer } from "./ports.ts";

/** 24 days, what a timer of JavaScript can hold; nothing here is waited for as long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A signal's own methods keep the process alive while somebody listens; those that it inherits do not. */
const { addEventListener, removeEventListener } = EventTarget.prototype;

/** Calls once, and keeps the process alive until then. */
function after(ms: number, call: () => void): Timer {
  const signal = AbortSignal.timeout(Math.min(Math.ceil(Math.max(0, ms)), LONGEST_TIMER_MS));
  const listener = () => call();
  signal.addEventListener("abort", listener);
  return { cancel: () => signal.removeEventListener("abort", listener) };
}

/** What has rung so often goes on for long: node:timers is worth its loading then, as each of its rings costs 0.2 ms less. */
const RINGS_BY_SIGNAL = 10;

/** Calls again and again without keeping the process alive. */
function every(everyMs: number, call: () => void): Timer {
  let cancel: () => void;
  let rings = 0;
  const wait = () => {
    const signal = AbortSignal.timeout(Math.ceil(everyMs));
    addEventListener.call(signal, "abort", ring);
    cancel = () => removeEventListener.call(signal, "abort", ring);
  };
  const ring = () => {
    if (++rings < RINGS_BY_SIGNAL) wait();
    else {
      const id = setInterval(call, everyMs);
      Deno.unrefTimer(id);
      cancel = () => clearInterval(id);
    }
    call();
  };
  wait();
  return { cancel: () => cancel() };
}

/** Deno's clock. */
export const denoClock: Clock = {
  now: () => performance.now(),
  date: () => Date.now(),
  every,
  after,
  soon: (call) => void setImmediate(call),
};
