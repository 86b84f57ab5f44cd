// Opens a Unix socket at a path. Removes only a socket that no process uses, and explains why a path cannot be used.

import { messageOf } from "./log.ts";
import type { Listener, Platform } from "./ports.ts";

/** Thrown if a Unix socket cannot be opened at a path. The message is the reason, without the path. */
export class SocketPathError extends Error {
  override readonly name = "SocketPathError";
  /** True if a socket can never have this path, whatever is there. */
  readonly isUsage: boolean;

  /**
   * @param message the reason
   * @param options the system's error, and whether the path itself is wrong
   */
  constructor(message: string, options: ErrorOptions & { isUsage?: boolean } = {}) {
    super(message, options);
    this.isUsage = options.isUsage ?? false;
  }
}

/** A file at the path that must not be removed. */
type Obstacle = "a live socket" | "a file" | "a directory" | "a symbolic link" | "a device or a pipe";

/**
 * Listens at a path. A socket that a killed process has left there is replaced. Any other file is left alone.
 *
 * @param path of the socket
 * @param platform the runtime
 * @returns the listener
 * @throws {SocketPathError} if the path cannot be used
 */
export async function listenAtPath(path: string, platform: Platform): Promise<Listener> {
  try {
    return platform.listen({ transport: "unix", path });
  } catch (error) {
    if (codeOf(error) !== "EADDRINUSE") throw explain(error);
  }
  try {
    const obstacle = await clearSocketPath(path, platform);
    if (obstacle === "a live socket") throw new SocketPathError("another process listens there");
    if (obstacle !== null) throw new SocketPathError(`the path exists and is not a socket but ${obstacle}`);
    return platform.listen({ transport: "unix", path });
  } catch (error) {
    throw explain(error);
  }
}

/**
 * Clears a path for a Unix socket. A socket that a killed process has left is removed. Any other file is left alone.
 *
 * @param path of the future socket
 * @param platform the runtime
 * @returns null if the path is free now, otherwise what is at it
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
