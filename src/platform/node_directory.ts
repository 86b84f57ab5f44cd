// Temporary directories on Node, for files that are used by their paths. Only this user can enter them.
// They are removed at the exit of the process. Only a process that is killed leaves its directories.

import { rmSync } from "node:fs";
import { copyFile, type FileHandle, mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
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
    // Node makes it with mode 0700.
    const path = await mkdtemp(`${parent ?? tmpdir()}/${PREFIX}`);
    live.add(path);
    return new NodeDirectory(path);
  } catch (error) {
    throw storageError("be made", parent, error);
  }
}

function watchExit(): void {
  if (isExitWatched) return;
  isExitWatched = true;
  process.on("exit", () => {
    for (const path of live) {
      try {
        rmSync(path, { recursive: true });
      } catch {
        // The process is about to end, and the error cannot be reported any more.
      }
    }
  });
}

class NodeDirectory implements TemporaryDirectory {
  readonly path: string;
  /** Files that are being opened. Changed by `create`. */
  #making = new Set<Promise<unknown>>();
  /** Files that were made. Changed by `create`. */
  #files: NodeNamedFile[] = [];
  /** The removal; null before it begins. Set by `remove`. */
  #removed: Promise<void> | null = null;

  constructor(path: string) {
    this.path = path;
  }

  async create(name: string): Promise<NamedFile> {
    const path = `${this.path}/${name}`;
    try {
      if (this.#removed !== null) throw new Error("the directory was removed");
      const opening = open(path, "wx", 0o600);
      this.#making.add(opening);
      const file = new NodeNamedFile(await opening, path);
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
      await rm(this.path, { recursive: true });
    } catch {
      // Another program has removed it already, or a cleanup of the temporary directory will.
    }
    live.delete(this.path);
  }
}

class NodeNamedFile implements NamedFile {
  /** Changed by `moveTo`. */
  path: string;
  /** The file, open for writing; null after `close`. */
  #file: FileHandle | null;

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.path = path;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length;) {
        if (this.#file === null) throw new Error("it was closed");
        at += (await this.#file.write(bytes, at)).bytesWritten;
      }
    } catch (error) {
      throw storageError("be written", this.path, error);
    }
  }

  close(): void {
    endOf(this.#file);
    this.#file = null;
  }

  stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { path } = this;
    let file: FileHandle | null = null;
    let isOver = false;
    const end = () => {
      isOver = true;
      endOf(file);
      file = null;
    };
    return new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        try {
          const source = file ??= await open(path);
          // The stream may have been cancelled while the file was being opened.
          if (isOver) return end();
          const piece = new Uint8Array(PIECE_BYTES);
          const { bytesRead } = await source.read(piece, 0, PIECE_BYTES, null);
          if (isOver) return;
          if (bytesRead > 0) return controller.enqueue(piece.subarray(0, bytesRead));
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
      await rename(this.path, path);
    } catch (error) {
      if ((error as { code?: string }).code !== "EXDEV") throw error;
      await copyOver(this.path, path);
    }
    this.path = path;
  }
}

/** Closes a file. Its bytes are with the system already, so a failure of the close does not concern them. */
function endOf(file: FileHandle | null): void {
  file?.close().catch(() => {});
}

/** Moves a file to another disk. The copy gets its name when it is complete, so that no reader finds half a file. */
async function copyOver(from: string, to: string): Promise<void> {
  const part = `${to}.${crypto.randomUUID()}.part`;
  try {
    await copyFile(from, part);
    await rename(part, to);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
  await rm(from);
}
