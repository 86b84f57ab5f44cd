// Tells one content of a file from another: by a stamp, which costs no read, and by a fingerprint of its bytes.

import type { Sources } from "./ports.ts";

/** What a runtime knows of a path, without following a link. */
export interface FileFacts {
  isFile: boolean;
  isLink: boolean;
  size: number;
  /** Milliseconds since 1970 (UTC). */
  modifiedAt: number;
  inode: number;
}

/** A runtime's files. Those that take a path throw if there is nothing, or it may not be read. */
export interface FileReading {
  /** The facts of a path, without following a link. */
  facts(path: string): FileFacts;
  /** A text that differs if the bytes do. */
  digest(path: string): Promise<string>;
  readLink: Sources["readLink"];
  realPath: Sources["realPath"];
  /** True if the error says that there is no such file. */
  isNoFile(error: unknown): boolean;
}

/** Larger files are compared by size and time, because reading one after each save would take too long. */
const MAX_DIGESTED_BYTES = 8 * 1024 * 1024;
/** Two saves within this time may leave the same file time, because FAT counts in steps of 2 s. */
const RECENT_MS = 3_000;

/**
 * Makes what compares files.
 *
 * @param files those of the runtime
 * @returns the two comparisons of {@linkcode Sources}
 */
export function fileContents(files: FileReading): Pick<Sources, "stamp" | "fingerprint"> {
  const { readLink, realPath, isNoFile } = files;

  function stamp(path: string): string | null {
    try {
      const { isFile, isLink, size, modifiedAt, inode } = files.facts(path);
      if (isFile) {
        // The stamp changes again when the file is no longer recent. A save that was missed is found then.
        const isRecent = Math.abs(Date.now() - modifiedAt) < RECENT_MS;
        return `${size} ${modifiedAt} ${inode}${isRecent ? " recent" : ""}`;
      }
      if (!isLink) return null;
      // The target may be in a directory that is not watched.
      const target = realPath(path);
      return `-> ${readLink(path)} ${target === null ? "" : stamp(target)}`;
    } catch (error) {
      return isNoFile(error) ? null : "unreadable";
    }
  }

  async function fingerprint(path: string): Promise<string | null> {
    try {
      if (!files.facts(path).isLink) return await contentOf(path);
      // A link without a target has a fingerprint too.
      const target = realPath(path);
      return `-> ${readLink(path)} ${target === null ? null : await contentOf(target)}`;
    } catch (error) {
      // The file exists but cannot be read. Once it can be read, its fingerprint differs.
      return isNoFile(error) ? null : "unreadable";
    }
  }

  async function contentOf(path: string): Promise<string | null> {
    const { isFile, size, modifiedAt } = files.facts(path);
    if (!isFile) return null;
    return size > MAX_DIGESTED_BYTES ? `${size} bytes of ${modifiedAt}` : await files.digest(path);
  }

  return { stamp, fingerprint };
}
