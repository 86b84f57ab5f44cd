// Files that are sent as they are, with Deno.

import type { Document, Documents, OpenDocument } from "./ports.ts";

/** Documents on Deno. */
export const documents: Documents = { find, open };

const isWindows = Deno.build.os === "windows";

function find(path: string): Document | null {
  try {
    const real = Deno.realPathSync(path);
    const { isFile, isDirectory, size, mtime } = Deno.statSync(real);
    const kind = isFile ? "file" : isDirectory ? "directory" : "other";
    return { path: isWindows ? real.replaceAll("\\", "/") : real, kind, size, modifiedAt: mtime?.getTime() ?? null };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    // Nothing is there, a part of the path is not a directory, or it may not be read: for a client that is the same.
    return null;
  }
}

async function open(path: string): Promise<OpenDocument> {
  const file = await Deno.open(path);
  return { read: (into) => file.read(into), close: () => file.close() };
}
