// Closes the debugger that Deno (from 2.9.2) opens on USR1, even if the program uses that signal itself.
// A debugger that the user has asked for stays open.

import { denoClock } from "./deno_clock.ts";

/** Deno listens for USR1 from 500 ms after its start. A debugger that is open before that was asked for with a flag. */
const BEFORE_DENO_LISTENS_MS = 400;
/** Deno opens the debugger within milliseconds of the signal, if at all. Half a second is enough on a busy machine too. */
const LOOK_EVERY_MS = 5;
const LOOKS = 100;

/** What became of the debugger after USR1. */
export type DebuggerState = "closed" | "not open" | "wanted" | "not permitted";

/** True if the user has asked for the debugger. Set once by `noteDebugger`, after 400 ms. */
let isWanted = false;

/** Called at the start. Notes whether the user has asked for the debugger. */
export function noteDebugger(): void {
  const timer = denoClock.every(BEFORE_DENO_LISTENS_MS, async () => {
    timer.cancel();
    isWanted = typeof await debuggerUrl() === "string";
  });
}

/**
 * Called on USR1. Waits for the debugger and closes it, unless the user has asked for it.
 *
 * @returns what was done; `not permitted` if Deno needs `--allow-sys` for it
 */
export async function closeDebugger(): Promise<DebuggerState> {
  if (isWanted) return "wanted";
  for (let look = 0; look < LOOKS; look++) {
    const url = await debuggerUrl();
    if (url === null) return "not permitted";
    if (url !== undefined) {
      (await import("node:inspector")).close();
      return "closed";
    }
    await new Promise<void>((resolve) => denoClock.after(LOOK_EVERY_MS, resolve));
  }
  return "not open";
}

/** The debugger's address; undefined if it is not open, null if the permissions hide it. */
async function debuggerUrl(): Promise<string | undefined | null> {
  try {
    return (await import("node:inspector")).url();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}
