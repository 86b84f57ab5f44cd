// Knows: how to tell the user why changes cannot be seen.
// Does not know: who prints it.

/** Files cannot be watched; the message says what was expected, what came, and what to do. */
export class CannotWatch extends Error {
  override readonly name = "CannotWatch";
}

/** What to do about an error of the system, by the error's name. */
const ADVICE: Readonly<Record<string, string>> = {
  NotCapable: "; allow reading it with --allow-read",
  PermissionDenied: "; give this user the right to read it, or name other directories with --restart-directory",
  // What Linux says where a user's watches are used up is no error of a class of its own.
  Error: "; where it is the limit of watches, raise fs.inotify.max_user_watches or name fewer --restart-directory",
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
  return new CannotWatch(`cannot watch ${which}: ${message}${ADVICE[name] ?? ""}`, { cause: error });
}
