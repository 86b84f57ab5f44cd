// Watches directories with Node, and tells one content of a file from another.

import { createHash } from "node:crypto";
import {
  closeSync,
  type FSWatcher,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  watch as watchDirectory,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { WatchLimit, type WatchResource } from "./errors.ts";
import { fileContents, type FileFacts } from "./file_contents.ts";
import { slashed } from "./file_url.ts";
import { process } from "./node_process.ts";
import type { DirectoryEntry, FileEvent, Sources, Watcher } from "./ports.ts";
import { type Resolvers, withResolvers } from "./resolvers.ts";

/** Most file events that wait to be read. When there are more, they count as lost, and all files are compared. */
const MAX_WAITING = 10_000;

/** Source files on Node. */
export const nodeSources: Sources = {
  watch: (directories) => new DirectoryWatcher(directories),
  list,
  realPath,
  readLink,
  ...fileContents({ facts, digest, readLink, realPath, isNoFile }),
  modulesOf: async (path) => (await import("./node_modules_of.ts")).modulesOf(path),
};

const form = { isWindows: process.platform === "win32" };

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

/** One watcher of Node for each directory. */
class DirectoryWatcher implements Watcher {
  #watchers: FSWatcher[] = [];
  /** File events that were not read yet. */
  #waiting: FileEvent[] = [];
  /** The wait for an event; null if there is none. */
  #wanted: Resolvers<void> | null = null;
  #isClosed = false;

  constructor(directories: readonly string[]) {
    try {
      for (const directory of directories) this.#add(directory);
    } catch (error) {
      this.close();
      if (!(error instanceof Error)) throw error;
      const resource = scarceResource(error, directories[0] ?? ".");
      throw resource === null ? error : new WatchLimit(resource, { cause: error });
    }
  }

  #add(directory: string): void {
    const watcher = watchDirectory(directory, { persistent: false }, (event, name) => {
      if (name === null) return this.#note({ kind: "lost", paths: [] });
      this.#note({ kind: event === "change" ? "modified" : "named", paths: [`${slashed(directory, form)}/${name}`] });
    });
    watcher.on("error", () => this.#note({ kind: "lost", paths: [] }));
    this.#watchers.push(watcher);
  }

  #note(event: FileEvent): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(event);
    else this.#waiting = [{ kind: "lost", paths: [] }];
    this.#wanted?.resolve();
  }

  close(): void {
    this.#isClosed = true;
    for (const watcher of this.#watchers) watcher.close();
    this.#waiting = [];
    this.#wanted?.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<FileEvent> {
    while (!this.#isClosed) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        yield event;
        continue;
      }
      this.#wanted = withResolvers();
      await this.#wanted.promise;
      this.#wanted = null;
    }
  }
}

function scarceResource(error: Error, directory: string): WatchResource | null {
  if (codeOf(error) === "ENOSPC") return "watches";
  if (codeOf(error) !== "EMFILE") return null;
  return hasDescriptors(directory) ? "instances" : "descriptors";
}

/** EMFILE means that this process has too many open files, or that this user has too many instances of inotify. */
function hasDescriptors(directory: string): boolean {
  try {
    closeSync(openSync(directory, "r"));
    return true;
  } catch (error) {
    if (codeOf(error) === "EMFILE") return false;
    throw error;
  }
}

function list(directory: string): DirectoryEntry[] | null {
  try {
    return readdirSync(directory, { withFileTypes: true }).map((entry) => {
      return { name: entry.name, isDirectory: entry.isDirectory(), isLink: entry.isSymbolicLink() };
    });
  } catch (error) {
    if (isNoFile(error) || isForbidden(error)) return null;
    throw error;
  }
}

function realPath(path: string): string | null {
  try {
    return slashed(realpathSync.native(path), form);
  } catch (error) {
    if (isNoFile(error)) return null;
    throw error;
  }
}

function readLink(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? slashed(readlinkSync(path), form) : null;
  } catch (error) {
    // A path that may not be read is treated as not being a link.
    if (isNoFile(error) || isForbidden(error)) return null;
    throw error;
  }
}

function facts(path: string): FileFacts {
  const found = lstatSync(path);
  const { size, mtimeMs, ino } = found;
  return { isFile: found.isFile(), isLink: found.isSymbolicLink(), size, modifiedAt: mtimeMs, inode: ino };
}

async function digest(path: string): Promise<string> {
  return createHash("sha256").update(await readFile(path)).digest("hex");
}

function isNoFile(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "");
}

function isForbidden(error: unknown): boolean {
  return ["EACCES", "EPERM"].includes(codeOf(error) ?? "");
}
