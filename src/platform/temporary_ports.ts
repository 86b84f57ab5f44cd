// What may be asked of files that end with a request.

/** A file of this process alone: no other user can open it, and it is gone with its owner. */
export interface TemporaryFile {
  /** Writes all of the bytes after those before; they must not change until then. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Reads on from where the last read ended, first from the beginning: how many bytes, or null at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Lets go of it and of its room on the disk. Never rejects; may be called again, and while a call is under way. */
  remove(): Promise<void>;
}

/** Keeps bytes that are too many for memory. Everything that fails here fails with {@linkcode StorageError}. */
export interface TemporaryFiles {
  /** Opens a new file; if the system allows it, it has no name, so that not even a killed process leaves it behind. */
  open(): Promise<TemporaryFile>;
}

/** A directory that no other user can look into, for temporary files that are wanted by their paths. */
export interface TemporaryDirectory {
  /** Makes a file under a name that it does not have yet, open to be written. */
  create(name: string): Promise<NamedFile>;
  /** Removes itself and everything that is still in it. Never rejects; may be called again, and while others are under way. */
  remove(): Promise<void>;
}

/** A file in a temporary directory. */
export interface NamedFile {
  /** Where it is now. */
  readonly path: string;
  /** Writes all of the bytes after those before; they must not change until then. One call at a time. */
  append(bytes: Uint8Array): Promise<void>;
  /** Ends the writing. May be called again. */
  close(): void;
  /** Its content, from the beginning. May be called again. */
  stream(): ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Takes it to another path, also on another disk; what stands there is replaced. */
  moveTo(path: string): Promise<void>;
}
