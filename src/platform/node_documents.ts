// Files that are sent as they are, with Node.

import { realpathSync, statSync } from "node:fs";
import { open as openFile } from "node:fs/promises";
import { process } from "./node_process.ts";
import type { Document, Documents, OpenDocument } from "./ports.ts";

/** Documents on Node. */
export const documents: Documents = { find, open };

const isWindows = process.platform === "win32";

function find(path: string): Document | null {
  try {
    const real = realpathSync.native(path);
    const found = statSync(real);
    const kind = found.isFile() ? "file" : found.isDirectory() ? "directory" : "other";
    return {
      path: isWindows ? real.replaceAll("\\", "/") : real,
      kind,
      size: found.size,
      modifiedAt: found.mtime.getTime(),
    };
  } catch {
    // Nothing is there, a part of the path is not a directory, or it may not be read: for a client that is the same.
    return null;
  }
}

async function open(path: string): Promise<OpenDocument> {
  const file = await openFile(path);
  return {
    async read(into) {
      const { bytesRead } = await file.read(into, 0, into.length, null);
      return bytesRead === 0 ? null : bytesRead;
    },
    close: () => void file.close(),
  };
}
