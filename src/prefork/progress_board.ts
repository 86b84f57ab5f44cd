// The progress of the uploads of all workers, as the workers have reported it.

import { setNewest } from "../progress/oldest.ts";
import { isFinal, LIFE_MS, type Progress } from "../progress/progress.ts";

/** Most entries; the oldest go first. */
const MAX_ENTRIES = 10_000;

/** What was told of an upload. */
interface Entry {
  progress: Progress;
  /** The worker that takes it. */
  owner: number;
  at: number;
}

/** The uploads that a supervisor was told of. */
export class ProgressBoard {
  /** In the order in which they were told of last. */
  #entries = new Map<string, Entry>();

  /**
   * Takes what a worker tells.
   *
   * @param id names the upload
   * @param progress what is known of it
   * @param context the worker, and milliseconds of the clock
   */
  put(id: string, progress: Progress, { owner, now }: { owner: number; now: number }): void {
    setNewest(this.#entries, [id, { progress, owner, at: now }], MAX_ENTRIES);
  }

  /**
   * Tells how far an upload is.
   *
   * @param id names the upload
   * @returns what was told last, or null
   */
  get(id: string): Progress | null {
    return this.#entries.get(id)?.progress ?? null;
  }

  /**
   * A worker has ended: its uploads are aborted.
   *
   * @param owner the worker
   * @param now milliseconds of the clock
   */
  gone(owner: number, now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.owner !== owner || isFinal(entry.progress)) continue;
      entry.progress = { ...entry.progress, state: "aborted", aborted: 1, rate: 0, eta: -1 };
      entry.at = now;
    }
  }

  /**
   * Forgets what was not reported for a minute.
   *
   * @param now milliseconds of the clock
   */
  sweep(now: number): void {
    for (const [id, { at }] of this.#entries) if (now - at > LIFE_MS) this.#entries.delete(id);
  }
}
