// What the program prints and with which code it ends.

import { Failure } from "../platform/failure.ts";
import { lineLog } from "../platform/log.ts";
import type { Platform } from "../platform/ports.ts";
import { platform as runtime } from "../platform/runtime.ts";
import { parseFlags } from "./parse_flags.ts";
import { countWorkers } from "./processes.ts";
import { runAndExit } from "./run_and_exit.ts";
import { VERSION } from "./version.ts";

/**
 * Runs the program to its end.
 *
 * @param platform the runtime
 */
export async function main(platform: Platform = runtime): Promise<void> {
  await runAndExit(start(platform), platform.process);
}

/** Does what the command line says; null if the process may end by itself. What is not needed is not loaded. */
async function start(platform: Platform): Promise<number | null> {
  const { process, clock } = platform;
  const problem = process.runtimeProblem();
  if (problem !== null) throw Failure.usage(problem);
  const context = { platform, log: lineLog(process, clock) };
  const [first, ...rest] = process.args;
  if (first === "ctl") return await (await import("./ctl.ts")).ctl(rest, platform);
  const asked = parseFlags(process.args, process.env);
  if (asked.options.help) {
    const { usage } = await import("./usage.ts");
    return print(platform, usage(process.program, await process.advice()));
  }
  if (asked.options.version) return print(platform, `weft ${VERSION} (${process.runtime})\n`);
  const workers = countWorkers(asked, platform);
  if (workers === null && asked.app !== undefined && platform.readsConfiguration) {
    // Before the engine is loaded, and before the first line: this process may be replaced.
    await (await import("./start_again.ts")).useOwnConfiguration(asked.app, context);
  }
  const variables = process.variables("WEFT_");
  if (variables.length > 0) (await import("./misspelt.ts")).warnOfVariables(variables, context.log);
  if (workers === null) return await (await import("./run.ts")).run(asked, context);
  return await (await import("./run_supervisor.ts")).runSupervisor(asked, workers, context);
}

function print({ process }: Platform, text: string): null {
  process.stdout(text);
  return null;
}
