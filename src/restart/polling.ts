// Watches directories by looking at them again and again, for file systems that tell of no events: many mounts in
// containers and virtual machines, and network file systems.
// A file has changed if its size, its time, its number or its link's target is another.

import type { Clock, FileEvent, Sources, Timer, Watcher } from "../platform/ports.ts";
import { below } from "./scope.ts";

/** How often to look. */
export interface Pace {
  everyMs: number;
  /** After a change, look again so much later, until nothing changes any more: a save may be under way. */
  settleMs: number;
}

/**
 * Makes sources that are polled.
 *
 * @param sources where the files are
 * @param options the clock, and how often to look
 * @returns the same sources with another watch
 */
export function polledSources(sources: Sources, { clock, pace }: { clock: Clock; pace: Pace }): Sources {
  return {
    list: (directory) => sources.list(directory),
    realPath: (path) => sources.realPath(path),
    readLink: (path) => sources.readLink(path),
    stamp: (path) => sources.stamp(path),
    fingerprint: (path) => sources.fingerprint(path),
    modulesOf: (path, options) => sources.modulesOf(path, options),
    watch: (directories) => new PollingWatcher(directories, { sources, clock, pace }),
  };
}

class PollingWatcher implements Watcher {
  readonly #directories: readonly string[];
  readonly #sources: Sources;
  readonly #clock: Clock;
  readonly #pace: Pace;
  #stamps: Map<string, string>;
  #isClosed = false;
  /** The wait for the next look; null while looking. */
  #wait: { timer: Timer; end: () => void } | null = null;

  constructor(
    directories: readonly string[],
    { sources, clock, pace }: { sources: Sources; clock: Clock; pace: Pace },
  ) {
    this.#directories = directories;
    this.#sources = sources;
    this.#clock = clock;
    this.#pace = pace;
    this.#stamps = this.#look();
  }

  close(): void {
    this.#isClosed = true;
    this.#wait?.timer.cancel();
    this.#wait?.end();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FileEvent> {
    const changed = new Set<string>();
    while (!this.#isClosed) {
      await this.#pass(changed.size === 0 ? this.#pace.everyMs : this.#pace.settleMs);
      if (this.#isClosed) return;
      const former = this.#stamps;
      this.#stamps = this.#look();
      const before = changed.size;
      const now = differences(former, this.#stamps);
      for (const path of now) changed.add(path);
      if (before === 0 || now.length > 0) continue;
      yield { kind: "named", paths: [...changed] };
      changed.clear();
    }
  }

  /** Stamps by paths: of the directories themselves, which may be gone, and of all that is in them. */
  #look(): Map<string, string> {
    const stamps = new Map<string, string>();
    for (const directory of this.#directories) {
      const names = this.#sources.list(directory);
      stamps.set(directory, names === null ? "" : "directory");
      for (const { name, isDirectory } of names ?? []) {
        const path = below(directory, name);
        // The time of a directory changes with every name in it, which is seen if that directory is watched.
        const stamp = isDirectory ? "directory" : this.#sources.stamp(path);
        if (stamp !== null) stamps.set(path, stamp);
      }
    }
    return stamps;
  }

  async #pass(ms: number): Promise<void> {
    await new Promise<void>((end) => this.#wait = { end, timer: this.#clock.after(ms, end) });
    this.#wait = null;
  }
}

function differences(former: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] {
  const changed: string[] = [];
  for (const [path, stamp] of now) if (former.get(path) !== stamp) changed.push(path);
  for (const path of former.keys()) if (!now.has(path)) changed.push(path);
  return changed;
}
