// Files that exist only in a test, and a watch that sees what the test says.

import type { DirectoryEntry, FileEvent, Sources, Watcher } from "../../src/platform/ports.ts";

/** A watch that was asked for. */
export interface FakeWatch {
  directories: readonly string[];
  isClosed: boolean;
}

/** Files by their paths; a directory exists if a file is in it. */
export class FakeSources implements Sources {
  readonly watches: FakeWatch[] = [];
  /** What the application consists of; an error if that cannot be told. */
  modules: string[] | Error = [];
  /** Thrown by the next watch. */
  refusal: Error | null = null;
  /** Targets of links by their paths; only a resolved path leads to a file. */
  readonly links: Map<string, string> = new Map();
  /** How often a file was looked at. */
  looks = 0;

  #files: Map<string, string>;
  #waiting: FileEvent[] = [];
  #wake = () => {};

  constructor(files: Record<string, string>) {
    this.#files = new Map(Object.entries(files));
  }

  /** Changes a file and lets it be seen. */
  write(path: string, text: string): void {
    const kind = this.#files.has(path) ? "modified" : "named";
    this.put(path, text);
    this.see({ kind, paths: [path] });
  }

  /** Changes a file unseen; null removes it. */
  put(path: string, text: string | null): void {
    if (text === null) this.#files.delete(path);
    else this.#files.set(path, text);
  }

  see(fileEvent: FileEvent): void {
    this.#waiting.push(fileEvent);
    this.#wake();
  }

  watch(directories: readonly string[]): Watcher {
    if (this.refusal !== null) throw this.refusal;
    const watch: FakeWatch = { directories: [...directories].sort(), isClosed: false };
    this.watches.push(watch);
    const close = () => {
      watch.isClosed = true;
      this.#wake();
    };
    return { close, [Symbol.asyncIterator]: () => this.#fileEvents(watch) };
  }

  async *#fileEvents(watch: FakeWatch): AsyncGenerator<FileEvent> {
    while (!watch.isClosed) {
      const fileEvent = this.#waiting.shift();
      if (fileEvent !== undefined) yield fileEvent;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  list(directory: string): DirectoryEntry[] | null {
    const start = directory === "/" ? "/" : `${directory}/`;
    const names = new Map<string, boolean>();
    for (const path of [...this.#files.keys(), ...this.links.keys()]) {
      if (!path.startsWith(start)) continue;
      const [name = "", ...rest] = path.slice(start.length).split("/");
      names.set(name, rest.length > 0);
    }
    if (names.size === 0) return null;
    return Array.from(names, ([name, isDirectory]) => ({ name, isDirectory, isLink: this.links.has(start + name) }));
  }

  readLink(path: string): string | null {
    return this.links.get(path) ?? null;
  }

  readText(path: string): string {
    const text = this.#files.get(path);
    if (text === undefined) throw new Error(`there is no ${path}`);
    return text;
  }

  stamp(path: string): string | null {
    return this.#files.get(path) ?? this.readLink(path);
  }

  kindOf(path: string): "file" | "directory" | null {
    return this.#files.has(path) ? "file" : this.list(path) === null ? null : "directory";
  }

  realPath(path: string): string | null {
    return this.kindOf(path) === null ? null : path;
  }

  fingerprint(path: string): Promise<string | null> {
    this.looks++;
    return Promise.resolve(this.stamp(path));
  }

  modulesOf(): Promise<string[]> {
    return this.modules instanceof Error ? Promise.reject(this.modules) : Promise.resolve(this.modules);
  }
}
