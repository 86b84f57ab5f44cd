// Carries an operator's wishes to the supervisor: flags, signals, files that change.
// How workers are kept running is decided in prefork.

import { configAbove, ownConfiguration } from "../app/own_configuration.ts";
import { readBackendAddress } from "../fastcgi/backend_address.ts";
import { absolutePath, localPath } from "../platform/specifier.ts";
import { hostPort } from "../platform/address.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import { ownControlPath } from "../prefork/control_path.ts";
import type { RosterOptions } from "../prefork/facts.ts";
import { Supervisor, type SupervisorOptions } from "../prefork/supervisor.ts";
import { logUncaught, messageOf, pathInLine } from "../platform/log.ts";
import { SocketPathError } from "../platform/socket_path.ts";
import type { ChildAccess, Children, Log, Platform } from "../platform/ports.ts";
import type { Changes } from "../restart/watch_changes.ts";
import { progressStoreOf } from "./configuration.ts";
import { allVariables, defaultHost } from "./flags.ts";
import { noteHangup } from "./hangup.ts";
import { sayServing, sayStopped } from "./lines.ts";
import type { Asked } from "./parse_flags.ts";
import { bootsAtOnce, inheritedSocket, isPerl, mostWorkers } from "./processes.ts";
import type { Context } from "./prepare.ts";
import { dumpOnSignal, obeySignals } from "./signals.ts";
import { VERSION } from "./version.ts";

/** What a worker's process begins with: less to load than the program as a whole, so that it serves sooner. */
const WORKER_MODULE = "./worker";
/** The same, if permissions name what may be read. Its first lines explain why, and the circle that it is part of. */
const WORKER_BY_NAME_MODULE = "./worker_by_name";
/** Never called. It names the modules of workers, so that `deno cache` of this program caches them too. */
export const known = () => import("./worker_by_name.ts");

/**
 * Supervises workers until a signal, or `weft ctl stop`, ends it.
 *
 * @param asked what the command line and the environment say
 * @param workers how many
 * @param context the runtime and the log
 * @returns the exit code
 * @throws {Failure} if what was asked for does not fit together, no worker could be started, or there is no place for the
 *   control socket
 */
export async function runSupervisor(asked: Asked, workers: number, context: Context): Promise<number> {
  const { platform, log } = context;
  const { process } = platform;
  const hangup = noteHangup(await platform.loadTerminal(), platform);
  const descriptor = inheritedSocket(asked, context) ?? undefined;
  const control = asked.options.control ?? await ownControlPath(context);
  const children = await platform.loadChildren();
  // Watched from before the first worker loads the application: nothing that is saved meanwhile is missed.
  const changes = asked.options.restart ? await watch(asked, children, context) : null;
  const access = accessOf(asked, control, platform);
  const limits = children.limitsOf(access);
  const child = {
    ...access,
    descriptor,
    module: children.moduleAt(limits === null ? WORKER_MODULE : WORKER_BY_NAME_MODULE, import.meta.url),
    // Looked for at each start of a worker: it may have come or gone since the last one.
    get own() {
      if (asked.app === undefined) return null;
      return ownConfiguration(asked.app, { cwd: process.cwd, files: platform.files });
    },
  };
  const supervisor = await startOr({
    platform,
    log,
    control,
    version: VERSION,
    terms: termsOf(asked, { workers, mostWorkers: mostWorkers(platform), bootsAtOnce: bootsAtOnce(platform) }),
    children,
    child,
    backends: isPerl(asked) ? await (await import("./perl_backend.ts")).poolsFor(asked, context) : null,
    argsFor: (hello) => [JSON.stringify({ ...hello, descriptor, program: process.program }), ...process.args],
    onServing(url) {
      sayServing(url, asked, { ...context, more: `; control: ${control}` });
      if (limits !== null) {
        log(
          "INFO",
          `workers run with ${limits}; what else was allowed by its name has to be allowed as a whole for them`,
        );
      }
      const haveOwnSockets = descriptor === undefined && platform.listenShared === undefined;
      if (haveOwnSockets && workers > 1) adviseOnMigration(platform, log);
    },
  });
  const { roster } = supervisor;
  const ending = obeySignals({
    open: () => roster.connections,
    isStopping: () => roster.state === "draining",
    drain: () => supervisor.note({ kind: "stop" }),
    abort: () => supervisor.note({ kind: "stopNow" }),
  }, context);
  logUncaught(process, log);
  process.noteDebugger();
  dumpOnSignal(() => supervisor.dump(), context);
  hangup.reloadOn(() => supervisor.note({ kind: "reload", why: "reload", detail: "HUP", ticket: 0 }), ending);
  process.onSignal("SIGTTIN", () => supervisor.note({ kind: "scale", to: roster.target + 1 }));
  process.onSignal("SIGTTOU", () => supervisor.note({ kind: "scale", to: roster.target - 1 }));

  if (changes !== null) restartOn(changes, supervisor, context);
  const { code, message, tally, hasCut } = await supervisor.finished;
  await changes?.close();
  if (message !== undefined) throw new Failure(code, message);
  sayStopped(tally, context);
  return hasCut || ending.isForced() ? ending.code() || FORCED_BY_CTL : code;
}

async function watch(
  asked: Asked,
  children: Children,
  { platform, log }: Context,
): Promise<Changes> {
  const { app, options: { restartRegex, restartDirectory, restartDelay, restartPoll } } = asked;
  // A file that is not there cannot be watched either. The message and the code are those of a start without --restart.
  const { problemWith } = await import("../app/explain.ts");
  const problem = app === undefined ? null : problemWith(localPath(app, platform.process.cwd), platform.files);
  if (problem !== null) throw new Failure(EXIT.appNotLoaded, `cannot load the application ${app}\n${problem}`);
  const perl = isPerl(asked) ? (await import("../app/perl_app.ts")).perlSources(asked.app, platform.process.cwd) : null;
  const [{ watchForChanges }, { CannotWatch }] = await Promise.all([
    import("../restart/watch_changes.ts"),
    import("../restart/source_set.ts"),
  ]);
  try {
    return await watchForChanges({
      app: app ?? null,
      directories: restartDirectory ?? perl?.directories,
      pattern: restartRegex === undefined ? perl?.pattern : readPattern(restartRegex),
      delayMs: restartDelay,
      pollMs: restartPoll,
      config: (app) => {
        const config = children.configFor(configAbove(app, platform.files) ?? undefined);
        return config === undefined ? null : absolutePath(config, platform.process.cwd);
      },
    }, { ...platform, cwd: platform.process.cwd, log, sources: await platform.loadSources() });
  } catch (error) {
    if (error instanceof CannotWatch) throw Failure.usage(`--restart: ${error.message}`);
    throw error;
  }
}

function readPattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw Failure.usage(`--restart-regex: ${messageOf(error)}`);
  }
}

/** A restart is not waited for: what is saved meanwhile overtakes it. */
async function restartOn(changes: Changes, supervisor: Supervisor, { platform, log }: Context): Promise<void> {
  try {
    for await (const { paths } of changes) {
      const detail = `changed: ${showPaths(paths, platform.process.cwd)}`;
      supervisor.note({ kind: "reload", why: "restart", detail, ticket: 0 });
    }
  } catch (error) {
    log("ERROR", `--restart: files are not watched any longer: ${messageOf(error)}`);
  }
}

/** The first of the files that have changed, and how many more there are. */
function showPaths([first = "", ...more]: readonly string[], cwd: string): string {
  const path = pathInLine(first.startsWith(`${cwd}/`) ? first.slice(cwd.length + 1) : first);
  return more.length === 0 ? path : `${path} and ${more.length} more`;
}

async function startOr(parts: SupervisorOptions): Promise<Supervisor> {
  try {
    return await Supervisor.start(parts);
  } catch (error) {
    if (!(error instanceof SocketPathError)) throw error;
    throw new Failure(
      error.isUsage ? EXIT.usage : EXIT.error,
      `cannot open the control socket ${parts.control}: ${error.message}; choose another --control`,
      { cause: error },
    );
  }
}

/** What a stop without a signal ends with if it had to cut connections: as after TERM. */
const FORCED_BY_CTL = 143;

function termsOf(
  { options: { workerTimeout, maxRequests, maxRequestsJitter, maxRss } }: Asked,
  place: Pick<RosterOptions, "workers" | "mostWorkers" | "bootsAtOnce">,
): RosterOptions {
  return {
    ...place,
    workerTimeoutMs: workerTimeout,
    maxRequests,
    maxRequestsJitter,
    maxRssBytes: maxRss,
  };
}

/** What workers need if the permissions name it piece by piece. */
function accessOf(
  asked: Asked,
  control: string,
  { process }: Platform,
): ChildAccess {
  const { app, options: { accessLog: log, host = defaultHost(process.env), port, cert, key, fastcgiRoot } } = asked;
  const store = progressStoreOf(asked);
  const path = app === undefined ? null : localPath(app, process.cwd);
  const apps = path === null ? [] : [path, path.replace(/[^/]*$/, "") || "."];
  const backend = app?.startsWith("fcgi:") ? readBackendAddress(app.slice("fcgi:".length), process.cwd) : null;
  const sockets = backend?.transport === "unix" ? [control, backend.path] : [control];
  const sites = fastcgiRoot === undefined ? [] : [fastcgiRoot];
  const pems = [cert, key].filter((path) => path !== undefined);
  const temporary = process.env("TMPDIR") || "/tmp";
  return {
    reads: [process.cwd, ...apps, ...sockets, temporary, ...pems, ...sites],
    writes: [process.cwd, ...sockets, temporary, ...log === undefined || log === "-" ? [] : [log]],
    nets: [
      hostPort({ hostname: host, port }),
      ...sockets.map((path) => `unix:${path}`),
      ...backend?.transport === "tcp" ? [hostPort(backend)] : [],
      ...store === null ? [] : [hostOf(store)],
    ],
    variables: allVariables(),
  };
}

function hostOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}

const MIGRATION = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Linux can hand connections that wait to another worker's socket when theirs is closed, but does not by default. */
function adviseOnMigration({ files }: Platform, log: Log): void {
  let value: string;
  try {
    value = files.readText(MIGRATION);
  } catch {
    return; // Another system, an older one, or one that may not be asked: there is nothing to advise.
  }
  if (value.trim() !== "0") return;
  log(
    "INFO",
    "net.ipv4.tcp_migrate_req is 0: a connection that comes at the moment when a worker leaves may be reset; " +
      "with `sysctl net.ipv4.tcp_migrate_req=1`, or a socket from systemd, another worker takes it",
  );
}
