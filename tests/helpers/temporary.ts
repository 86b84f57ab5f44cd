// Directories for one test's temporary files, which must be empty at its end, and a disk that is soon full.

import assert from "node:assert/strict";
import { denoTemporaryFiles } from "../../src/platform/deno_temporary.ts";
import type { TemporaryFile, TemporaryFiles } from "../../src/platform/ports.ts";

/** Real temporary files in a directory of their own. */
export interface RealDisk extends TemporaryFiles, AsyncDisposable {
  readonly directory: string;
  /** How many files were opened. */
  readonly opened: number;
  /** The names in the directory now. */
  names(): string[];
  /** Resolves when every file that was opened is removed. */
  allRemoved(): Promise<void>;
}

/**
 * Makes a directory for temporary files. Disposing of it waits until every file is removed, and fails if one was
 * left.
 *
 * @param directory an existing one; not given, a new one, which goes away at the end
 */
export function realDisk(directory?: string): RealDisk {
  const own = directory ?? Deno.makeTempDirSync({ prefix: "weft-test-" });
  const files = denoTemporaryFiles(own);
  const removed: Promise<void>[] = [];
  let opened = 0;
  const allRemoved = async () => void await Promise.all(removed);
  const names = () => Array.from(Deno.readDirSync(own), ({ name }) => name);
  return {
    directory: own,
    get opened() {
      return opened;
    },
    names,
    async open() {
      const file = await files.open();
      opened++;
      const gone = Promise.withResolvers<void>();
      removed.push(gone.promise);
      const watched: TemporaryFile = {
        append: (bytes) => file.append(bytes),
        read: (into) => file.read(into),
        async remove() {
          await file.remove();
          gone.resolve();
        },
      };
      return watched;
    },
    allRemoved,
    async [Symbol.asyncDispose]() {
      await allRemoved();
      assert.deepEqual(names(), []);
      if (directory === undefined) Deno.removeSync(own);
    },
  };
}

/**
 * Calls with the path of a file system that has room for one mebibyte, if this process may mount one.
 *
 * @param call does the test
 */
export async function onTinyDisk(call: (directory: string) => Promise<void>): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "weft-tiny-" });
  try {
    if (!await runs("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory])) {
      console.log("skipped, this process may not mount a small file system; run it as root on Linux");
      return;
    }
    try {
      await call(directory);
    } finally {
      assert.ok(await runs("umount", [directory]), "the small file system is still in use");
    }
  } finally {
    Deno.removeSync(directory);
  }
}

async function runs(command: string, args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
