// Finds the directory of the control socket if no path is named.
// A directory from the environment is checked before it is used: after `su` it belongs to another user.

import { EXIT, Failure } from "../platform/failure.ts";
import { messageOf } from "../platform/log.ts";
import type { Log, Platform } from "../platform/ports.ts";
import { shellWord } from "../platform/shell_word.ts";
import { clearSocketPath } from "../platform/socket_path.ts";

/** Most bytes in the path of a Unix socket: 108 on Linux and 104 on macOS, with the zero at the end. */
const MAX_SOCKET_PATH_BYTES = 103;

/** A directory in which control sockets may stand. */
interface Place {
  path: string;
  /** The directory that it is in. */
  parent: string;
  /** The parent belongs to one user too, as XDG_RUNTIME_DIR has to. The directory for temporary files does not. */
  isParentPrivate: boolean;
}

/**
 * The path of this process' own control socket, in a directory that only its user can enter. What killed processes have
 * left there is removed.
 *
 * @param context the runtime, and the log that says why a directory is not used
 * @returns a path that is free
 * @throws {Failure} if there is no such directory
 */
export async function ownControlPath({ platform, log }: { platform: Platform; log: Log }): Promise<string> {
  const { files, process } = platform;
  const reasons: string[] = [];
  for (const place of placesFor(platform)) {
    const path = `${place.path}/${process.pid}.sock`;
    try {
      checkParent(place, platform);
      if (new TextEncoder().encode(path).length > MAX_SOCKET_PATH_BYTES) throw new Error(`${path} is too long`);
      files.makePrivateDirectory(place.path);
      for (const path of socketsIn(place, platform)) await clearSocketPath(path, platform);
    } catch (error) {
      reasons.push(messageOf(error));
      continue;
    }
    for (const reason of reasons) log("INFO", `the control socket is in ${place.path}: ${reason}`);
    return path;
  }
  throw new Failure(EXIT.error, `no directory for the control socket: ${reasons.join("; ")}; name a --control PATH`);
}

/**
 * The control socket that `weft ctl` means if no path is named.
 *
 * @param platform the runtime
 * @returns the path of the only one that is live
 * @throws {Failure} if there is none, or more than one
 */
export async function findControlPath(platform: Platform): Promise<string> {
  const live: string[] = [];
  const looked: string[] = [];
  const reasons: string[] = [];
  for (const place of placesFor(platform)) {
    try {
      checkParent(place, platform);
      if (platform.files.kindOf(place.path) !== null) platform.files.checkPrivateDirectory(place.path);
    } catch (error) {
      // Another user could have made a socket there, and would answer in a supervisor's place.
      reasons.push(`${place.path} is not trusted: ${messageOf(error)}`);
      continue;
    }
    looked.push(place.path);
    for (const path of socketsIn(place, platform)) if (await platform.isUnixSocketLive(path)) live.push(path);
    // A supervisor that was started without XDG_RUNTIME_DIR is in the first temporary directory that can be used.
    if (live.length > 0 || !place.isParentPrivate) break;
  }
  const [first, ...others] = live;
  if (first !== undefined && others.length === 0) return first;
  if (live.length > 0) {
    throw new Failure(EXIT.error, `several supervisors run; name one:\n${live.map(lineFor).join("\n")}`);
  }
  const where = [...looked.length > 0 ? [`looked in ${looked.join(" and ")}`] : [], ...reasons].join("; ");
  throw new Failure(
    EXIT.error,
    `no supervisor runs (${where}). Only a program with --workers, --max-proc or --restart has one; kill -USR1 PID shows ` +
      "the state of one without. If it was started with --control PATH, give ctl the same",
  );
}

/** What to type for a supervisor. Its process stands in the name of its socket. */
function lineFor(path: string): string {
  const pid = path.slice(path.lastIndexOf("/") + 1, -".sock".length);
  return `  --control ${shellWord(path)}  # pid ${pid}`;
}

function socketsIn({ path }: Place, { files }: Platform): string[] {
  return files.list(path).filter((name) => name.endsWith(".sock")).map((name) => `${path}/${name}`);
}

/** @throws {Error} if the directory must not be made in its parent */
function checkParent({ parent, isParentPrivate }: Place, { files }: Platform): void {
  if (!parent.startsWith("/")) throw new Error(`${parent} is relative`);
  if (files.kindOf(parent) !== "directory") throw new Error(`${parent} is not a directory`);
  if (isParentPrivate) files.checkPrivateDirectory(parent);
}

/** The first that can be used is used. */
function placesFor({ process }: Platform): Place[] {
  const places: Place[] = [];
  const runtime = process.env("XDG_RUNTIME_DIR") ?? "";
  if (runtime !== "") places.push({ path: `${runtime}/weft`, parent: runtime, isParentPrivate: true });
  const user = process.userId();
  if (user !== null) {
    const temporary = process.env("TMPDIR") ?? "";
    for (const parent of new Set([temporary, "/tmp"])) {
      if (parent !== "") places.push({ path: `${parent}/weft-${user}`, parent, isParentPrivate: false });
    }
  }
  if (places.length > 0) return places;
  throw new Failure(
    EXIT.error,
    "no directory for the control socket is known: XDG_RUNTIME_DIR is not set, and the user's number needs --allow-sys=uid " +
      "or a file in the temporary directory; " +
      "name a --control PATH",
  );
}
