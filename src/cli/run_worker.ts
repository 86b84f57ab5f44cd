// How one of several processes serves: it does what its supervisor says.

import { showPath } from "../inspect/dump.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import type { BootFault, LeaveReason } from "../prefork/messages.ts";
import { MAX_IN_FLIGHT, NO_REPORT, type Report } from "../prefork/report.ts";
import { type Hello, type Pace, WorkerLink } from "../prefork/worker_link.ts";
import { showError } from "../platform/log.ts";
import { ofProcess } from "../progress/of_process.ts";
import type { Listener, Platform } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import { servePort } from "../platform/serve_port.ts";
import { type Configuration, showConfiguration } from "./configuration.ts";
import { listen, showUrl } from "./listening.ts";
import { type Asked, parseFlags } from "./parse_flags.ts";
import { type Context, prepare, type Prepared } from "./prepare.ts";
import { isTls, serveOn, type Serving } from "./serving.ts";
import { dumpOnSignal } from "./signals.ts";

/** How often a worker reports; it is its heartbeat, so that a short worker timeout wants it more often. */
const REPORT_EVERY_MS = 1_000;
const REPORTS_A_TIMEOUT = 4;
const FASTEST_REPORTS_MS = 50;
/** An idle worker reports seldom, to cost its supervisor next to nothing: half of the default worker timeout. */
const LONGEST_SILENCE_MS = 15_000;
/**
 * Requests in this time that are told of before the application is called: one that never comes back is known by name
 * then. A busy worker tells of its first few only, and of the others with its next report.
 */
const TOLD_BEFORE = 10;
/** What a fast start has left out, such as the runtime's timers, is loaded so long after it, not when the worker leaves. */
const LEFT_OUT_MS = 1_000;
/** How often a draining worker looks whether a connection idles still. */
const QUIET_CHECK_MS = 20;

/**
 * Serves as a worker until its supervisor ends it.
 *
 * @param args the supervisor's command line
 * @param hello how to reach the supervisor
 * @param context the runtime and the log
 * @returns the exit code
 */
export async function runWorker(args: readonly string[], hello: Hello, context: Context): Promise<number> {
  const { platform, log } = context;
  ignoreParentsSignals(platform);
  const link = await WorkerLink.connect(hello, platform);
  const orders = withResolvers<number | null>();
  let worker: Worker | null = null;
  link.obey({
    listen: (port) => orders.resolve(port),
    drain: (why) => worker?.drain(why),
    abort: () => worker?.abort(),
    state: () =>
      worker?.state() ??
        { report: NO_REPORT, accepted: 0, pauses: 0, limit: null, connections: [], backends: [] },
    orphaned() {
      if (worker === null) return platform.process.exit(1);
      worker.drain("orphaned");
      log("WARN", "the supervisor is gone: stopping");
    },
  });
  try {
    const asked = parseFlags(args, platform.process.env);
    // Before the application is loaded: what follows its uploads may be loaded with it.
    ofProcess.store = link.progressStore;
    servePort.isPortShared = true;
    const prepared = await prepare(asked, { ...context, program: hello.program, backend: hello.backend });
    link.tell({ kind: "loaded" });
    if (!hello.isAwaited) await warmUpWorker(context);
    const listener = await listenAsWorker(prepared.configuration, { port: await orders.promise, hello, platform });
    worker = new Worker(prepared, listener, {
      link,
      context,
      isPortShared: hello.descriptor === undefined && platform.listenShared === undefined,
      pace: paceOf(asked),
    });
  } catch (error) {
    const fault = faultOf(error);
    await link.fail(fault, fault === "error" ? showError(error) : (error as Error).message);
    return 1;
  }
  return await worker.finish();
}

/** Ctrl-C and a closed terminal reach every process of the group; what becomes of it is the supervisor's to say. */
function ignoreParentsSignals({ process }: Platform): void {
  for (const name of ["SIGINT", "SIGQUIT", "SIGHUP", "SIGTTIN", "SIGTTOU"] as const) process.onSignal(name, () => {});
}

function paceOf({ options, given }: Asked): Pace {
  // The default timeout is long enough for the longest silence.
  const timeoutMs = given.has("worker-timeout") ? options.workerTimeout : 0;
  const shareMs = timeoutMs === 0 ? Infinity : timeoutMs / REPORTS_A_TIMEOUT;
  return {
    everyMs: Math.max(FASTEST_REPORTS_MS, Math.min(REPORT_EVERY_MS, shareMs)),
    silentMs: Math.min(LONGEST_SILENCE_MS, shareMs),
  };
}

function faultOf(error: unknown): BootFault {
  if (!(error instanceof Failure)) return "error";
  if (error.code === EXIT.appNotLoaded) return "app";
  // Besides what the user has asked for, only listening can fail for a reason that the user can remove.
  return error.code === EXIT.usage ? "usage" : "listen";
}

/** Clients reach a new worker all at once. The first of them should not wait for the compiler. */
async function warmUpWorker({ platform: { clock, decodeLatin1 }, log }: Context): Promise<void> {
  const { warmUp } = await import("../engine/warm_up.ts");
  await warmUp({ clock, log, decode: decodeLatin1 });
}

/** Which port, from whom, and on what. */
interface Place {
  port: number | null;
  hello: Hello;
  platform: Platform;
}

async function listenAsWorker({ where }: Configuration, { port, hello, platform }: Place): Promise<Listener> {
  if (hello.descriptor !== undefined) {
    return await listen({ transport: "inherited", descriptor: hello.descriptor }, platform);
  }
  if (where.transport === "unix") {
    throw Failure.usage("the application's options: several processes cannot share a path");
  }
  if (port !== null) {
    if (where.port !== 0 && where.port !== port) {
      throw Failure.usage(
        `the application's options: port ${where.port}, but this server listens on ${port}; ` +
          "another port takes a stop and a start",
      );
    }
    return await listen({ ...where, port, reusePort: true }, platform);
  }
  // The system does not hand out a port that is shared.
  if (where.port === 0) return await listen({ ...where, reusePort: true }, platform);
  // Alone at first: a port that another program has is refused, not shared.
  const probe = await listen(where, platform);
  probe.close();
  return await listen({ ...where, reusePort: true }, platform);
}

/** What a worker needs of its surroundings. */
interface Surroundings {
  link: WorkerLink;
  context: Context;
  /** Each worker has a socket of its own on it. */
  isPortShared: boolean;
  pace: Pace;
}

/** A worker that serves. */
class Worker {
  #serving: Serving;
  #link: WorkerLink;
  #context: Context;
  #configuration: Configuration;
  #release: () => void;
  #isPortShared: boolean;
  #rssBytes: number;
  #toTell = TOLD_BEFORE;
  #isLeaving = false;
  #abandon = withResolvers<void>();

  constructor(prepared: Prepared, listener: Listener, { link, context, isPortShared, pace }: Surroundings) {
    const { platform, log } = context;
    this.#link = link;
    this.#context = context;
    this.#isPortShared = isPortShared;
    this.#configuration = prepared.configuration;
    this.#rssBytes = platform.process.rss();
    const { app, configuration } = prepared;
    const { handler, release = () => {} } = app;
    this.#release = release;
    this.#serving = serveOn(
      {
        ...prepared,
        app: {
          ...app,
          handler: (request, info) => {
            if (this.#toTell > 0) this.#tellBefore();
            return handler(request, info);
          },
        },
      },
      listener,
      context,
    );
    prepared.outlook.connections = () => link.survey();
    platform.process.onSignal("SIGTERM", () => {
      log("INFO", "SIGTERM: this worker stops");
      this.drain("stop");
    });
    dumpOnSignal(() => this.#serving.dump(), context);
    const { settings } = configuration;
    const { addr } = listener;
    link.tell({
      kind: "ready",
      url: showUrl(addr, isTls(configuration)),
      port: addr.transport === "tcp" ? addr.port : 0,
      // The application's shutdown() has as long again.
      drainMs: settings.drainDelayMs + settings.gracefulTimeoutMs * (app.shutdown === undefined ? 1 : 2),
      configuration: showConfiguration(configuration),
    });
    const { clock } = platform;
    const leftOut = clock.every(LEFT_OUT_MS, () => {
      leftOut.cancel();
      clock.soon(() => {});
    });
    link.startReporting(pace, {
      clock,
      report: () => {
        this.#toTell = TOLD_BEFORE;
        this.#rssBytes = platform.process.rss();
        return this.#report();
      },
    });
  }

  /** Finishes what runs. */
  drain(why: LeaveReason | "orphaned"): void {
    const { engine } = this.#serving;
    const { settings } = this.#configuration;
    const isEnd = why === "stop" || why === "orphaned";
    engine.drain({
      // Only a stop waits for load balancers to notice.
      delayMs: why === "stop" ? settings.drainDelayMs : 0,
      // After a change of the code, the old code should not answer any more.
      lastIdleMs: why === "restart" ? 0 : settings.lastIdleMs,
      successors: isEnd ? undefined : this.#isPortShared ? "same port" : "same socket",
    });
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#release();
    const looking = this.#context.platform.clock.every(QUIET_CHECK_MS, () => {
      if (!engine.isQuiet) return;
      looking.cancel();
      this.#link.tell({ kind: "quiet" });
    });
  }

  /** Cuts what runs. */
  abort(): void {
    this.#serving.engine.abort();
    this.#abandon.resolve();
  }

  /** Everything that is known here. */
  state() {
    const { engine } = this.#serving;
    return {
      report: this.#report(),
      accepted: engine.accepted,
      pauses: engine.pauses,
      limit: this.#serving.limit(),
      connections: this.#serving.connections(),
      backends: this.#serving.backends(),
    };
  }

  /** Waits for the end, and tells of it. */
  async finish(): Promise<number> {
    const { engine } = this.#serving;
    await engine.finished;
    await this.#serving.shutDown(this.#abandon.promise);
    this.#serving.close();
    await this.#link.leave(engine.connectionCounts);
    return 0;
  }

  #tellBefore(): void {
    this.#toTell--;
    this.#link.tell({ kind: "report", report: this.#report() });
  }

  #report(): Report {
    const { engine } = this.#serving;
    const inFlight: string[] = [];
    for (const { phase, exchange } of engine.live) {
      if (exchange === null || phase === "idle" || phase === "drain") continue;
      inFlight.push(`${exchange.head.method} ${showPath(exchange.head.target)}`);
      if (inFlight.length === MAX_IN_FLIGHT) break;
    }
    return { requests: engine.requests, rssBytes: this.#rssBytes, connections: engine.live.size, inFlight };
  }
}
