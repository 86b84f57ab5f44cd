// Ends a process of the program: with which exit code, and with which message if it failed.

import { AppLoadError } from "../app/load_error.ts";
import { showError } from "../platform/log.ts";
import type { Process } from "../platform/ports.ts";
import { EXIT } from "../prefork/exit_codes.ts";
import { Failure } from "./failure.ts";
import { UsageError } from "./parse_flags.ts";

/**
 * Waits for the work and ends the process.
 *
 * @param work gives the exit code; null if the process may end by itself
 * @param process the process
 */
export async function runAndExit(work: Promise<number | null>, process: Process): Promise<void> {
  try {
    const code = await work;
    if (code !== null) process.exit(code);
  } catch (error) {
    const code = codeOf(error);
    process.stderr(`weft: ${code === null ? showError(error) : (error as Error).message}\n`);
    process.exit(code ?? EXIT.error);
  }
}

/** The code for an error that was put into words for the user; null for an unexpected one. */
function codeOf(error: unknown): number | null {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof AppLoadError) return EXIT.appNotLoaded;
  return error instanceof Failure ? error.code : null;
}
