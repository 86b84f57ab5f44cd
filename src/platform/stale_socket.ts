// Knows: when what stands at a Unix socket's path may be cleared away.
// Does not know: who wants the path, or what is said where it cannot be had.

import type { Platform } from "./ports.ts";

/**
 * Clears a path for a Unix socket: one that a killed process has left is removed, nothing else is touched.
 *
 * @param path where somebody is about to listen
 * @param platform the runtime
 * @returns whether the path is free now, and what keeps it where it is not
 */
export async function clearSocketPath(path: string, platform: Platform): Promise<"free" | "no socket" | "live"> {
  const kind = platform.files.kindOf(path);
  if (kind === null) return "free";
  if (kind !== "socket") return "no socket";
  if (await platform.isUnixSocketLive(path)) return "live";
  platform.removeFile(path);
  return "free";
}
