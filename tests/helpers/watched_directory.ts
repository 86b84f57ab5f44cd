// Real files in a directory of their own, watched by the real system, while time passes only when a test wants a change.

import { platform } from "../../src/platform/runtime.ts";
import type { Log, Sources, Watcher } from "../../src/platform/ports.ts";
import { type Change, type Changes, watchForChanges, type WatchOptions } from "../../src/restart/watch_changes.ts";
import { FakeClock } from "./fake_clock.ts";

/** A directory with files in it, gone afterwards. */
export class WatchedDirectory implements AsyncDisposable {
  readonly path: string;
  readonly logged: string[] = [];

  #clock = new FakeClock();
  #changes: Changes | null = null;
  #iterator: AsyncIterator<Change> | null = null;
  #seen = new Set<string>();
  #wake = () => {};

  /** @param files texts by their names, directories are made if a name has them */
  constructor(files: Record<string, string>) {
    this.path = Deno.realPathSync(Deno.makeTempDirSync()).replaceAll("\\", "/");
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    Deno.mkdirSync(`${this.path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(`${this.path}/${name}`, text);
  }

  rename(from: string, to: string): void {
    Deno.renameSync(`${this.path}/${from}`, `${this.path}/${to}`);
  }

  remove(name: string): void {
    Deno.removeSync(`${this.path}/${name}`, { recursive: true });
  }

  /** Begins to watch; `app` and `directories` are names in here. */
  async watch(options: WatchOptions): Promise<Changes> {
    const { files } = platform;
    const inside = (name: string) => name === "" ? this.path : `${this.path}/${name}`;
    const log: Log = (level, message) => void this.logged.push(`${level} ${message}`);
    this.#changes = await watchForChanges({
      ...options,
      app: options.app === null ? null : inside(options.app),
      directories: options.directories?.map(inside),
    }, { cwd: Deno.cwd(), clock: this.#clock, files, log, sources: this.#listening(await platform.loadSources()) });
    this.#iterator = this.#changes[Symbol.asyncIterator]();
    return this.#changes;
  }

  /** Waits until the system has told of every one of these names since the last change. */
  async untilSeen(...names: string[]): Promise<void> {
    while (!names.every((name) => this.#seen.has(`${this.path}/${name}`))) {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  /** Lets time pass until a change is told: the names of the files. */
  async change(): Promise<string[]> {
    let isTold = false;
    const told = this.#iterator!.next().finally(() => isTold = true);
    while (!isTold) await this.#clock.advance(1_000);
    this.#seen.clear();
    return (await told).value.paths.map((path: string) => path.slice(this.path.length + 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#changes?.close();
    await Deno.remove(this.path, { recursive: true });
  }

  #listening(sources: Sources): Sources {
    const note = (path: string) => void this.#seen.add(path);
    const wake = () => this.#wake();
    const listen = (watcher: Watcher): Watcher => ({
      close: () => watcher.close(),
      async *[Symbol.asyncIterator]() {
        for await (const fileEvent of watcher) {
          yield fileEvent;
          // Here every watcher has taken note of it.
          fileEvent.paths.forEach(note);
          wake();
        }
      },
    });
    return { ...sources, watch: (directories) => listen(sources.watch(directories)) };
  }
}
