// The ports for temporary files. Types only: the errors are in errors.ts.

/** A file that only this process can open. It is removed when the process ends. */
export interface TemporaryFile {
  /** Writes all of the bytes at the end. They must not change until then. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Reads on from the end of the last read, at first from the beginning. Gives the number of bytes, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Removes the file and releases its disk space. Never rejects. May be called again, and while a call is under way. */
  remove(): Promise<void>;
}

/** Makes files for bytes that are too many for memory. Everything here fails with {@linkcode StorageError}. */
export interface TemporaryFiles {
  /** Opens a new file. If the system allows it the file has no name, so that even a killed process does not leave it. */
  open(): Promise<TemporaryFile>;
}

/** A directory that only this user can enter, for temporary files that are used by their paths. */
export interface TemporaryDirectory {
  readonly path: string;
  /** Makes a file under a new name and opens it for writing. */
  create(name: string): Promise<NamedFile>;
  /** Removes the directory with all files in it. Never rejects. May be called again, and while other calls are under way. */
  remove(): Promise<void>;
}

/** A file in a temporary directory. */
export interface NamedFile {
  /** The current path. Changed by `moveTo`. */
  readonly path: string;
  /** Writes all of the bytes at the end. They must not change until then. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Ends the writing. May be called again. */
  close(): void;
  /** The content, from the beginning. May be called again. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Moves the file to another path, also on another disk. A file that exists there is replaced. */
  moveTo(path: string): Promise<void>;
}
