// How `weft app.psgi` gets the processes of an application in Perl: this process owns them, or the supervisor does.

import { checkPerlApp, type PerlApp, perlApp } from "../app/perl_app.ts";
import { Failure } from "../platform/failure.ts";
import type { Platform, TemporaryDirectory } from "../platform/ports.ts";
import { BackendPool } from "../prefork/backend_pool.ts";
import { BackendPools } from "../prefork/backend_pools.ts";
import { Backoff } from "../prefork/backoff.ts";
import type { BackendSeat } from "../prefork/worker_link.ts";
import type { Asked } from "./parse_flags.ts";
import type { Context } from "./prepare.ts";

/** Most bytes in the path of a Unix socket: 108 on Linux and 104 on macOS, with the zero at the end. */
const MAX_SOCKET_PATH_BYTES = 103;
/** Room for the name of a generation and of the socket in a directory. */
const NAME_BYTES = "/1000000-1000/socket".length;
/** The directory for sockets if TMPDIR is too long. */
const SHORT_DIRECTORY = "/tmp";

/** The processes of an application, which this process owns. */
export interface OwnBackend {
  readonly seat: BackendSeat;
  /** Ends them. */
  stop(): Promise<void>;
}

/** An application, of which the command line was checked. */
type AskedPerl = Asked & { app: string };

/**
 * Starts the processes of an application.
 *
 * @param asked flags and variables
 * @param context the runtime and the log
 * @returns the processes, which serve
 * @throws {Failure} if they cannot
 */
export async function startOwn(asked: AskedPerl, context: Context): Promise<OwnBackend> {
  const { start, directory } = await starterFor(asked, context);
  const { files, process } = context.platform;
  const processes = asked.options.backendProcesses ?? process.cores;
  const own = `${directory.path}/1`;
  files.makePrivateDirectory(own);
  const pool = start(`${own}/socket`, processes);
  await pool.ready;
  return {
    seat: { socket: pool.socket, permits: processes },
    async stop() {
      await pool.stop();
      await directory.remove();
    },
  };
}

/**
 * Makes what a supervisor starts the processes of an application with.
 *
 * @param asked flags and variables
 * @param context the runtime and the log
 * @returns the pools; no process is started yet
 * @throws {Failure} if there is no such application
 */
export async function poolsFor(asked: AskedPerl, context: Context): Promise<BackendPools> {
  const { start, directory } = await starterFor(asked, context);
  const { options: { backendProcesses }, given } = asked;
  const { files, process } = context.platform;
  // With --restart alone there is one worker, and the application may call itself.
  const isCounted = given.has("workers") || given.has("max-proc");
  return new BackendPools({
    directory: directory.path,
    processes: backendProcesses ?? (isCounted ? null : process.cores),
    files,
    start,
  });
}

interface Starter {
  directory: TemporaryDirectory;
  start(socket: string, processes: number): BackendPool;
}

async function starterFor(asked: AskedPerl, { platform, log }: Context): Promise<Starter> {
  const { process, files, random } = platform;
  const app: PerlApp = perlApp(asked.app, process.cwd);
  if (asked.options.backendProcesses === 0) throw Failure.usage("--backend-processes: expected 1 or more, got 0");
  checkPerlApp(app, files);
  const programs = await platform.loadPrograms();
  const directory = await directoryFor(platform);
  return {
    directory,
    start(socket, processes) {
      const backoff = new Backoff(random);
      return new BackendPool({ app, socket, processes, args: asked.appArgs, platform, programs, backoff, log });
    },
  };
}

/** Makes a private directory whose path is short enough for the path of a socket. */
async function directoryFor(platform: Platform): Promise<TemporaryDirectory> {
  const directory = await platform.makeTemporaryDirectory();
  const bytes = new TextEncoder().encode(directory.path).length + NAME_BYTES;
  if (bytes <= MAX_SOCKET_PATH_BYTES) return directory;
  await directory.remove();
  return await platform.makeTemporaryDirectory(SHORT_DIRECTORY);
}
