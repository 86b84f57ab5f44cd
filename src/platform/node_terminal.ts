// Finds out whether this process has a terminal, and whether it was started to outlive the terminal.

import { closeSync, openSync, readFileSync } from "node:fs";
import { isatty } from "node:tty";
import { process } from "./node_process.ts";
import type { Terminal } from "./ports.ts";

/** The bit of SIGHUP (signal 1) in the mask of ignored signals. */
const HUP_BIT = 1n;

/** The terminal on Node. */
export const terminal: Terminal = {
  isOutlived() {
    const mask = ignoredSignals();
    if (mask === null) return !isAnyStreamTerminal(); // nohup redirects every stream that is a terminal
    return (mask & HUP_BIT) !== 0n;
  },
  isThere() {
    // A process may have a terminal although none of its streams is one. Without /proc it may also run under nohup.
    return isAnyStreamTerminal() || process.platform === "linux" && canOpenTerminal();
  },
};

function isAnyStreamTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}

function canOpenTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false; // This process has no terminal.
  }
}

/** The mask of signals that this process ignores, of Linux's /proc. Null on other systems. */
function ignoredSignals(): bigint | null {
  if (process.platform !== "linux") return null;
  try {
    const [, mask] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return mask === undefined ? null : BigInt(`0x${mask}`);
  } catch {
    return null; // There is no /proc here.
  }
}
