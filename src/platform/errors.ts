// Errors of the ports that callers distinguish from other errors.

import { brand } from "../copies/shared.ts";

/** Thrown by a listener's `accept` when the listener was closed. */
export class ListenerClosed extends Error {
  override readonly name = "ListenerClosed";
}

/** Thrown by `connect` if the process that listens has not accepted as many connections as may wait. */
export class ConnectBusy extends Error {
  override readonly name = "ConnectBusy";
}

/** Thrown if a temporary file cannot be made, written or read, for example because the disk is full. */
export class StorageError extends Error {
  static {
    brand(this, "StorageError");
  }

  /** Tells the class of an error from another realm or copy. */
  override readonly name = "StorageError";
}

/** Thrown by `Sources.modulesOf`. The message says why, and what to do. */
export class ModulesUnknown extends Error {
  override readonly name = "ModulesUnknown";
}

/** A resource that watching files needs: watches, instances of inotify, or descriptors of this process. */
export type WatchResource = "watches" | "instances" | "descriptors";

/** Thrown by `Sources.watch` if a limit of the system is reached. */
export class WatchLimit extends Error {
  override readonly name = "WatchLimit";
  /** The resource of which there are too few. */
  readonly resource: WatchResource;

  /**
   * @param resource of which there are too few
   * @param options the system's error; its message becomes this one's
   */
  constructor(resource: WatchResource, { cause }: { cause: Error }) {
    super(cause.message, { cause });
    this.resource = resource;
  }
}

/** Thrown by the port for programs if the system has no program of that name. */
export class ProgramMissing extends Error {
  override readonly name = "ProgramMissing";
}
