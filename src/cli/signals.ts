// What the operator's signals ask for, in every kind of process.

import type { Log, Platform, SignalName } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";

/** Exit codes of a stop that was forced: 128 and the signal's number. */
const FORCED: Readonly<Partial<Record<SignalName, number>>> = {
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
  SIGQUIT: 143,
  SIGBREAK: 130,
};

/** What the signals have asked for. */
export interface Ending {
  /** Resolves when a second signal wants the end now. */
  forced: Promise<void>;
  isForced(): boolean;
  /** The exit code of an end that was forced, 128 and the number of the last signal. */
  code(): number;
}

/** How what is asked for is done. */
export interface Stops {
  /** How many connections are open, for the log. */
  open(): number;
  /** False until the first signal, or a stop that was asked for otherwise. */
  isStopping(): boolean;
  drain(): void;
  abort(): void;
}

/** What obeying needs of its surroundings. */
interface Context {
  platform: Platform;
  log: Log;
}

/** What obeySignals() gives: also the way to stop for another reason. */
export interface Obeying extends Ending {
  /** Drains unless the process is stopping already. */
  stop(name: SignalName, why: string): void;
}

/**
 * Obeys the signals that end a process: the first drains, a second one cuts.
 *
 * @param stops how that is done
 * @param context the runtime and the log
 * @returns what was asked for
 */
export function obeySignals(stops: Stops, { platform, log }: Context): Obeying {
  const { promise: forced, resolve: force } = withResolvers<void>();
  let code = 0;
  let isForced = false;
  const stop = (name: SignalName, why: string) => {
    if (stops.isStopping()) return;
    code = FORCED[name]!;
    log("INFO", `${why}: stopping; connections open: ${stops.open()}; send it again to stop now`);
    stops.drain();
  };
  for (const name of ["SIGTERM", "SIGINT", "SIGQUIT", "SIGBREAK"] as const) {
    platform.process.onSignal(name, () => {
      if (!stops.isStopping()) return stop(name, name);
      code = FORCED[name]!;
      log("WARN", `${name} again: stopping now`);
      isForced = true;
      stops.abort();
      force();
    });
  }
  return { forced, isForced: () => isForced, code: () => code, stop };
}

/**
 * Prints the state on USR1.
 *
 * @param dump makes the text
 * @param context the runtime and the log
 */
export function dumpOnSignal(
  dump: () => string | Promise<string>,
  { platform, log }: Context,
): void {
  platform.process.onSignal("SIGUSR1", async () => {
    const shut = keepDebuggerShut(platform, log);
    platform.process.stderr(await dump());
    await shut;
  });
}

/** A state that is asked for must not leave a door open. */
async function keepDebuggerShut({ process }: Platform, log: Log): Promise<void> {
  const state = await process.closeDebugger();
  if (state === "closed") log("INFO", "the debugger that the runtime opens on USR1 is closed again");
  if (state === "not permitted") {
    log(
      "WARN",
      "the runtime opens its debugger on USR1, and it stays open; with --allow-sys it is closed again",
    );
  }
}
