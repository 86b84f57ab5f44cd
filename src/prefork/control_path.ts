// Knows: where control sockets stand when nobody names a path.
// Does not know: what is said over them.

import { messageOf } from "../platform/log.ts";
import type { Platform } from "../platform/ports.ts";
import { clearSocketPath } from "../platform/socket_path.ts";

/** No place for a control socket; the message says what to do. */
export class NoControlPath extends Error {
  override readonly name = "NoControlPath";
}

/**
 * The path of this process' own control socket, in a directory that nobody else may enter; what killed processes have
 * left there is cleared away.
 *
 * @param platform the runtime
 * @returns a path that is free
 * @throws {NoControlPath} where there is no such directory
 */
export async function ownControlPath(platform: Platform): Promise<string> {
  const directory = directoryOf(platform);
  try {
    platform.files.makePrivateDirectory(directory);
    for (const path of socketsIn(directory, platform)) await clearSocketPath(path, platform);
  } catch (error) {
    throw new NoControlPath(
      `no directory for the control socket: ${messageOf(error)}; name a --control PATH`,
      { cause: error },
    );
  }
  return `${directory}/${platform.process.pid}.sock`;
}

/**
 * The control socket that `weft ctl` means when it is told none.
 *
 * @param platform the runtime
 * @returns the path of the only one that is live
 * @throws {NoControlPath} where there is none, or more than one
 */
export async function findControlPath(platform: Platform): Promise<string> {
  const directory = directoryOf(platform);
  if (platform.files.kindOf(directory) !== null) {
    // Whoever else could make a socket there could answer in a supervisor's place.
    try {
      platform.files.checkPrivateDirectory(directory);
    } catch (error) {
      const reason = messageOf(error);
      throw new NoControlPath(`${directory} is not to be trusted: ${reason}; name a --control PATH`, { cause: error });
    }
  }
  const live: string[] = [];
  for (const path of socketsIn(directory, platform)) if (await platform.isUnixSocketLive(path)) live.push(path);
  if (live.length === 1) return live[0];
  throw new NoControlPath(
    live.length === 0
      ? `no supervisor was found in ${directory}; it is there with --max-proc, --workers or --restart. Name its --control PATH`
      : `several supervisors run; name one:\n${live.map((path) => `  --control ${path}`).join("\n")}`,
  );
}

function socketsIn(directory: string, { files }: Platform): string[] {
  return files.list(directory).filter((name) => name.endsWith(".sock")).map((name) => `${directory}/${name}`);
}

function directoryOf({ process }: Platform): string {
  const runtimeDirectory = process.env("XDG_RUNTIME_DIR");
  if (runtimeDirectory !== undefined && runtimeDirectory !== "") return `${runtimeDirectory}/weft`;
  const user = process.userId();
  if (user === null) {
    throw new NoControlPath("no directory for the control socket is known; name a --control PATH");
  }
  return `${process.env("TMPDIR") || "/tmp"}/weft-${user}`;
}
