// The errors of a runtime that callers tell from other errors.

/** Thrown by a listener's `accept` when the listener was closed. */
export class ListenerClosed extends Error {
  override readonly name = "ListenerClosed";
}

/** A temporary file cannot be made, written or read: the disk is full, for example, or its directory is gone. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/** Thrown by `Sources.modulesOf`; the message says why, and what to do. */
export class ModulesUnknown extends Error {
  override readonly name = "ModulesUnknown";
}

/** What the system has too few of to watch files: watches, instances of inotify, or descriptors of this process. */
export type WatchResource = "watches" | "instances" | "descriptors";

/** Thrown by `Sources.watch` if a limit of the system is reached. */
export class WatchLimit extends Error {
  override readonly name = "WatchLimit";
  readonly resource: WatchResource;

  /**
   * @param resource what there are too few of
   * @param options the system's error, whose message this one takes over
   */
  constructor(resource: WatchResource, { cause }: { cause: Error }) {
    super(cause.message, { cause });
    this.resource = resource;
  }
}
