// Explains to the user why changes cannot be seen, and what to do about it.

import { WatchLimit, type WatchResource } from "../platform/errors.ts";

/** Files cannot be watched; the message says what was expected, what came, and what to do. */
export class CannotWatch extends Error {
  override readonly name = "CannotWatch";
}

/** What to do about an error of the system, by the error's name. */
const ADVICE: Readonly<Record<string, string>> = {
  NotCapable: "; allow reading it with --allow-read",
  PermissionDenied: "; give this user the right to read it, or name other directories with --restart-directory",
};

/** What to do about a limit that is reached. Linux counts the first two for each user, over all of the user's programs. */
const LIMIT_ADVICE: Readonly<Record<WatchResource, string>> = {
  watches: "; this user's watches are used up: raise fs.inotify.max_user_watches with sysctl, name fewer " +
    "--restart-directory, or use --restart-poll 1",
  instances:
    "; this user's inotify instances are used up: raise fs.inotify.max_user_instances with sysctl, end other programs " +
    "that watch files, or use --restart-poll 1",
  descriptors: "; this process may not open more files: raise the limit with `ulimit -n`",
};

/**
 * Makes the error for a watch that the system refuses.
 *
 * @param directories that were to be watched
 * @param error what the system said
 * @returns the error to throw
 */
export function refusedBySystem(directories: readonly string[], error: unknown): CannotWatch {
  const which = directories.length === 1
    ? directories[0]
    : `${directories.length} directories (${directories[0]}, ...)`;
  const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
  const advice = error instanceof WatchLimit ? LIMIT_ADVICE[error.resource] : ADVICE[name] ?? "";
  return new CannotWatch(`cannot watch ${which}: ${message}${advice}`, { cause: error });
}
