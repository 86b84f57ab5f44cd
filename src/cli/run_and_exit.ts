// Ends a process of the program: with which exit code, and with which message if it failed.

import { EXIT, Failure } from "../platform/failure.ts";
import { showError } from "../platform/log.ts";
import type { Process } from "../platform/ports.ts";

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
    const isExpected = error instanceof Failure;
    process.stderr(`weft: ${isExpected ? error.message : showError(error)}\n`);
    process.exit(isExpected ? error.code : EXIT.error);
  }
}
