// Finds out whether this process has a terminal, and whether it was started to outlive the terminal.

import type { Terminal } from "./ports.ts";

/** The bit of SIGHUP (signal 1) in the mask of ignored signals. */
const HUP_BIT = 1n;

/** The terminal on Deno. */
export const terminal: Terminal = {
  isOutlived() {
    const status = readStatus();
    if (status === null) return !isAnyStreamTerminal(); // nohup redirects every stream that is a terminal
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return (BigInt(`0x${mask}`) & HUP_BIT) !== 0n;
  },
  isThere() {
    // A process may have a terminal although none of its streams is one. Without /proc it may also run under nohup.
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
    return false; // This process has no terminal, or the permissions hide it.
  }
}

/** The status of this process in Linux's /proc. Null on other systems, and if Deno does not have all permissions. */
function readStatus(): string | null {
  if (Deno.build.os !== "linux") return null;
  try {
    return Deno.readTextFileSync("/proc/self/status");
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
