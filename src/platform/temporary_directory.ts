// Temporary directories of all runtimes, for files that are used by their paths. Only this user can enter them.
// They are removed at the exit of the process. Only a process that is killed leaves its directories.

import type { NamedFile, TemporaryDirectory } from "./ports.ts";
import { PREFIX, storageError } from "./storage_error.ts";

/** Bytes per read: as many as the largest piece of a streamed body. */
const PIECE_BYTES = 128 * 1024;

/** A file that is open. */
export interface OpenFile {
  /** Writes some of the bytes; gives how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Reads into the bytes; gives how many, null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Closes it. The bytes are with the system already, so a failure of the close does not concern them. */
  close(): void;
}

/** What a runtime does with files. Each of these fails with the runtime's own error. */
export interface FileCalls {
  /** Makes a directory with mode 0700, and gives its path. */
  makeDirectory(options: { parent: string | undefined; prefix: string }): Promise<string>;
  /** Makes a file with mode 0600 that does not exist, open for writing. */
  create(path: string): Promise<OpenFile>;
  open(path: string): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  removeTree(path: string): Promise<void>;
  removeTreeNow(path: string): void;
  /** Registers what is called when the process exits. */
  onExit(call: () => void): void;
}

/**
 * Makes the function that makes private directories.
 *
 * @param calls of the runtime
 * @returns takes an existing directory, by default the system's directory for temporary files; rejects with a `StorageError`
 */
export function temporaryDirectories(calls: FileCalls): (parent?: string) => Promise<TemporaryDirectory> {
  /** Paths of directories to be removed at the exit. */
  const live = new Set<string>();
  let isExitWatched = false;
  const removeAll = () => {
    for (const path of live) {
      try {
        calls.removeTreeNow(path);
      } catch {
        // The process is about to end, and the error cannot be reported any more.
      }
    }
  };
  return async (parent) => {
    if (!isExitWatched) calls.onExit(removeAll);
    isExitWatched = true;
    try {
      const path = await calls.makeDirectory({ parent, prefix: PREFIX });
      live.add(path);
      return new Directory(path, calls, () => void live.delete(path));
    } catch (error) {
      throw storageError("be made", parent, error);
    }
  };
}

class Directory implements TemporaryDirectory {
  readonly path: string;
  #calls: FileCalls;
  #onRemoved: () => void;
  /** Files that are being opened. Changed by `create`. */
  #making = new Set<Promise<unknown>>();
  /** Files that were made. Changed by `create`. */
  #files: File[] = [];
  /** The removal; null before it begins. Set by `remove`. */
  #removed: Promise<void> | null = null;

  constructor(path: string, calls: FileCalls, onRemoved: () => void) {
    this.path = path;
    this.#calls = calls;
    this.#onRemoved = onRemoved;
  }

  async create(name: string): Promise<NamedFile> {
    const path = `${this.path}/${name}`;
    try {
      if (this.#removed !== null) throw new Error("the directory was removed");
      const opening = this.#calls.create(path);
      this.#making.add(opening);
      const file = new File(path, await opening, this.#calls);
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
      await this.#calls.removeTree(this.path);
    } catch {
      // Another program has removed it already, or a cleanup of the temporary directory will.
    }
    this.#onRemoved();
  }
}

class File implements NamedFile {
  /** Changed by `moveTo`. */
  path: string;
  #calls: FileCalls;
  /** The file, open for writing; null after `close`. */
  #file: OpenFile | null;

  constructor(path: string, file: OpenFile, calls: FileCalls) {
    this.path = path;
    this.#file = file;
    this.#calls = calls;
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
    const calls = this.#calls;
    let file: OpenFile | null = null;
    let isOver = false;
    const end = () => {
      isOver = true;
      file?.close();
      file = null;
    };
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        try {
          const source = file ??= await calls.open(path);
          // The stream may have been cancelled while the file was being opened.
          if (isOver) return end();
          const piece = new Uint8Array(PIECE_BYTES);
          const count = await source.read(piece);
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
      await this.#calls.rename(this.path, path);
    } catch (error) {
      if ((error as { code?: string }).code !== "EXDEV") throw error;
      await this.#copyTo(path);
    }
    this.path = path;
  }

  /** Moves it to another disk. The copy gets its name when it is complete, so that no reader finds half a file. */
  async #copyTo(path: string): Promise<void> {
    const { copy, rename, remove } = this.#calls;
    const part = `${path}.${crypto.randomUUID()}.part`;
    try {
      await copy(this.path, part);
      await rename(part, path);
    } catch (error) {
      await remove(part).catch(() => {}); // It may not be there, and the first error is the one to tell.
      throw error;
    }
    await remove(this.path);
  }
}
