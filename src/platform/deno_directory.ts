// Temporary files with paths under Deno, in a directory that no other user can look into.
// What has a name outlives a process that is killed, and only such a one: an exit removes what is left.

import { PREFIX, storageError } from "./deno_temporary.ts";
import type { NamedFile, TemporaryDirectory } from "./ports.ts";

/** What is read at once: as much as a streamed body brings at best. */
const PIECE_BYTES = 128 * 1024;

/** Directories to be removed at the exit. */
const live = new Set<string>();
let isExitWatched = false;

/**
 * Makes a private directory.
 *
 * @param parent an existing directory; not given, the system's directory for temporary files, which TMPDIR names
 * @returns the directory, empty
 * @throws {StorageError} if it cannot be made
 */
export async function makeTemporaryDirectory(parent?: string): Promise<TemporaryDirectory> {
  watchExit();
  try {
    // Deno makes it with mode 0700.
    const path = await Deno.makeTempDir({ dir: parent, prefix: PREFIX });
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
        // No caller is left to be told.
      }
    }
  });
}

class DenoDirectory implements TemporaryDirectory {
  #path: string;
  #making = new Set<Promise<unknown>>();
  #files: DenoNamedFile[] = [];
  #removed: Promise<void> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async create(name: string): Promise<NamedFile> {
    const path = `${this.#path}/${name}`;
    try {
      if (this.#removed !== null) throw new Error("the directory was removed");
      const opening = Deno.open(path, { write: true, createNew: true, mode: 0o600 });
      this.#making.add(opening);
      const file = new DenoNamedFile(await opening, path);
      this.#making.delete(opening);
      this.#files.push(file);
      return file;
    } catch (error) {
      throw storageError("be made", this.#path, error);
    }
  }

  remove(): Promise<void> {
    return this.#removed ??= this.#remove();
  }

  async #remove(): Promise<void> {
    // A file that is just being made would stand in the way of its directory's removal.
    await Promise.allSettled(this.#making);
    for (const file of this.#files) file.close();
    try {
      await Deno.remove(this.#path, { recursive: true });
    } catch {
      // It was removed by another process, or will be.
    }
    live.delete(this.#path);
  }
}

class DenoNamedFile implements NamedFile {
  path: string;
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
          // A caller that cancels does not wait for the file to be opened.
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

/** Another disk: the copy gets its name when it is whole, so that no reader finds half a file there. */
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
