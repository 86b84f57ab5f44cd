// The lines with which the program begins and ends to serve, whether alone or with workers.

import { localUrl, withLocalUrl } from "../platform/address.ts";
import { pathInLine } from "../platform/log.ts";
import type { Asked } from "./parse_flags.ts";
import type { Context } from "./prepare.ts";
import { VERSION } from "./version.ts";

/**
 * Prints the URL, and opens it in a browser if that was asked for.
 *
 * @param url what a user types
 * @param asked what is served, and whether it is to be opened in a browser
 * @param context the runtime, the log, and what the log's line has besides
 */
export function sayServing(url: string, asked: Asked, { platform, log, more }: Context & { more: string }): void {
  const { process } = platform;
  process.stdout(`You can connect to your server at ${withLocalUrl(url)}\n`);
  log(
    "INFO",
    `weft ${VERSION} on ${process.runtime} serves ${
      asked.app === undefined ? "the demo" : pathInLine(asked.app)
    }${more}`,
  );
  if (!asked.options.open) return;
  platform.openBrowser(localUrl(url)).catch((error) => log("WARN", `cannot open a browser: ${error.message}`));
}

/**
 * Logs how the connections have ended.
 *
 * @param counts of connections
 * @param context the log
 */
export function sayStopped(
  { finished, cut, refused }: { finished: number; cut: number; refused: number },
  { log }: Context,
): void {
  log("INFO", `stopped; connections finished: ${finished}, cut: ${cut}, refused: ${refused}`);
}
