// How a process gets ready to serve: it loads the application, and decides how it is served. It does not listen yet.

import { loadApp, type LoadedApp } from "../app/load_app.ts";
import { MAJOR, otherVersions } from "../copies/shared.ts";
import type { ApplicationOptions } from "../engine/application.ts";
import { replaceUpgrade } from "../engine/upgrade_web_socket.ts";
import type { InFlight } from "../engine/in_flight.ts";
import type { Proxies } from "../connection/arrival.ts";
import type { Handler } from "../message/handler.ts";
import type { ConnectionFacts } from "../inspect/dump.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import { logUncaught, messageOf, pathInLine } from "../platform/log.ts";
import type { Address, ListenOptions, Log, Platform } from "../platform/ports.ts";
import type { BackendSeat } from "../prefork/worker_link.ts";
import { ofProcess } from "../progress/of_process.ts";
import { type Configuration, configure, progressStoreOf, sourceOf } from "./configuration.ts";
import { type PhaseReaders, phaseReadersFor } from "./phase_readers.ts";
import type { Asked } from "./parse_flags.ts";

/** An application and what was decided for it; it does not listen yet. */
export interface Prepared {
  app: LoadedApp;
  configuration: Configuration;
  phaseReaders: PhaseReaders;
  proxies: Proxies | null;
  /** Null without a limit of requests in flight. */
  inFlight: InFlight | null;
  /** Compresses answers; undefined if they are sent as they are. */
  transform: ApplicationOptions["transform"];
  /** Milliseconds of the clock. */
  startedAt: number;
  /** What the demo shows of the server; it is there before the engine is. */
  outlook: ServerView;
}

/** The server, as it can be looked at. */
export interface ServerView {
  connections(): ConnectionFacts[] | Promise<ConnectionFacts[]>;
  isStopping(): boolean;
}

/** What serving needs of its surroundings. */
export interface Context {
  platform: Platform;
  log: Log;
  /**
   * How the user started the program, for the advice in errors.
   * @default as this process was started
   */
  program?: string;
  /** Where the processes of an application in Perl listen; null if the application is another. */
  backend?: BackendSeat | null;
  /**
   * Called when the application calls Deno.serve, with the address to listen on. Gives where it listens already; null if it
   * does not yet.
   */
  listenEarly?: ((where: ListenOptions) => Address | null) | undefined;
}

/**
 * Loads the application and decides how it is served.
 *
 * @param asked what the command line and the environment say
 * @param context the runtime and the log
 * @returns both
 * @throws {Failure} if what was asked for does not fit together, or the application cannot be served
 */
export async function prepare(asked: Asked, context: Context): Promise<Prepared> {
  const { platform, log } = context;
  const { process, clock } = platform;
  const startedAt = clock.now();
  // Before the application is loaded: what it does not catch must not end the process while it loads either.
  logUncaught(process, log);
  process.setArgs(asked.appArgs);
  const store = progressStoreOf(asked);
  // Before the application is loaded, which may wrap itself: the store is for its uploads too.
  if (store !== null) ofProcess.store = (await import("../progress/redis_store.ts")).redisStore(store, { log });
  const outlook: ServerView = { connections: () => [], isStopping: () => false };
  const app = asked.app === undefined ? await loadDemo(outlook, platform) : await loadNamed(asked.app, asked, context);
  const others = otherVersions();
  if (others.length > 0) {
    log(
      "WARN",
      `the application imports version ${
        others.join(" and ")
      } of @weft/engine, and this is version ${MAJOR}: files of ` +
        "uploads stay until the process ends, and their progress is not known; use the same major version for both",
    );
  }
  const configuration = configure(asked, app.options, platform);
  // What stands on the command line goes before what the application has chosen.
  if (asked.explicit.has("progress-store") && ofProcess.uploads !== null) ofProcess.uploads.store = ofProcess.store;
  // Polls of the progress of uploads are not limited.
  const { maxInFlight } = configuration.settings;
  const inFlight = maxInFlight === 0 ? null : await limitOf(app.handler, maxInFlight);
  if (inFlight !== null) app.handler = inFlight.handler;
  if (configuration.uploadProgress) app.handler = await followingUploads(app.handler);
  const proxies = await proxiesOf(configuration, () => sourceOf("trustProxy", asked, app.options));
  return {
    app,
    configuration,
    phaseReaders: await phaseReadersFor(configuration, context),
    proxies,
    inFlight,
    transform: configuration.compress ? (await import("../engine/compression.ts")).compressed : undefined,
    startedAt,
    outlook,
  };
}

async function limitOf(handler: Handler, most: number): Promise<InFlight> {
  return new (await import("../engine/in_flight.ts")).InFlight(handler, most);
}

async function proxiesOf(
  { trustProxy, proxyProtocol }: Configuration,
  source: () => string,
): Promise<Proxies | null> {
  if (trustProxy.length === 0) return null;
  const { trustedProxies } = await import("../connection/proxies.ts");
  const { IpRanges } = await import("../wire/ip_ranges.ts");
  try {
    return trustedProxies(new IpRanges(trustProxy), { hasHeader: proxyProtocol });
  } catch (error) {
    if (error instanceof RangeError) throw Failure.usage(`${source()}: ${error.message}`);
    throw error;
  }
}

async function loadNamed(name: string, asked: Asked, context: Context): Promise<LoadedApp> {
  const { platform, log, backend = null } = context;
  const { process, files, clock } = platform;
  platform.replaceServe();
  replaceUpgrade();
  if (platform.hasSlowGlobals && !asked.options.noFastGlobals) {
    (await import("../message/fast_globals.ts")).installFastGlobals();
  }
  const app = await loadApp(backend === null ? name : `fcgi:unix:${backend.socket}`, {
    cwd: process.cwd,
    files,
    program: context.program ?? process.program,
    load: (url) => import(url),
    isConfigured: async () => await (await import("./start_again.ts")).isConfigured(name, platform),
    place(options) {
      const { where } = configure(asked, options, platform);
      return context.listenEarly?.(where) ?? (where.transport === "unix" ? where : showPlace(where));
    },
    clock,
    log,
    fastcgi: {
      log,
      timeoutMs: asked.options.backendTimeout,
      root: siteOf(asked, platform),
      name: backend === null ? undefined : pathInLine(name),
      maxConnections: backend?.permits ?? undefined,
      keepConnections: backend !== null && backend.permits !== null,
    },
  });
  const options = app.options as Record<string, unknown>;
  // A function is no setting: a spread router has get(), post() and patch().
  const names = Object.keys(options).filter((name) => typeof options[name] !== "function");
  // The call of a server has all that Deno.serve takes.
  if (app.called !== null) await checkCall(name, app.options, platform);
  // Every worker loads the application, but one warning is enough.
  else if (names.length > 0 && numberOf(process) <= 1) (await import("./misspelt.ts")).warnOfOptions(names, log);
  return app;
}

/**
 * Which worker this process is.
 *
 * @param process this process
 * @returns its number from 1, or 0 if it serves alone
 */
export function numberOf(process: Platform["process"]): number {
  return Number(process.env("WEFT_WORKER") ?? 0);
}

/** What the library's serve() refuses is refused here too: an option of Deno.serve is never ignored. */
async function checkCall(name: string, options: LoadedApp["options"], { process }: Platform): Promise<void> {
  const { listenOptionsOf } = await import("../engine/serve_options.ts");
  try {
    listenOptionsOf(options, 0);
  } catch (error) {
    const { serve } = await process.advice();
    const message = `cannot load the application ${name}\nits call of ${serve}: ${messageOf(error)}`;
    throw new Failure(EXIT.appNotLoaded, message, { cause: error });
  }
}

/** The directory of a site in PHP, if one was given. */
function siteOf({ app = "", options: { fastcgiRoot } }: Asked, { files }: Platform): string | undefined {
  if (fastcgiRoot === undefined) return undefined;
  if (!app.startsWith("fcgi:")) throw Failure.usage("--fastcgi-root: expected an application such as fcgi:HOST:PORT");
  if (files.kindOf(fastcgiRoot) === "directory") return fastcgiRoot;
  throw Failure.usage(`--fastcgi-root: expected a directory, got ${pathInLine(fastcgiRoot)}`);
}

function showPlace({ hostname, port }: ListenOptions & { transport: "tcp" }): Address {
  return { transport: "tcp", hostname, port };
}

async function followingUploads(handler: Handler): Promise<Handler> {
  return (await import("../progress/upload_progress.ts")).uploadProgress(handler);
}

async function loadDemo(outlook: ServerView, { clock }: Platform): Promise<LoadedApp> {
  const { makeDemo } = await import("../demo/demo.ts");
  const handler = makeDemo({
    clock,
    connections: () => outlook.connections(),
    isStopping: () => outlook.isStopping(),
  });
  return { handler, options: {}, called: null, readers: [] };
}
