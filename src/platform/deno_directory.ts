// Temporary directories on Deno, for files that are used by their paths. Only this user can enter them.
// They are removed at the exit of the process. Only a process that is killed leaves its directories.

import type { NamedFile, TemporaryDirectory } from "./ports.ts";
import { PREFIX, storageError } from "./storage_error.ts";

/** Bytes per read: as many as the largest piece of a streamed body. */
const PIECE_BYTES = 128 * 1024;

/** Paths of directories to be removed at the exit. Changed by `makeTemporaryDirectory` and by each removal. */
const live = new Set<string>();
/** True once the listener for the exit is added. Set by `watchExit`. */
let isExitWatched = false;

/**
 * Makes a private directory.
 *
 * @param parent an existing directory, by default the system's directory for temporary files (TMPDIR)
 * @returns the directory, empty
 * @throws {StorageError} if it cannot be made
 */
export async function makeTemporaryDirectory(parent?: string): Promise<TemporaryDirectory> {
  watchExit();
  try {
    // Deno makes it with mode 0700.
    const path = await Deno.makeTempDir(parent === undefined ? { prefix: PREFIX } : { dir: parent, prefix: PREFIX });
    live.add(path);
    return new DenoDirectory(path);
  } catch (error) {
    throw storageError("be made", parent, error);
  }
}

function watchExit(): void {
  if (isExitWatched) return;
  isExitWatched = true;
  globalThis.addEventListener("unload", () => {
    for (const path of live) {
      try {
        Deno.removeSync(path, { recursive: true });
      } catch {
        // The process is about to end, and the error cannot be reported any more.
      }
    }
  });
}

class DenoDirectory implements TemporaryDirectory {
  readonly path: string;
  /** Files that are being opened. Changed by `create`. */
  #making = new Set<Promise<unknown>>();
  /** Files that were made. Changed by `create`. */
  #files: DenoNamedFile[] = [];
  /** The removal; null before it begins. Set by `remove`. */
  #removed: Promise<void> | null = null;

  constructor(path: string) {
    this.path = path;
  }

  async create(name: string): Promise<NamedFile> {
    const path = `${this.path}/${name}`;
    try {
      if (this.#removed !== null) throw new Error("the directory was removed");
      const opening = Deno.open(path, { write: true, createNew: true, mode: 0o600 });
      this.#making.add(opening);
      const file = new DenoNamedFile(await opening, path);
      this.#making.delete(opening);
      this.#files.push(file);
      return file;
    } catch (error) {
      throw storageError("be made", this.path, error);
    }
  }

  remove(): Promise<void> {
    return this.#removed ??= this.#remove();
  }

  async #remove(): Promise<void> {
    // A file that is made during the removal would make it fail.
    await Promise.allSettled(this.#making);
    for (const file of this.#files) file.close();
    try {
      await Deno.remove(this.path, { recursive: true });
    } catch {
      // Another program has removed it already, or a cleanup of the temporary directory will.
    }
    live.delete(this.path);
  }
}

class DenoNamedFile implements NamedFile {
  /** Changed by `moveTo`. */
  path: string;
  /** The file, open for writing; null after `close`. */
  #file: Deno.FsFile | null;

  constructor(file: Deno.FsFile, path: string) {
    this.#file = file;
    this.path = path;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        if (this.#file === null) throw new Error("it was closed");
        at += await this.#file.write(at === 0 ? bytes : bytes.subarray(at));
      }
    } catch (error) {
      throw storageError("be written", this.path, error);
    }
  }

  close(): void {
    this.#file?.close();
    this.#file = null;
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { path } = this;
    let file: Deno.FsFile | null = null;
    let isOver = false;
    const end = () => {
      isOver = true;
      file?.close();
      file = null;
    };
    return new ReadableStream({
      async pull(controller) {
        try {
          const open = file ??= await Deno.open(path);
          // The stream may have been cancelled while the file was being opened.
          if (isOver) return end();
          const piece = new Uint8Array(PIECE_BYTES);
          const count = await open.read(piece);
          if (isOver) return;
          if (count !== null) return controller.enqueue(piece.subarray(0, count));
          end();
          controller.close();
        } catch (error) {
          if (isOver) return;
          end();
          throw storageError("be read", path, error);
        }
      },
      cancel: end,
    }, { highWaterMark: 0 });
  }

  async moveTo(path: string): Promise<void> {
    this.close();
    try {
      await Deno.rename(this.path, path);
    } catch (error) {
      if ((error as { code?: string }).code !== "EXDEV") throw error;
      await copyOver(this.path, path);
    }
    this.path = path;
  }
}

/** Moves a file to another disk. The copy gets its name when it is complete, so that no reader finds half a file. */
async function copyOver(from: string, to: string): Promise<void> {
  const part = `${to}.${crypto.randomUUID()}.part`;
  try {
    await Deno.copyFile(from, part);
    await Deno.rename(part, to);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
  await Deno.remove(from);
}
