// Temporary files on Node that only this process can open. They have no name, so that even a killed process leaves none. On
// Windows a file has a name until it is removed.
// Failures are StorageErrors that say what the operator can do.

import { close, ftruncate, openSync, read, unlink, unlinkSync, write } from "node:fs";
import { tmpdir } from "node:os";
import { process } from "./node_process.ts";
import type { TemporaryFile, TemporaryFiles } from "./ports.ts";
import { PREFIX, storageError } from "./storage_error.ts";

/** Waits for a call of node:fs. The same function of node:util is not imported: that takes 4 ms of a start on Node 24. */
function called<Result = void>(call: (done: (error: Error | null, result?: Result) => void) => void): Promise<Result> {
  return new Promise((resolve, reject) => {
    call((error, result) => error === null ? resolve(result as Result) : reject(error));
  });
}

/**
 * Makes the port for temporary files.
 *
 * @param directory for the files, by default the system's directory for temporary files (TMPDIR)
 * @returns the port for temporary files
 */
export function nodeTemporaryFiles(directory?: string): TemporaryFiles {
  return {
    // deno-lint-ignore require-await -- an error has to become a rejection
    open: async () => openNameless(directory),
  };
}

function openNameless(directory: string | undefined): TemporaryFile {
  try {
    // No wait in between: only a process that is killed between these lines leaves a file, and it is empty.
    const path = `${directory ?? tmpdir()}/${PREFIX}${crypto.randomUUID()}`;
    const descriptor = openSync(path, "wx+", 0o600);
    if (process.platform === "win32") return new NodeTemporaryFile(descriptor, path, path);
    unlinkSync(path);
    return new NodeTemporaryFile(descriptor, path, null);
  } catch (error) {
    throw storageError("be made", directory, error);
  }
}

class NodeTemporaryFile implements TemporaryFile {
  #descriptor: number;
  /** The directory of the file, for error messages. */
  #directory: string;
  /** The file's path; null if it has no name any more. */
  #name: string | null;
  /** Where the next read and the next write begin. Changed by `read` and `append`. */
  #readAt = 0;
  #writeAt = 0;
  /** The read or write under way: the descriptor is closed after it. Changed by `#during`. */
  #busy: Promise<unknown> = Promise.resolve();
  /** The removal; null before it begins. Set by `remove`. */
  #removed: Promise<void> | null = null;

  /**
   * @param descriptor open for reading and writing
   * @param path at which it was made
   * @param name its path if it still has one, otherwise null
   */
  constructor(descriptor: number, path: string, name: string | null) {
    this.#descriptor = descriptor;
    this.#directory = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")));
    this.#name = name;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        const count = await this.#during(() =>
          called<number>((done) => write(this.#descriptor, bytes, at, bytes.length - at, this.#writeAt, done))
        );
        at += count;
        this.#writeAt += count;
      }
    } catch (error) {
      throw storageError("be written", this.#directory, error);
    }
  }

  async read(into: Uint8Array): Promise<number | null> {
    try {
      const count = await this.#during(() =>
        called<number>((done) => read(this.#descriptor, into, 0, into.length, this.#readAt, done))
      );
      this.#readAt += count;
      return count === 0 ? null : count;
    } catch (error) {
      throw storageError("be read", this.#directory, error);
    }
  }

  remove(): Promise<void> {
    return this.#removed ??= this.#remove();
  }

  /** A closed descriptor may be another file's soon. So nothing is done with it after the removal has begun. */
  #during<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#removed !== null) throw new Error("the file was removed");
    const done = work();
    this.#busy = done.catch(() => {});
    return done;
  }

  async #remove(): Promise<void> {
    await this.#busy;
    try {
      // Closing a large file releases its blocks on this thread, truncating it does so on another thread.
      await called((done) => ftruncate(this.#descriptor, 0, done));
    } catch {
      // The close below releases the blocks.
    }
    await called((done) => close(this.#descriptor, done));
    const name = this.#name;
    if (name === null) return;
    try {
      await called((done) => unlink(name, done));
    } catch {
      // Another program has removed it already, or a cleanup of the temporary directory will.
    }
  }
}
