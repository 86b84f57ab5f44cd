// A temporary file that keeps a long body until the application reads it.
// Its owner may remove it at any time, also while the file is being opened, written or read.

import type { TemporaryFile, TemporaryFiles } from "../platform/ports.ts";
import { Gathering } from "../wire/gathering.ts";

/** Read at once from the file: as much as a streamed body brings at best. */
const PIECE_BYTES = 128 * 1024;

/** The waits of writing. Each throws `StorageError` if the disk fails. */
type Waits = Generator<PromiseLike<unknown>, void, unknown>;

/** A body in a file. */
export class Spool {
  #files: TemporaryFiles;
  #gathering: Gathering = new Gathering();
  /** Null until there are bytes for it: a head alone opens no file. */
  #file: TemporaryFile | null = null;
  #isRemoved = false;

  /** @param files opens the file */
  constructor(files: TemporaryFiles) {
    this.#files = files;
  }

  /**
   * Appends bytes; short pieces are gathered first.
   *
   * @param bytes not changed until the last wait is over
   */
  *append(bytes: Uint8Array): Waits {
    for (const block of this.#gathering.put(bytes)) yield* this.#write(block);
  }

  /** Writes what was gathered last. */
  *end(): Waits {
    const last = this.#gathering.end();
    if (last !== null) yield* this.#write(last);
  }

  /**
   * Reads on from where the last read ended.
   *
   * @returns the next bytes, or null at the end
   * @throws {StorageError} if the disk fails
   */
  async read(): Promise<Uint8Array | null> {
    if (this.#file === null) return null;
    const piece = new Uint8Array(PIECE_BYTES);
    const count = await this.#file.read(piece);
    return count === null ? null : piece.subarray(0, count);
  }

  /** Removes the file. May be called again. */
  remove(): void {
    this.#isRemoved = true;
    this.#file?.remove();
  }

  *#write(bytes: Uint8Array): Waits {
    if (this.#file === null) yield this.#open();
    if (!this.#isRemoved) yield this.#file!.append(bytes);
  }

  async #open(): Promise<void> {
    this.#file = await this.#files.open();
    if (this.#isRemoved) this.#file.remove();
  }
}
