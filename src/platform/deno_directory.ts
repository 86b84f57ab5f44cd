// Temporary directories on Deno.

import type { TemporaryDirectory } from "./ports.ts";
import { temporaryDirectories } from "./temporary_directory.ts";

/** Makes a private directory; see {@linkcode temporaryDirectories}. */
export const makeTemporaryDirectory: (parent?: string) => Promise<TemporaryDirectory> = temporaryDirectories({
  makeDirectory: ({ parent, prefix }) => Deno.makeTempDir(parent === undefined ? { prefix } : { dir: parent, prefix }),
  create: (path) => Deno.open(path, { write: true, createNew: true, mode: 0o600 }),
  open: (path) => Deno.open(path),
  rename: (from, to) => Deno.rename(from, to),
  copy: (from, to) => Deno.copyFile(from, to),
  remove: (path) => Deno.remove(path),
  removeTree: (path) => Deno.remove(path, { recursive: true }),
  removeTreeNow: (path) => Deno.removeSync(path, { recursive: true }),
  onExit: (call) => globalThis.addEventListener("unload", call),
});
