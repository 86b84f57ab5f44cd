// Keeps bytes in files that no other user can see, under Deno.
// Nothing is left behind; what cannot be kept is a StorageError that says what to do about it.

import { StorageError } from "./errors.ts";
import { messageOf } from "./log.ts";
import type { TemporaryFile, TemporaryFiles } from "./ports.ts";

/** What every temporary name begins with. */
export const PREFIX = "weft-";

/**
 * Temporary files of this process.
 *
 * @param directory if they stand; not given, the system's directory for them, which TMPDIR names
 * @returns what makes them
 */
export function denoTemporaryFiles(directory?: string): TemporaryFiles {
  return {
    // deno-lint-ignore require-await -- a failure is a rejection
    open: async () => openNameless(directory),
  };
}

function openNameless(dir: string | undefined): TemporaryFile {
  try {
    // At once, with no wait between: only a process killed in between these lines leaves an (empty) file behind.
    const path = Deno.makeTempFileSync({ dir, prefix: PREFIX });
    const file = Deno.openSync(path, { read: true, write: true });
    if (Deno.build.os === "windows") return new DenoTemporaryFile(file, path, path);
    Deno.removeSync(path);
    return new DenoTemporaryFile(file, path, null);
  } catch (error) {
    throw storageError("be made", dir, error);
  }
}

class DenoTemporaryFile implements TemporaryFile {
  #file: Deno.FsFile;
  #directory: string;
  #name: string | null;
  #isRead = false;
  #removed: Promise<void> | null = null;

  /**
   * @param file open to read and write
   * @param path where it was made
   * @param name its path if it still has one
   */
  constructor(file: Deno.FsFile, path: string, name: string | null) {
    this.#file = file;
    this.#directory = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")));
    this.#name = name;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        at += await this.#file.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } catch (error) {
      throw storageError("be written", this.#directory, error);
    }
  }

  async read(into: Uint8Array): Promise<number | null> {
    try {
      if (!this.#isRead) {
        this.#isRead = true;
        await this.#file.seek(0, Deno.SeekMode.Start);
      }
      return await this.#file.read(into);
    } catch (error) {
      throw storageError("be read", this.#directory, error);
    }
  }

  remove(): Promise<void> {
    return this.#removed ??= this.#remove();
  }

  async #remove(): Promise<void> {
    try {
      // Closing a large file gives its blocks back on this thread; truncating it does so on another.
      await this.#file.truncate(0);
    } catch {
      // Then closing has to do it.
    }
    this.#file.close();
    if (this.#name === null) return;
    try {
      await Deno.remove(this.#name);
    } catch {
      // It was removed by another process, or will be.
    }
  }
}

/**
 * Makes the error of a temporary file.
 *
 * @param what could not be done with it
 * @param directory if it stands; not given, the system's directory for them
 * @param cause what the system said
 * @returns the error, to be thrown
 */
export function storageError(what: string, directory: string | undefined, cause: unknown): StorageError {
  const where = directory ?? "the system's directory for them";
  const reason = messageOf(cause);
  return new StorageError(
    `a temporary file cannot ${what} in ${where}: ${reason}; ` +
      `make room there, or set TMPDIR (on Windows TEMP) to a directory that this process may read and write`,
    { cause },
  );
}
