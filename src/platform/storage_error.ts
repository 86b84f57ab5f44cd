// What the temporary files of all runtimes have in common: the beginning of their names, and how a failure is told.

import { StorageError } from "./errors.ts";
import { messageOf } from "./log.ts";

/** Temporary names begin with this, so that an operator sees where a file comes from. */
export const PREFIX = "weft-";

/**
 * Makes the error of a temporary file.
 *
 * @param what could not be done, such as "be written"
 * @param directory of the file, by default the system's directory for temporary files
 * @param cause the system's error
 * @returns the error, to be thrown
 */
export function storageError(what: string, directory: string | undefined, cause: unknown): StorageError {
  const where = directory ?? "the system's directory for them";
  const reason = messageOf(cause);
  return new StorageError(
    `a temporary file cannot ${what} in ${where}: ${reason}; ` +
      `make room there, or set TMPDIR (on Windows TEMP) to a directory that this process may read and write`,
    { cause },
  );
}
