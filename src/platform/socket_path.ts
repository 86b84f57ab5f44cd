// How a Unix socket is opened at a path, what may be cleared away for it, and what to say if that fails.

import { messageOf } from "./log.ts";
import type { Listener, Platform } from "./ports.ts";

/** A Unix socket cannot be opened at a path; the message is the reason, without the path. */
export class SocketPathError extends Error {
  override readonly name = "SocketPathError";
  /** True if the path can never be one of a socket, whatever is there. */
  readonly isUsage: boolean;

  /**
   * @param message the reason
   * @param options the error of the system, and whether the path itself is at fault
   */
  constructor(message: string, options: ErrorOptions & { isUsage?: boolean } = {}) {
    super(message, options);
    this.isUsage = options.isUsage ?? false;
  }
}

/** What keeps a path from being a socket's. */
type Obstacle = "a live socket" | "a file" | "a directory" | "a symbolic link" | "a device or a pipe";

/**
 * Listens at a path. A socket that a killed process has left there is replaced, nothing else is touched.
 *
 * @param path where
 * @param platform the runtime
 * @returns the listener
 * @throws {SocketPathError} if that is not possible
 */
export async function listenAtPath(path: string, platform: Platform): Promise<Listener> {
  try {
    return platform.listen({ transport: "unix", path });
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw explain(error);
  }
  try {
    const obstacle = await clearSocketPath(path, platform);
    if (obstacle === "a live socket") throw new SocketPathError("another process listens there; stop it");
    if (obstacle !== null) throw new SocketPathError(`the path exists and is not a socket but ${obstacle}`);
    return platform.listen({ transport: "unix", path });
  } catch (error) {
    throw explain(error);
  }
}

/**
 * Clears a path for a Unix socket: one that a killed process has left is removed, nothing else is touched.
 *
 * @param path where a socket is to be
 * @param platform the runtime
 * @returns null if the path is free now, otherwise what is there
 */
export async function clearSocketPath(path: string, platform: Platform): Promise<Obstacle | null> {
  const entry = platform.files.entryAt(path);
  if (entry === null) return null;
  if (entry !== "a socket") return entry;
  if (await platform.isUnixSocketLive(path)) return "a live socket";
  platform.removeFile(path);
  return null;
}

function codeOf(error: unknown): string | undefined {
  return (error as { code?: string }).code;
}

function explain(error: unknown): SocketPathError {
  if (error instanceof SocketPathError) return error;
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return new SocketPathError("another process listens there now", { cause: error });
    case "ENOENT":
      return new SocketPathError("its directory does not exist", { cause: error });
    case "ENOTDIR":
      return new SocketPathError("a part of the path is not a directory", { cause: error });
    case "EACCES":
    case "EPERM":
      return new SocketPathError(`this user may not make a file there (${codeOf(error)})`, { cause: error });
    case "EINVAL":
      return new SocketPathError("the path is too long, a socket's has at most about 100 bytes", {
        cause: error,
        isUsage: true,
      });
    default:
      return new SocketPathError(messageOf(error), { cause: error });
  }
}
