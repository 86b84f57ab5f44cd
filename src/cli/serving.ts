// How one process serves an application that is ready: an engine, what is told of it, and its end.

import { Engine } from "../engine/engine.ts";
import {
  type BackendRow,
  type ConnectionFacts,
  factsOf,
  type LimitFacts,
  showState,
  type WorkerFacts,
} from "../inspect/dump.ts";
import { showError } from "../platform/log.ts";
import type { Listener, Log, Platform } from "../platform/ports.ts";
import { ofProcess } from "../progress/of_process.ts";
import { type Configuration, showConfiguration } from "./configuration.ts";
import { VERSION } from "./version.ts";
import { type Context, numberOf, type Prepared } from "./prepare.ts";

/** An engine that serves, and what is told of it. */
export interface Serving {
  engine: Engine;
  connections(): ConnectionFacts[];
  /** The processes behind a FastCGI application; empty for any other. */
  backends(): BackendRow[];
  /** What the limit of requests in flight has to do; null without one. */
  limit(): LimitFacts | null;
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
 * @param listener the listening socket
 * @param context the runtime and the log
 * @returns what serves
 */
export function serveOn(prepared: Prepared, listener: Listener, { platform, log }: Context): Serving {
  const { app, configuration, phaseReaders, proxies, inFlight, startedAt, outlook } = prepared;
  const { clock, process } = platform;
  const { settings, debug } = configuration;
  const engine = new Engine({
    listener,
    scheme: isTls(configuration) ? "https" : "http",
    proxies,
    settings,
    application: {
      handler: app.handler,
      accept: app.accept,
      onError: app.onError,
      transform: prepared.transform,
      showErrors: debug,
    },
    readers: app.readers.length === 0 ? phaseReaders.readers : [...phaseReaders.readers, ...app.readers],
  }, { clock, log, decode: platform.decodeLatin1 });
  app.called?.attach({
    addr: listener.addr,
    finished: engine.finished,
    drain: () => engine.drain(),
    abort: () => engine.abort(),
    ref: () => listener.ref(),
    unref: () => listener.unref(),
  });
  app.onListen?.(listener.addr);
  const connections = () => {
    const now = clock.now();
    return [...engine.live].map((connection) => factsOf(connection, connection.note, now));
  };
  const backends = () => app.backends === undefined ? [] : [{ nr: numberOf(process), ...app.backends() }];
  outlook.connections = connections;
  outlook.isStopping = () => engine.state !== "serving";
  const limit = () => inFlight?.facts() ?? null;
  return {
    engine,
    connections,
    backends,
    limit,
    dump() {
      const uptimeMs = clock.now() - startedAt;
      return showState({
        version: VERSION,
        runtime: process.runtime,
        uptimeMs,
        configuration: showConfiguration(configuration),
        accepted: engine.accepted,
        pauses: engine.pauses,
        limit: limit(),
        workers: [ownFacts(engine, process, uptimeMs)],
        backends: backends(),
        connections: connections(),
      });
    },
    async shutDown(impatience) {
      if (app.shutdown === undefined) return;
      const patience = new Promise<void>((resolve) => clock.after(settings.gracefulTimeoutMs, resolve));
      await shutDown(app.shutdown, Promise.race([impatience, patience]), log);
    },
    close() {
      app.release?.();
      phaseReaders.flush();
      ofProcess.uploads?.close();
    },
  };
}

/** This process, as one of the workers of a dump; alone it has no number. */
function ownFacts(engine: Engine, process: Platform["process"], ageMs: number): WorkerFacts {
  return {
    nr: numberOf(process),
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
