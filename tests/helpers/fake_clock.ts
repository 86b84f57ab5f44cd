// Time that passes only when a test says so.

import type { Clock, Timer } from "../../src/platform/ports.ts";
import { settled } from "./duplex.ts";

interface Alarm {
  at: number;
  everyMs: number | null;
  call: () => void;
}

/** A clock that is advanced by hand. */
export class FakeClock implements Clock {
  #now = 1_000;
  #alarms = new Set<Alarm>();

  /** How many timers run. */
  get timers(): number {
    return this.#alarms.size;
  }

  now(): number {
    return this.#now;
  }

  date(): number {
    return Date.UTC(2026, 10, 22, 9, 0, 0) + this.#now;
  }

  every(everyMs: number, call: () => void): Timer {
    return this.#set({ at: this.#now + everyMs, everyMs, call });
  }

  soon(call: () => void): void {
    queueMicrotask(call);
  }

  /** What a test has sent has arrived at once. */
  afterPoll(call: () => void): void {
    queueMicrotask(call);
  }

  after(ms: number, call: () => void): Timer {
    return this.#set({ at: this.#now + ms, everyMs: null, call });
  }

  /** Lets time pass; every timer on the way is called at its time, and what it set going happens before the next. */
  async advance(ms: number): Promise<void> {
    await settled();
    const until = this.#now + ms;
    for (let alarm = this.#nextBefore(until); alarm !== null; alarm = this.#nextBefore(until)) {
      this.#now = Math.max(this.#now, alarm.at);
      if (alarm.everyMs === null) this.#alarms.delete(alarm);
      else alarm.at += alarm.everyMs;
      alarm.call();
      await settled();
    }
    this.#now = until;
  }

  /** The process is blocked: time passes, and every timer that is due is called once, late, before anything else happens. */
  block(ms: number): void {
    this.#now += ms;
    for (const alarm of [...this.#alarms]) {
      if (alarm.at > this.#now) continue;
      if (alarm.everyMs === null) this.#alarms.delete(alarm);
      else alarm.at = this.#now + alarm.everyMs;
      alarm.call();
    }
  }

  #set(alarm: Alarm): Timer {
    this.#alarms.add(alarm);
    return { cancel: () => void this.#alarms.delete(alarm) };
  }

  #nextBefore(until: number): Alarm | null {
    let next: Alarm | null = null;
    for (const alarm of this.#alarms) if (alarm.at <= until && (next === null || alarm.at < next.at)) next = alarm;
    return next;
  }
}
