// Knows: how one process serves one application: load it, decide, make an engine, look on, end its affairs.
// Does not know: where the orders to stop come from (run.ts, run_worker.ts).

import { loadApp, type LoadedApp } from "../app/load_app.ts";
import type { PhaseReader } from "../connection/phases.ts";
import { Engine } from "../engine/engine.ts";
import { accessLog } from "../inspect/access_log.ts";
import { type ConnectionFacts, factsOf, showState, type WorkerFacts } from "../inspect/dump.ts";
import { LineWriter } from "../inspect/line_writer.ts";
import { stopwatch } from "../inspect/stopwatch.ts";
import { trace } from "../inspect/trace.ts";
import { messageOf, showError } from "../platform/log.ts";
import { redisStore } from "../progress/redis_store.ts";
import { uploadProgress, uploads } from "../progress/upload_progress.ts";
import type { FileSink, Listener, Log, Platform } from "../platform/ports.ts";
import { type Configuration, configure, showConfiguration } from "./configuration.ts";
import { type Asked, UsageError } from "./parse_flags.ts";
import { VERSION } from "./version.ts";

/** An application and what was decided for it; it does not listen yet. */
export interface Prepared {
  app: LoadedApp;
  configuration: Configuration;
  /** Milliseconds of the clock. */
  startedAt: number;
  /** What the demo shows of the server; it is there before the engine is. */
  outlook: Outlook;
}

/** The server, as it can be looked at. */
export interface Outlook {
  connections(): ConnectionFacts[] | Promise<ConnectionFacts[]>;
  isStopping(): boolean;
}

/** What serving needs of its surroundings. */
export interface Context {
  platform: Platform;
  log: Log;
}

/**
 * Loads the application and decides how it is served.
 *
 * @param asked what the command line and the environment say
 * @param context the runtime and the log
 * @returns both
 * @throws {AppLoadError} where the application cannot be served
 * @throws {UsageError} where what was asked for does not fit together
 */
export async function prepare(asked: Asked, { platform }: Context): Promise<Prepared> {
  const { process, files, clock } = platform;
  const startedAt = clock.now();
  process.setArgs(asked.appArgs);
  const outlook: Outlook = { connections: () => [], isStopping: () => false };
  const app = asked.app === undefined ? await loadDemo(outlook, platform) : await loadApp(asked.app, {
    cwd: process.cwd,
    files,
    program: process.program,
    load: (url) => import(url),
  });
  return { app, configuration: configure(asked, app.options, platform), startedAt, outlook };
}

async function loadDemo(outlook: Outlook, { clock }: Platform): Promise<LoadedApp> {
  const { makeDemo } = await import("../demo/demo.ts");
  const handler = makeDemo({
    clock,
    connections: () => outlook.connections(),
    isStopping: () => outlook.isStopping(),
  });
  return { handler, options: {} };
}

/** An engine that serves, and what is told of it. */
export interface Serving {
  engine: Engine;
  connections(): ConnectionFacts[];
  /** The state of this process, as text. */
  dump(): string;
  /** Lets the application end its own affairs, until `impatience` settles or the graceful timeout is over. */
  shutDown(impatience: Promise<void>): Promise<void>;
  /** Writes what the readers have left, and lets go of what was held. */
  close(): void;
}

/**
 * Serves what was prepared.
 *
 * @param prepared the application and what was decided
 * @param listener where clients come from
 * @param context the runtime and the log
 * @returns what serves
 */
export function serveOn(prepared: Prepared, listener: Listener, { platform, log }: Context): Serving {
  const { app, configuration, startedAt, outlook } = prepared;
  const { clock, process } = platform;
  const { settings, debug } = configuration;
  const writers: LineWriter[] = [];
  // An application may have wrapped itself: the store is for its uploads too.
  if (configuration.progressStore !== null) uploads.store = redisStore(configuration.progressStore, { log });
  const engine = new Engine({
    listener,
    scheme: isTls(configuration) ? "https" : "http",
    settings,
    application: {
      handler: configuration.uploadProgress ? uploadProgress(app.handler) : app.handler,
      accept: app.accept,
      onError: app.onError,
      showErrors: debug,
    },
    readers: readersFor(configuration, platform, { writers, log }),
  }, { clock, log, decode: platform.decodeLatin1 });
  process.onUncaught((error) => log("ERROR", `nobody caught: ${showError(error)}`));
  app.onListen?.(listener.addr);
  const connections = () => {
    const now = clock.now();
    return [...engine.live].map(([connection, note]) => factsOf(connection, note, now));
  };
  outlook.connections = connections;
  outlook.isStopping = () => engine.state !== "serving";
  return {
    engine,
    connections,
    dump() {
      const uptimeMs = clock.now() - startedAt;
      return showState({
        version: VERSION,
        runtime: process.runtime,
        uptimeMs,
        configuration: showConfiguration(configuration),
        accepted: engine.accepted,
        pauses: engine.pauses,
        workers: [ownFacts(engine, process, uptimeMs)],
        connections: connections(),
      });
    },
    async shutDown(impatience) {
      if (app.shutdown === undefined) return;
      const patience = new Promise<void>((resolve) => clock.after(settings.gracefulTimeoutMs, resolve));
      await shutDown(app.shutdown, Promise.race([impatience, patience]), log);
    },
    close() {
      for (const writer of writers) writer.flush();
      uploads.close();
    },
  };
}

/** This process, as one of the workers of a dump; alone it has no number. */
function ownFacts(engine: Engine, process: Platform["process"], ageMs: number): WorkerFacts {
  return {
    nr: Number(process.env("WEFT_WORKER") ?? 0),
    generation: Number(process.env("WEFT_GENERATION") ?? 1),
    pid: process.pid,
    ready: engine.state === "serving",
    ageMs,
    requests: engine.requests,
    rssBytes: process.rss(),
    restarts: 0,
  };
}

/** Whether clients speak TLS. */
export function isTls({ where }: Configuration): boolean {
  return where.transport === "tcp" && where.tls !== undefined;
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
  if (configuration.uploadProgress) readers.push(uploads.reader);
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
        log("ERROR", `--access-log: cannot write to ${path}: ${messageOf(error)}`);
      }
      isFailing = true;
    }
  };
}

function openLog(path: string, files: Platform["files"]): FileSink {
  try {
    return files.append(path);
  } catch (error) {
    throw new UsageError(`--access-log: cannot write to ${path}: ${messageOf(error)}`);
  }
}

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
