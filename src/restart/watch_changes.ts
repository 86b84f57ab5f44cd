// Turns file events into changes: watch, wait until they are quiet, compare, tell.
// Once a change is told the new code may be loaded at once: all that it consists of is watched by then.

import type { Clock, FileEvent, Timer, Watcher } from "../platform/ports.ts";
import { Debounce, DEFAULT_DELAY_MS, isCounted, judge, type Rule } from "./file_events.ts";
import { polledSources } from "./polling.ts";
import { DEFAULT_PATTERN, filesIn, isSameScope, type Scope } from "./scope.ts";
import { difference } from "./sets.ts";
import { Snapshot } from "./snapshot.ts";
import {
  findSourceSet,
  refusedBySystem,
  type SourceSet,
  type SourceSetContext,
  type SourceSetOptions,
} from "./source_set.ts";

/** How often a watch is tried while directories vanish under it. */
const TRIES = 3;

/** What to watch. */
export interface WatchOptions extends SourceSetOptions {
  /**
   * What is looked for in the absolute path of a file. If it is given, only files with it count.
   *
   * @default {DEFAULT_PATTERN} and all files that the application consists of, whatever they are called
   */
  pattern?: RegExp | undefined;
  /**
   * Milliseconds of quiet before a change is told.
   *
   * @default {200}
   */
  delayMs?: number | undefined;
  /**
   * Milliseconds after which all files are looked at again, for file systems that tell of no events.
   *
   * @default {0} the system tells what happens
   */
  pollMs?: number | undefined;
}

/** What watching needs of its surroundings; a `Platform` has all but the log. */
export interface WatchContext extends SourceSetContext {
  clock: Clock;
}

/** One or more saves that belong together. */
export interface Change {
  /** Absolute paths of the files that were written, made or removed, sorted, `/` between the names. */
  readonly paths: readonly string[];
}

/** Changes, for one reader. What changes while the reader is busy is one change when it comes back. */
export interface Changes extends AsyncIterable<Change>, AsyncDisposable {
  /** The directories whose files count, sorted. */
  readonly directories: readonly string[];
  /** Ends the watch and the iteration. May be called again. */
  close(): Promise<void>;
}

/**
 * Watches an application's files. What changes after this resolves is told: load the application afterwards.
 *
 * @param options what to watch
 * @param context the surroundings
 * @returns the changes; the iteration throws {@linkcode CannotWatch} if the system refuses later
 * @throws {CannotWatch} if there is nothing to watch, or the system refuses
 */
export async function watchForChanges(options: WatchOptions, context: WatchContext): Promise<Changes> {
  const { pattern, delayMs = DEFAULT_DELAY_MS, pollMs = 0 } = options;
  const pace = { everyMs: pollMs, settleMs: delayMs };
  const sources = pollMs === 0 ? context.sources : polledSources(context.sources, { clock: context.clock, pace });
  const sourceSet = await findSourceSet(options, { ...context, sources });
  const watch = new Watch(sourceSet, { pattern, delayMs }, { ...context, sources });
  try {
    await watch.start();
  } catch (error) {
    await watch.close();
    throw error;
  }
  return watch;
}

class Watch implements Changes {
  readonly #sourceSet: SourceSet;
  readonly #rule: Rule;
  readonly #context: WatchContext;
  readonly #debounce: Debounce;
  readonly #snapshot: Snapshot;
  #scope: Scope = { counted: new Set(), files: new Set(), links: new Set(), watched: new Set(), awaited: new Set() };
  #watcher: Watcher | null = null;
  #reading: Promise<void> = Promise.resolve();
  /** Changed files that were not reported yet. */
  #untold = new Set<string>();
  #state: { at: "open" } | { at: "closed" } | { at: "failed"; error: unknown } = { at: "open" };
  #wakeReader = () => {};
  #isSettling = false;
  #pause: { timer: Timer; end: () => void } | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(sourceSet: SourceSet, options: { pattern: RegExp | undefined; delayMs: number }, context: WatchContext) {
    const { sources } = context;
    const { isTree } = sourceSet;
    this.#sourceSet = sourceSet;
    const { pattern = DEFAULT_PATTERN } = options;
    const isStrict = options.pattern !== undefined;
    this.#rule = { pattern, isStrict, isTree, isDirectory: (path) => sources.list(path) !== null };
    this.#context = context;
    this.#debounce = new Debounce(options.delayMs);
    this.#snapshot = new Snapshot((path) => sources.fingerprint(path));
  }

  get directories(): readonly string[] {
    return [...this.#scope.counted].sort();
  }

  async start(): Promise<void> {
    await this.#watch();
    await this.#inTurn(() => this.#snapshot.compare(this.#everyFile()));
  }

  async close(): Promise<void> {
    if (this.#state.at === "open") this.#end({ at: "closed" });
    await this.#last;
    await this.#reading;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Change> {
    for (;;) {
      if (this.#state.at === "failed") throw this.#state.error;
      if (this.#state.at === "closed") return;
      if (this.#untold.size > 0) {
        const paths = [...this.#untold].sort();
        this.#untold.clear();
        yield { paths };
      } else await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** The former watch ends first (see the port): the caller compares every file afterwards. */
  async #watch(scope?: Scope): Promise<void> {
    this.#watcher?.close();
    await this.#reading;
    if (this.#state.at !== "open") return;
    this.#scope = scope ?? this.#sourceSet.scope();
    for (let left = TRIES;; left--) {
      const directories = [...this.#scope.watched];
      try {
        this.#watcher = this.#context.sources.watch(directories);
        break;
      } catch (error) {
        if (left === 1) throw refusedBySystem(directories, error);
        // A directory may have gone since it was listed.
        this.#scope = this.#sourceSet.scope();
      }
    }
    this.#reading = this.#read(this.#watcher);
  }

  async #read(watcher: Watcher): Promise<void> {
    try {
      for await (const fileEvent of watcher) this.#note(fileEvent);
    } catch (error) {
      this.#fail(refusedBySystem([...this.#scope.watched], error));
    }
  }

  #note(fileEvent: FileEvent): void {
    this.#debounce.note(judge(fileEvent, { scope: this.#scope, rule: this.#rule }), this.#context.clock.now());
    this.#settle();
  }

  /** Does what the burst decides until there is nothing left to do. */
  async #settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = true;
    try {
      while (this.#state.at === "open") {
        const decision = this.#debounce.decide(this.#context.clock.now());
        if (decision.do === "rest") break;
        if (decision.do === "wait") await this.#wait(decision.ms);
        else if (decision.do === "rewatch") await this.#inTurn(() => this.#watch());
        else this.#tell(await this.#inTurn(() => this.#compare(decision.files)));
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isSettling = false;
    }
  }

  async #compare(files: readonly string[] | "all"): Promise<string[]> {
    const changed = await this.#snapshot.compare(files === "all" ? this.#everyFile() : files);
    return changed.length === 0 ? [] : [...changed, ...await this.#refresh()];
  }

  /** Watches what belongs to the application now, and tells what has changed in the meantime. */
  async #refresh(): Promise<string[]> {
    await this.#sourceSet.refresh();
    const former = this.#scope;
    const scope = this.#sourceSet.scope();
    if (this.#state.at !== "open" || isSameScope(scope, former)) return [];
    await this.#watch(scope);
    this.#snapshot.keep((path) => isCounted(path, { scope: this.#scope, rule: this.#rule }));
    // What modules have brought in is not new: it has not been loaded yet.
    if (!this.#rule.isTree) await this.#snapshot.compare(this.#newFiles(former));
    return await this.#snapshot.compare(this.#everyFile());
  }

  #everyFile(): string[] {
    return [...this.#snapshot.paths, ...this.#named(this.#scope), ...this.#filesIn(this.#scope.counted)];
  }

  /** What counts now and did not before. */
  #newFiles(former: Scope): string[] {
    const named = difference(this.#named(this.#scope), this.#named(former));
    return [...named, ...this.#filesIn(difference(this.#scope.counted, former.counted))];
  }

  /** Files and links that count whatever directory they are in. */
  #named(scope: Scope): Set<string> {
    return new Set([...scope.files, ...scope.links].filter((path) => isCounted(path, { scope, rule: this.#rule })));
  }

  #filesIn(directories: Iterable<string>): string[] {
    return filesIn(directories, { pattern: this.#rule.pattern, sources: this.#context.sources });
  }

  #tell(paths: readonly string[]): void {
    for (const path of paths) this.#untold.add(path);
    if (paths.length > 0) this.#wakeReader();
  }

  /** What is watched and what is known change together: one at a time. */
  #inTurn<T>(call: () => Promise<T>): Promise<T> {
    const done = this.#last.then(call);
    this.#last = done.catch(() => {});
    return done;
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((end) => this.#pause = { end, timer: this.#context.clock.after(ms, end) });
    this.#pause = null;
  }

  #fail(error: unknown): void {
    if (this.#state.at === "open") this.#end({ at: "failed", error });
  }

  #end(state: { at: "closed" } | { at: "failed"; error: unknown }): void {
    this.#state = state;
    this.#watcher?.close();
    this.#pause?.timer.cancel();
    this.#pause?.end();
    this.#wakeReader();
  }
}
