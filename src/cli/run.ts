// Knows: how one process serves one application: load, listen, obey signals, stop.
// Does not know: how flags are written.

import { loadApp, type LoadedApp } from "../app/load_app.ts";
import type { PhaseReader } from "../connection/phases.ts";
import { demo } from "../demo/demo.ts";
import { Engine } from "../engine/engine.ts";
import { accessLog } from "../inspect/access_log.ts";
import { showState } from "../inspect/dump.ts";
import { LineWriter } from "../inspect/line_writer.ts";
import { stopwatch } from "../inspect/stopwatch.ts";
import { trace } from "../inspect/trace.ts";
import { showError } from "../platform/log.ts";
import type { Address, Listener, Log, Platform, SignalName } from "../platform/ports.ts";
import { type Configuration, configure, showConfiguration } from "./configuration.ts";
import type { Asked } from "./parse_flags.ts";
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
    readers: readersFor(configuration, platform, writers),
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
  app.onListen?.(listener.addr);
  if (configuration.open) {
    platform.openBrowser(url).catch((error) => log("WARN", `cannot open a browser: ${error.message}`));
  }
  await Promise.race([engine.finished, ending.forced]);
  await shutDown(app, log);
  for (const writer of writers) writer.flush();
  log("INFO", `stopped; connections finished: ${engine.accepted - engine.cut}, cut: ${engine.cut}`);
  return engine.cut > 0 ? ending.code() : 0;
}

/** A state that is asked for must not leave a door open. */
async function keepDebuggerShut({ process }: Platform, log: Log): Promise<void> {
  const state = await process.closeDebugger();
  if (state === "closed") log("INFO", "the debugger that the runtime opens on USR1 is closed again");
  if (state === "not permitted") {
    log("WARN", "the runtime may have opened its debugger on USR1; with --allow-sys=inspector it is closed again");
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
    if (where.transport === "unix" && code === "EADDRINUSE" && !(await platform.isUnixSocketLive(where.path))) {
      platform.removeFile(where.path);
      return platform.listen(where);
    }
    const name = where.transport === "unix" ? where.path : `${where.hostname}:${where.port}`;
    throw new CannotListen(`cannot listen on ${name}: ${reasonFor(code, error)}`, { cause: error });
  }
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

function readersFor(configuration: Configuration, platform: Platform, writers: LineWriter[]): PhaseReader[] {
  const { clock, process, files } = platform;
  const { pid } = process;
  const readers: PhaseReader[] = [];
  if (configuration.debug) readers.push(trace({ write: process.stderr, pid }));
  if (configuration.bench) readers.push(stopwatch({ write: process.stderr, pid, now: clock.now }));
  const { accessLog: path, logFormat: format } = configuration;
  if (path !== null) {
    const writer = new LineWriter(path === "-" ? process.stdout : appendTo(path, files), clock);
    writers.push(writer);
    readers.push(accessLog({ format, write: (line) => writer.write(line), now: clock.now, date: clock.date }));
  }
  return readers;
}

function appendTo(path: string, files: Platform["files"]): (text: string) => void {
  const file = files.append(path);
  const encoder = new TextEncoder();
  return (text) => file.write(encoder.encode(text));
}

/** The first signal drains, a second one or the deadline cuts. */
function obeySignals(engine: Engine, { process }: Platform, log: Log): { forced: Promise<void>; code: () => number } {
  const { promise: forced, resolve: force } = Promise.withResolvers<void>();
  let code = 0;
  for (const name of ["SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    process.onSignal(name, () => {
      code = FORCED[name]!;
      if (engine.state === "serving") {
        log("INFO", `${name}: stopping; connections open: ${engine.live.size}`);
        return engine.drain();
      }
      log("WARN", `${name} again: stopping now`);
      engine.abort();
      force();
    });
  }
  return { forced, code: () => code };
}

async function shutDown(app: LoadedApp, log: Log): Promise<void> {
  try {
    await app.shutdown?.();
  } catch (error) {
    log("ERROR", `the application's shutdown() failed: ${showError(error)}`);
  }
}

function dumpOf(engine: Engine, configuration: Configuration, platform: Platform, startedAt: number): string {
  const { process, clock } = platform;
  const now = clock.now();
  const uptimeMs = now - startedAt;
  const connections = [...engine.live].map(([connection, note]) => ({
    connection,
    ageMs: now - note.openedAt,
    idleMs: now - note.movedSince,
  }));
  return showState({
    version: VERSION,
    runtime: process.runtime,
    uptimeMs,
    configuration: showConfiguration(configuration),
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
    connections,
  });
}

/** Where a client finds it; an address that stands for all is not one that can be opened everywhere, but Linux does. */
function showUrl(address: Address, isTls: boolean): string {
  if (address.transport === "unix") return `unix:${address.path}`;
  const { hostname, port } = address;
  return `${isTls ? "https" : "http"}://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}
