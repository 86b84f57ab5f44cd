// How many processes were asked for, and on which socket that was inherited.

import { SCHEME } from "../platform/specifier.ts";
import { Failure } from "../platform/failure.ts";
import type { Platform } from "../platform/ports.ts";
import type { FlagName } from "./cli_options.ts";
import type { Asked } from "./parse_flags.ts";
import type { Context } from "./prepare.ts";

/** Descriptors that systemd hands over start after stdin, stdout and stderr (sd_listen_fds(3)). */
const FIRST_INHERITED = 3;

/**
 * What systemd says of them, to this process alone: an application, and what it starts, must not take it for theirs. Workers
 * learn the descriptor from their supervisor.
 */
const HANDED_OVER = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

/**
 * Counts the workers that were asked for.
 *
 * @param asked flags and variables
 * @param platform the runtime, for its processors
 * @returns how many, or null if one process serves alone
 * @throws {Failure} if it does not fit together
 */
export function countWorkers(asked: Asked, platform: Platform): number | null {
  const { options: { maxProc, workers: ownWorkers = 0, restart }, explicit } = asked;
  if (explicit.has("max-proc") && explicit.has("workers")) {
    throw Failure.usage("--max-proc and --workers exclude each other: --max-proc counts the parent too");
  }
  const workers = explicit.has("workers") || maxProc === undefined
    ? figure(ownWorkers, platform)
    : withoutParent(maxProc, platform);
  if (!restart) refuseWithout(asked, FOR_RESTARTS, "--restart");
  if (!isPerl(asked)) refuseWithout(asked, ["backend-processes"], "an application such as app.psgi");
  if (!isPerl(asked) && asked.app?.startsWith("fcgi:") !== true) {
    refuseWithout(asked, ["backend-timeout"], "an application such as fcgi:HOST:PORT or app.psgi");
  }
  if (workers === 0 && !restart) {
    refuseWithout(asked, FOR_WORKERS, "workers, such as --workers 2");
    return null;
  }
  checkPlace(asked, platform);
  const most = mostWorkers(platform);
  if (workers > most) {
    throw Failure.usage(`${workers} workers are too many for ${platform.process.cores} processors; at most ${most}`);
  }
  return Math.max(1, workers);
}

/**
 * Tells whether the application is one in Perl, which runs in processes of its own.
 *
 * @param asked flags and variables
 * @returns true for `app.psgi`
 */
export function isPerl<Has extends Pick<Asked, "app">>(asked: Has): asked is Has & { app: string } {
  const { app = "" } = asked;
  return app.endsWith(".psgi") && !SCHEME.test(app);
}

/** Flags that mean nothing without files that are watched, or without workers. */
const FOR_RESTARTS: readonly FlagName[] = ["restart-directory", "restart-regex", "restart-delay", "restart-poll"];
const FOR_WORKERS: readonly FlagName[] = [
  "max-requests",
  "max-requests-jitter",
  "max-rss",
  "worker-timeout",
  "control",
];

function refuseWithout({ explicit }: Asked, flags: readonly FlagName[], what: string): void {
  const flag = flags.find((name) => explicit.has(name));
  if (flag !== undefined) throw Failure.usage(`--${flag} means nothing without ${what}`);
}

/** Workers for each processor: more would only wait for each other. */
const WORKERS_A_CORE = 16;

/**
 * How many workers a machine can be asked for.
 *
 * @param platform the runtime, for its processors
 * @returns 16 for each
 */
export function mostWorkers({ process }: Platform): number {
  return WORKERS_A_CORE * process.cores;
}

/**
 * How many workers load the application at a time on a reload.
 *
 * @param platform the runtime, for its processors
 * @returns half as many as there are processors: those that serve have the others
 */
export function bootsAtOnce({ process }: Platform): number {
  return Math.max(1, Math.floor(process.cores / 2));
}

function withoutParent(count: number | "auto", platform: Platform): number {
  if (count === 0) throw Failure.usage("--max-proc: expected 1 or more, or auto, got 0");
  return count === "auto" ? platform.process.cores : count - 1;
}

function figure(count: number | "auto", platform: Platform): number {
  return count === "auto" ? platform.process.cores : count;
}

function checkPlace({ options, explicit }: Asked, platform: Platform): void {
  if (!platform.canSharePort) {
    throw Failure.usage("this system lets one process listen on a port, so workers and --restart cannot be had on it");
  }
  if (options.unix !== undefined && !explicit.has("port")) {
    throw Failure.usage(
      "--unix: several processes cannot listen on one path; use a port, or have the socket made by systemd (--fd)",
    );
  }
}

/**
 * Finds a listening socket that this process was started with, and removes the variables that tell of it.
 *
 * @param asked flags and variables
 * @param context the runtime, for systemd's variables, and the log
 * @returns its descriptor, or null
 * @throws {Failure} if something else was asked for as well
 */
export function inheritedSocket({ options, explicit, given }: Asked, { platform, log }: Context): number | null {
  const { fd } = options;
  const descriptor = fd ?? handedOver({ platform, log });
  if (platform.process.env("LISTEN_FDS") !== undefined) HANDED_OVER.forEach(platform.process.unsetEnv);
  if (descriptor === null) return null;
  const source = fd === undefined ? "LISTEN_FDS" : "--fd";
  for (const flag of ["port", "host", "unix", "cert", "key"] as const) {
    // A port in the environment is ignored here, because the socket listens already. TLS must not be ignored silently.
    if (explicit.has(flag) || given.has(flag) && flag !== "port" && flag !== "host") {
      throw Failure.usage(`--${flag} and ${source} exclude each other: the socket listens already`);
    }
  }
  return descriptor;
}

/** What systemd hands over: its variables are meant for the process that they name, not for its children. */
function handedOver({ platform, log }: Context): number | null {
  const { env, pid } = platform.process;
  const count = Number(env("LISTEN_FDS") ?? 0);
  const meant = env("LISTEN_PID");
  if (!(count > 0)) return null;
  if (Number(meant) !== pid) {
    log("WARN", `LISTEN_FDS is meant for process ${meant}, not for this one: it is not used`);
    return null;
  }
  if (count > 1) log("WARN", `LISTEN_FDS hands ${count} sockets over; the first is served`);
  return FIRST_INHERITED;
}
