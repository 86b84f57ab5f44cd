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
  type Stats,
  watch as watchDirectory,
} from "node:fs";
import { lstat, readFile, stat } from "node:fs/promises";
import process from "node:process";
import { WatchLimit, type WatchResource } from "./errors.ts";
import type { DirectoryEntry, FileEvent, Sources, Watcher } from "./ports.ts";
import { type Resolvers, withResolvers } from "./resolvers.ts";

/** Larger files are compared by size and time, because reading one after each save would take too long. */
const MAX_DIGESTED_BYTES = 8 * 1024 * 1024;

/** Most file events that wait to be read. When there are more, they count as lost, and all files are compared. */
const MAX_WAITING = 10_000;

/** Source files on Node. */
export const nodeSources: Sources = {
  watch: (directories) => new DirectoryWatcher(directories),
  list,
  realPath,
  readLink,
  stamp,
  fingerprint,
  modulesOf: async (path) => (await import("./node_modules_of.ts")).modulesOf(path),
};

const isWindows = process.platform === "win32";

function slashed(path: string): string {
  return isWindows ? path.replaceAll("\\", "/") : path;
}

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
      this.#note({ kind: event === "change" ? "modified" : "named", paths: [`${slashed(directory)}/${name}`] });
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
    return slashed(realpathSync.native(path));
  } catch (error) {
    if (isNoFile(error)) return null;
    throw error;
  }
}

function readLink(path: string): string | null {
  try {
    return lstatSync(path).isSymbolicLink() ? slashed(readlinkSync(path)) : null;
  } catch (error) {
    // A path that may not be read is treated as not being a link.
    if (isNoFile(error) || isForbidden(error)) return null;
    throw error;
  }
}

/** Two saves within this time may leave the same file time, because FAT counts in steps of 2 s. */
const RECENT_MS = 3_000;

function stamp(path: string): string | null {
  try {
    const found = lstatSync(path);
    if (found.isFile()) {
      const time = found.mtime.getTime();
      // The stamp changes again when the file is no longer recent. A save that was missed is found then.
      const isRecent = Math.abs(Date.now() - time) < RECENT_MS;
      return `${found.size} ${time} ${found.ino}${isRecent ? " recent" : ""}`;
    }
    if (!found.isSymbolicLink()) return null;
    // The target may be in a directory that is not watched.
    const target = realPath(path);
    return `-> ${readLink(path)} ${target === null ? "" : stamp(target)}`;
  } catch (error) {
    return isNoFile(error) ? null : "unreadable";
  }
}

async function fingerprint(path: string): Promise<string | null> {
  try {
    const found = await lstat(path);
    if (!found.isSymbolicLink()) return await contentOf(path, found);
    const target = `-> ${readLink(path)} `;
    // A link without a target has a fingerprint too.
    return target + (realPath(path) === null ? null : await contentOf(path, await stat(path)));
  } catch (error) {
    // The file exists but cannot be read. Once it can be read, its fingerprint differs.
    return isNoFile(error) ? null : "unreadable";
  }
}

async function contentOf(path: string, found: Stats): Promise<string | null> {
  if (!found.isFile()) return null;
  if (found.size > MAX_DIGESTED_BYTES) return `${found.size} bytes of ${found.mtime.getTime()}`;
  return createHash("sha256").update(await readFile(path)).digest("hex");
}

function isNoFile(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error) ?? "");
}

function isForbidden(error: unknown): boolean {
  return ["EACCES", "EPERM"].includes(codeOf(error) ?? "");
}
