// Warns of settings that nothing reads: an option of an application or a variable, whose name is close to a known one.

import type { Log } from "../platform/ports.ts";
import { LIMIT_FLAGS } from "./cli_options.ts";
import { allVariables } from "./flags.ts";
import { nearestOf } from "./nearest.ts";

/** What the default export of an application may have. */
const OPTIONS: readonly string[] = [
  ...["fetch", "accept", "onError", "onListen", "shutdown", "port", "hostname", "path", "cert", "key"],
  ...["trustProxy", "proxyProtocol", "compress", "automaticCompression"],
  ...LIMIT_FLAGS.map(({ limit }) => limit),
];

/** Most letters that differ. A short name, such as `test`, is close to many others. */
const MOST_LETTERS = { ofShort: 1, ofLong: 2 };
const SHORT = 6;

/**
 * Warns of options of an application.
 *
 * @param names of what its default export has
 * @param log takes the lines
 */
export function warnOfOptions(names: readonly string[], log: Log): void {
  warn("the application's options", { names, known: OPTIONS, log });
}

/**
 * Warns of variables.
 *
 * @param names of variables that are set
 * @param log takes the lines
 */
export function warnOfVariables(names: readonly string[], log: Log): void {
  warn("the environment", { names, known: allVariables(), log });
}

function warn(
  where: string,
  { names, known, log }: { names: readonly string[]; known: readonly string[]; log: Log },
): void {
  for (const name of names) {
    if (known.includes(name)) continue;
    const most = name.replace("WEFT_", "").length < SHORT ? MOST_LETTERS.ofShort : MOST_LETTERS.ofLong;
    const nearest = nearestOf(name, known, most);
    if (nearest !== null) log("WARN", `${where}: ${name} is not known; did you mean ${nearest}?`);
  }
}
