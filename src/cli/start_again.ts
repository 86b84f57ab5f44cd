// Lets an application have its own configuration: its import map, its packages, its compiler options.
// Deno uses the configuration beside the program's main module, and only at the start of a process.

import { isFound, ownConfiguration } from "../app/own_configuration.ts";
import { messageOf } from "../platform/log.ts";
import type { Platform } from "../platform/ports.ts";
import type { Context } from "./prepare.ts";

/**
 * Starts the program again in the place of this process if the application's own configuration is not in use. Returns if it is,
 * if there is none, or if this process cannot know or do it: an application that does not load then is told what to type.
 *
 * @param app the application as it was asked for
 * @param context the runtime and the log
 */
export async function useOwnConfiguration(app: string, { platform, log }: Context): Promise<void> {
  const { process: { cwd }, files } = platform;
  const own = ownConfiguration(app, { cwd, files });
  if (own === null) return;
  const children = await platform.loadChildren();
  if (children.command() === null || await isConfigured(app, platform)) return;
  log("INFO", `starting again with ${children.flagsOf(own)}: the application has its own configuration`);
  try {
    children.startAgain(own);
  } catch (error) {
    log("WARN", `cannot start again, going on without it: ${messageOf(error)}`);
  }
}

/**
 * Tells whether this process uses an application's own configuration, or was told to use another.
 *
 * @param app the application as it was asked for
 * @param platform the runtime
 * @returns false also if it cannot be known
 */
export async function isConfigured(app: string, platform: Platform): Promise<boolean> {
  const { process: { cwd }, files } = platform;
  const command = (await platform.loadChildren()).command();
  if (command === null || command.isConfigured) return command !== null;
  const own = ownConfiguration(app, { cwd, files });
  return own !== null && isFound(own, command.main, { cwd, files });
}
