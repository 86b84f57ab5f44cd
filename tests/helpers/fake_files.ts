// Temporary files that stand in memory and fail or wait if a test says so.

import { StorageError } from "../../src/platform/errors.ts";
import type { TemporaryFile, TemporaryFiles } from "../../src/platform/ports.ts";
import { join } from "./responses.ts";

/** A disk for one test. */
export class FakeTemporaryFiles implements TemporaryFiles {
  /** Every file that was opened. */
  readonly files: FakeTemporaryFile[] = [];
  /** Bytes that there is room for. */
  room = Infinity;
  /** If set, nothing is opened, written or read before it has resolved. */
  gate: Promise<void> | null = null;
  /** Why no file can be opened. */
  refusal: string | null = null;

  /** Files that were not removed. */
  get left(): FakeTemporaryFile[] {
    return this.files.filter((file) => !file.isRemoved);
  }

  async open(): Promise<TemporaryFile> {
    await this.gate;
    if (this.refusal !== null) throw new StorageError(this.refusal);
    const file = new FakeTemporaryFile(this);
    this.files.push(file);
    return file;
  }
}

/** A file of a fake disk. */
export class FakeTemporaryFile implements TemporaryFile {
  /** What each append has brought. */
  readonly writes: Uint8Array[] = [];
  isRemoved = false;
  isWriting = false;
  #files: FakeTemporaryFiles;
  #at = 0;

  constructor(files: FakeTemporaryFiles) {
    this.#files = files;
  }

  async append(bytes: Uint8Array): Promise<void> {
    if (this.isWriting) throw new Error("two writes at a time");
    this.isWriting = true;
    await this.#files.gate;
    this.isWriting = false;
    if (this.isRemoved) throw new StorageError("written after it was removed");
    if (bytes.length > this.#files.room) throw new StorageError("no space left on the fake device");
    this.#files.room -= bytes.length;
    this.writes.push(bytes.slice());
  }

  async read(into: Uint8Array): Promise<number | null> {
    await this.#files.gate;
    if (this.isRemoved) throw new StorageError("read after it was removed");
    const bytes = join(this.writes).subarray(this.#at, this.#at + into.length);
    into.set(bytes);
    this.#at += bytes.length;
    return bytes.length === 0 ? null : bytes.length;
  }

  remove(): Promise<void> {
    this.isRemoved = true;
    return Promise.resolve();
  }
}
