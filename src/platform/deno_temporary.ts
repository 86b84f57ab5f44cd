// Temporary files on Deno that only this process can open. They have no name, so that even a killed process leaves none. On
// Windows a file has a name until it is removed.
// Failures are StorageErrors that say what the operator can do.

import type { TemporaryFile, TemporaryFiles } from "./ports.ts";
import { PREFIX, storageError } from "./storage_error.ts";

/**
 * Makes the port for temporary files.
 *
 * @param directory for the files, by default the system's directory for temporary files (TMPDIR)
 * @returns the port for temporary files
 */
export function denoTemporaryFiles(directory?: string): TemporaryFiles {
  return {
    // deno-lint-ignore require-await -- an error has to become a rejection
    open: async () => openNameless(directory),
  };
}

function openNameless(dir: string | undefined): TemporaryFile {
  try {
    // No wait in between: only a process that is killed between these lines leaves a file, and it is empty.
    const path = Deno.makeTempFileSync(dir === undefined ? { prefix: PREFIX } : { dir, prefix: PREFIX });
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
  /** The directory of the file, for error messages. */
  #directory: string;
  /** The file's path; null if it has no name any more. */
  #name: string | null;
  /** True once reading has begun. Set by `read`. */
  #isRead = false;
  /** The removal; null before it begins. Set by `remove`. */
  #removed: Promise<void> | null = null;

  /**
   * @param file open for reading and writing
   * @param path at which it was made
   * @param name its path if it still has one, otherwise null
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
      // Closing a large file releases its blocks on this thread, truncating it does so on another thread.
      await this.#file.truncate(0);
    } catch {
      // The close below releases the blocks.
    }
    this.#file.close();
    if (this.#name === null) return;
    try {
      await Deno.remove(this.#name);
    } catch {
      // Another program has removed it already, or a cleanup of the temporary directory will.
    }
  }
}
