// Knows: what the program prints and with which code it ends.
// Does not know: how anything is served (run.ts).

import { AppLoadError } from "../app/load_error.ts";
import { lineLog, showError } from "../platform/log.ts";
import type { Platform } from "../platform/ports.ts";
import { platform as runtime } from "../platform/runtime.ts";
import { parseFlags, UsageError } from "./parse_flags.ts";
import { CannotListen, run } from "./run.ts";
import { usage } from "./usage.ts";
import { VERSION } from "./version.ts";

/** How the program ends; the numbers are part of its contract. */
export const EXIT = { clean: 0, error: 1, usage: 2, appNotLoaded: 4 } as const;

/**
 * Runs the program to its end.
 *
 * @param platform the runtime
 */
export async function main(platform: Platform = runtime): Promise<void> {
  const { process, clock } = platform;
  try {
    const asked = parseFlags(process.args, process.env);
    if (asked.values.get("help") === true) return process.stdout(usage(`deno run -A ${process.program}`));
    if (asked.values.get("version") === true) return process.stdout(`weft ${VERSION} (${process.runtime})\n`);
    process.exit(await run(asked, platform, lineLog(process, clock)));
  } catch (error) {
    const code = codeOf(error);
    process.stderr(`weft: ${code === null ? showError(error) : (error as Error).message}\n`);
    process.exit(code ?? EXIT.error);
  }
}

/** The code for an error that was put into words for the user; null for one that nobody expected. */
function codeOf(error: unknown): number | null {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof AppLoadError) return EXIT.appNotLoaded;
  return error instanceof CannotListen ? EXIT.error : null;
}
