// Temporary directories on Node.

import { rmSync } from "node:fs";
import { copyFile, type FileHandle, mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { process } from "./node_process.ts";
import type { TemporaryDirectory } from "./ports.ts";
import { type OpenFile, temporaryDirectories } from "./temporary_directory.ts";

/** Makes a private directory; see {@linkcode temporaryDirectories}. */
export const makeTemporaryDirectory: (parent?: string) => Promise<TemporaryDirectory> = temporaryDirectories({
  makeDirectory: ({ parent, prefix }) => mkdtemp(`${parent ?? tmpdir()}/${prefix}`),
  create: async (path) => opened(await open(path, "wx", 0o600)),
  open: async (path) => opened(await open(path)),
  rename,
  copy: (from, to) => copyFile(from, to),
  remove: (path) => rm(path),
  removeTree: (path) => rm(path, { recursive: true }),
  removeTreeNow: (path) => rmSync(path, { recursive: true }),
  onExit: (call) => void process.on("exit", call),
});

function opened(file: FileHandle): OpenFile {
  return {
    write: async (bytes) => (await file.write(bytes)).bytesWritten,
    read: async (into) => (await file.read(into, 0, into.length, null)).bytesRead || null,
    close: () => void file.close().catch(() => {}),
  };
}
