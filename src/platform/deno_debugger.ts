// Deno (from 2.9.2) opens its debugger on USR1, whatever else a program does on that signal.
// A debugger that the user has asked for stays open.

import { denoClock } from "./deno_clock.ts";

/** Deno listens for USR1 from 500 ms after its start; a debugger that is open before was asked for by a flag. */
const BEFORE_DENO_LISTENS_MS = 400;
/** Deno opens it within milliseconds of the signal, if at all. */
const LOOK_EVERY_MS = 5;
const LOOKS = 100;

/** What became of the debugger after USR1. */
export type DebuggerState = "closed" | "not open" | "wanted" | "not permitted";

let isWanted = false;

/** Called at the start: notes whether the user has asked for the debugger. */
export function noteDebugger(): void {
  const timer = denoClock.every(BEFORE_DENO_LISTENS_MS, async () => {
    timer.cancel();
    isWanted = typeof await debuggerUrl() === "string";
  });
}

/**
 * Called on USR1: closes the debugger that Deno opens on it.
 *
 * @returns what became of it; `not permitted` if Deno wants `--allow-sys` for closing it
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

/** The address of the debugger; undefined if it is closed, null if we must not know. */
async function debuggerUrl(): Promise<string | undefined | null> {
  try {
    return (await import("node:inspector")).url();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return null;
    throw error;
  }
}
