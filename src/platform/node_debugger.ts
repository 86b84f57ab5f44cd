// Closes the debugger that Node may have opened on USR1 before the program had a listener for that signal.
// A debugger that the user has asked for stays open.

import inspector from "node:inspector";
import { process } from "./node_process.ts";

/** A flag that opens the debugger at the start, or lets USR1 open it on an address that the user has chosen. */
const WANTED = /--(inspect|debug-port)/;

/**
 * Called on USR1.
 *
 * @returns what was done
 */
export function closeDebugger(): Promise<"closed" | "not open" | "wanted"> {
  if (WANTED.test([...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" "))) return Promise.resolve("wanted");
  if (inspector.url() === undefined) return Promise.resolve("not open");
  inspector.close();
  return Promise.resolve("closed");
}
