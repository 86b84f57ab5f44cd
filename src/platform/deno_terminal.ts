// How Deno finds out whether a terminal is there, and whether the process was started to outlive it.

import type { Terminal } from "./ports.ts";

/** SIGHUP is the lowest bit of the signals that a process ignores. */
const HUP_BIT = 1n;

/** Deno's terminal. */
export const terminal: Terminal = {
  isOutlived() {
    const status = readStatus();
    if (status === null) return !isAnyStreamTerminal(); // nohup leaves none
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return (BigInt(`0x${mask}`) & HUP_BIT) !== 0n;
  },
  isThere() {
    // A terminal may control a process none of whose streams leads there. Without /proc that may be one under nohup.
    return isAnyStreamTerminal() || Deno.build.os === "linux" && canOpenTerminal();
  },
};

function isAnyStreamTerminal(): boolean {
  return [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal());
}

function canOpenTerminal(): boolean {
  try {
    Deno.openSync("/dev/tty").close();
    return true;
  } catch {
    return false; // No terminal controls this process, or the permissions hide it.
  }
}

/** What Linux tells of this process. Null on other systems, and if the permissions hide it: Deno wants all of them for /proc. */
function readStatus(): string | null {
  if (Deno.build.os !== "linux") return null;
  try {
    return Deno.readTextFileSync("/proc/self/status");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
