// Knows: how one process serves one application: load, listen, obey signals, stop.
// Does not know: how flags are written.

import { loadApp, type LoadedApp } from "../app/load_app.ts";
import type { PhaseReader } from "../connection/phases.ts";
import { demo } from "../demo/demo.ts";
import { Engine } from "../engine/engine.ts";
import { showAddress } from "../engine/serve.ts";
import { accessLog } from "../inspect/access_log.ts";
import { factsOf, showState } from "../inspect/dump.ts";
import { LineWriter } from "../inspect/line_writer.ts";
import { stopwatch } from "../inspect/stopwatch.ts";
import { trace } from "../inspect/trace.ts";
import { showError } from "../platform/log.ts";
import type { Address, FileSink, Listener, ListenOptions, Log, Platform, SignalName } from "../platform/ports.ts";
import { type Configuration, configure, showConfiguration } from "./configuration.ts";
import { type Asked, UsageError } from "./parse_flags.ts";
import { VERSION } from "./version.ts";

/** The address cannot be had; exit code 1. */
export class CannotListen extends Error {
  override readonly name = "CannotListen";
}

/** Exit codes of a stop that was forced: 128 and the signal's number. */
const FORCED: Readonly<Partial<Record<SignalName, number>>> = { SIGINT: 130, SIGTERM: 143, SIGQUIT: 143 };

/**
 * Serves until a signal ends it.
 *
 * @param asked what the command line and the environment say
 * @param platform the runtime
 * @param log where the operator reads
 * @returns the exit code
 * @throws {AppLoadError} where the application cannot be served
 * @throws {CannotListen} where the address cannot be had
 * @throws {UsageError} where what was asked for does not fit together
 */
export async function run(asked: Asked, platform: Platform, log: Log): Promise<number> {
  const { process, clock } = platform;
  const startedAt = clock.now();
  process.setArgs(asked.appArgs);
  const app = asked.app === undefined ? DEMO : await loadApp(asked.app, {
    cwd: process.cwd,
    files: platform.files,
    program: process.program,
    load: (url) => import(url),
  });
  const configuration = configure(asked, app.options, platform);
  const listener = await listen(configuration, platform);
  const writers: LineWriter[] = [];
  const engine = new Engine({
    listener,
    scheme: isTls(configuration) ? "https" : "http",
    settings: configuration.settings,
    application: { handler: app.handler, accept: app.accept, onError: app.onError, showErrors: configuration.debug },
    readers: readersFor(configuration, platform, { writers, log }),
  }, { clock, log, decode: platform.decodeLatin1 });
  process.onUncaught((error) => log("ERROR", `nobody caught: ${showError(error)}`));
  const ending = obeySignals(engine, platform, log);
  process.onSignal("SIGUSR1", () => {
    process.stderr(dumpOf(engine, configuration, platform, startedAt));
    keepDebuggerShut(platform, log);
  });
  process.onSignal("SIGHUP", () => log("WARN", "HUP reloads workers, and there are none: this is one process"));

  const url = showUrl(listener.addr, isTls(configuration));
  process.stdout(`You can connect to your server at ${url}\n`);
  log("INFO", `weft ${VERSION} on ${process.runtime} serves ${asked.app ?? "the demo"}`);
  app.onListen?.(listener.addr);
  if (configuration.open) {
    platform.openBrowser(url).catch((error) => log("WARN", `cannot open a browser: ${error.message}`));
  }
  await Promise.race([engine.finished, ending.forced]);
  if (app.shutdown !== undefined) {
    const patience = new Promise<void>((resolve) => clock.after(configuration.settings.gracefulTimeoutMs, resolve));
    await shutDown(app.shutdown, Promise.race([ending.forced, patience]), log);
  }
  for (const writer of writers) writer.flush();
  log("INFO", `stopped; connections finished: ${engine.accepted - engine.cut}, cut: ${engine.cut}`);
  return engine.cut > 0 || ending.isForced() ? ending.code() : 0;
}

/** A state that is asked for must not leave a door open. */
async function keepDebuggerShut({ process }: Platform, log: Log): Promise<void> {
  const state = await process.closeDebugger();
  if (state === "closed") log("INFO", "the debugger that the runtime opens on USR1 is closed again");
  if (state === "not permitted") {
    log(
      "WARN",
      "the runtime opens its debugger on USR1, and it stays open; with --allow-sys=inspector it is closed again",
    );
  }
}

const DEMO: LoadedApp = { handler: demo, options: {} };

function isTls({ where }: Configuration): boolean {
  return where.transport === "tcp" && where.tls !== undefined;
}

async function listen({ where }: Configuration, platform: Platform): Promise<Listener> {
  try {
    return platform.listen(where);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (where.transport === "unix" && code === "EADDRINUSE") return await listenAtPath(where, platform);
    const name = where.transport === "unix" ? where.path : `${where.hostname}:${where.port}`;
    throw new CannotListen(`cannot listen on ${name}: ${reasonFor(code, error)}`, { cause: error });
  }
}

/** Something stands at the path: a socket that a killed process has left is replaced, nothing else is touched. */
async function listenAtPath(where: ListenOptions & { transport: "unix" }, platform: Platform): Promise<Listener> {
  const { path } = where;
  if (platform.files.kindOf(path) !== "socket") {
    throw new CannotListen(`cannot listen on ${path}: it exists and is no socket; choose another --unix`);
  }
  if (await platform.isUnixSocketLive(path)) {
    throw new CannotListen(`cannot listen on ${path}: another process listens there; stop it or choose another --unix`);
  }
  platform.removeFile(path);
  return platform.listen(where);
}

function reasonFor(code: string | undefined, error: unknown): string {
  switch (code) {
    case "EADDRINUSE":
      return "another process listens there (EADDRINUSE); stop it or choose another --port";
    case "EACCES":
      return "that is not permitted (EACCES); ports below 1024 need a privilege";
    case "EADDRNOTAVAIL":
      return "this machine has no such address (EADDRNOTAVAIL)";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

/** Where readers leave what has to be flushed, and what has to be said. */
interface ForReaders {
  writers: LineWriter[];
  log: Log;
}

function readersFor(configuration: Configuration, platform: Platform, more: ForReaders): PhaseReader[] {
  const { clock, process, files } = platform;
  const { writers, log } = more;
  const { pid } = process;
  const readers: PhaseReader[] = [];
  if (configuration.debug) readers.push(trace({ write: process.stderr, pid }));
  if (configuration.bench) readers.push(stopwatch({ write: process.stderr, pid, now: clock.now }));
  const { accessLog: path, logFormat: format } = configuration;
  if (path !== null) {
    const writer = new LineWriter(path === "-" ? process.stdout : appendTo(path, files, log), clock);
    writers.push(writer);
    readers.push(accessLog({ format, write: (line) => writer.write(line), now: clock.now, date: clock.date }));
  }
  return readers;
}

function appendTo(path: string, files: Platform["files"], log: Log): (text: string) => void {
  const file = openLog(path, files);
  const encoder = new TextEncoder();
  let isFailing = false;
  return (text) => {
    try {
      file.write(encoder.encode(text));
      isFailing = false;
    } catch (error) {
      // Requests go on; one line says so until lines can be written again.
      if (!isFailing) {
        log("ERROR", `--access-log: cannot write to ${path}: ${error instanceof Error ? error.message : error}`);
      }
      isFailing = true;
    }
  };
}

function openLog(path: string, files: Platform["files"]): FileSink {
  try {
    return files.append(path);
  } catch (error) {
    throw new UsageError(`--access-log: cannot write to ${path}: ${error instanceof Error ? error.message : error}`);
  }
}

/** What the signals have asked for. */
interface Ending {
  /** Resolves when a second signal wants the end now. */
  forced: Promise<void>;
  isForced(): boolean;
  /** The exit code of an end that was forced, 128 and the number of the last signal. */
  code(): number;
}

/** The first signal drains, a second one or the deadline cuts. */
function obeySignals(engine: Engine, { process }: Platform, log: Log): Ending {
  const { promise: forced, resolve: force } = Promise.withResolvers<void>();
  let code = 0;
  let isForced = false;
  for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    process.onSignal(name, () => {
      code = FORCED[name]!;
      if (engine.state === "serving") {
        log("INFO", `${name}: stopping; connections open: ${engine.live.size}`);
        return engine.drain();
      }
      log("WARN", `${name} again: stopping now`);
      isForced = true;
      engine.abort();
      force();
    });
  }
  return { forced, isForced: () => isForced, code: () => code };
}

/** Lets the application end its own affairs, until somebody has lost patience. */
async function shutDown(call: () => unknown, patience: Promise<void>, log: Log): Promise<void> {
  const ended = (async () => {
    try {
      await call();
    } catch (error) {
      log("ERROR", `the application's shutdown() failed: ${showError(error)}`);
    }
    return true;
  })();
  if (await Promise.race([ended, patience]) !== true) {
    log("WARN", "the application's shutdown() is not waited for any longer");
  }
}

function dumpOf(engine: Engine, configuration: Configuration, platform: Platform, startedAt: number): string {
  const { process, clock } = platform;
  const now = clock.now();
  const uptimeMs = now - startedAt;
  return showState({
    version: VERSION,
    runtime: process.runtime,
    uptimeMs,
    configuration: showConfiguration(configuration),
    accepted: engine.accepted,
    pauses: engine.pauses,
    workers: [{
      nr: 0,
      generation: 1,
      pid: process.pid,
      ready: engine.state === "serving",
      ageMs: uptimeMs,
      requests: engine.requests,
      rssBytes: process.rss(),
      restarts: 0,
    }],
    connections: [...engine.live].map(([connection, note]) => factsOf(connection, note, now)),
  });
}

/** Where a client finds it. */
function showUrl(address: Address, isTls: boolean): string {
  return address.transport === "unix" ? `unix:${address.path}` : showAddress(address, isTls).slice(0, -1);
}
