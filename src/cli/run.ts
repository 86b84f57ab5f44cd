// Serves in one process: listens, prints the URL, obeys signals, stops.

import { type Hangup, noteHangup } from "./hangup.ts";
import { sayServing, sayStopped } from "./lines.ts";
import { listen, showUrl } from "./listening.ts";
import type { Listener, ListenOptions, Platform } from "../platform/ports.ts";
import type { Asked } from "./parse_flags.ts";
import type { OwnBackend } from "./perl_backend.ts";
import { inheritedSocket, isPerl } from "./processes.ts";
import { type Context, prepare } from "./prepare.ts";
import { isTls, serveOn } from "./serving.ts";
import { dumpOnSignal, obeySignals } from "./signals.ts";

/**
 * Serves until a signal ends it.
 *
 * @param asked what the command line and the environment say
 * @param context the runtime and the log
 * @returns the exit code
 * @throws {Failure} if what was asked for does not fit together, or the application or the address cannot be used
 */
export async function run(asked: Asked, context: Context): Promise<number> {
  const { platform } = context;
  const hangup = noteHangup(await platform.loadTerminal(), platform);
  const backend = await backendFor(asked, context);
  if (backend === null) return await serve(asked, { ...context, hangup });
  try {
    return await serve(asked, { ...context, hangup, backend: backend.seat });
  } finally {
    await backend.stop();
  }
}

/** The processes of an application in Perl; null for any other. */
async function backendFor(asked: Asked, context: Context): Promise<OwnBackend | null> {
  if (!isPerl(asked)) return null;
  return await (await import("./perl_backend.ts")).startOwn(asked, context);
}

async function serve(asked: Asked, context: Context & { hangup: Hangup }): Promise<number> {
  const { platform, hangup } = context;
  const { process } = platform;
  const descriptor = inheritedSocket(asked, context);
  const early = new EarlyListener(platform);
  const prepared = await prepare(asked, {
    ...context,
    listenEarly: descriptor === null ? (where) => early.listen(where) : undefined,
  });
  const { configuration } = prepared;
  const where = descriptor === null ? configuration.where : { transport: "inherited" as const, descriptor };
  const listener = early.listener ?? await listen(where, platform);
  const serving = serveOn(prepared, listener, context);
  const { engine } = serving;
  const ending = obeySignals({
    open: () => engine.live.size,
    isStopping: () => engine.state !== "serving",
    drain: () => engine.drain(),
    abort: () => engine.abort(),
  }, context);
  process.noteDebugger();
  dumpOnSignal(() => serving.dump(), context);
  hangup.stopOn(ending);

  sayServing(showUrl(listener.addr, isTls(configuration)), asked, { ...context, more: "" });
  await Promise.race([engine.finished, ending.forced]);
  await serving.shutDown(ending.forced);
  serving.close();
  sayStopped(engine.connectionCounts, context);
  return engine.connectionCounts.cut > 0 || ending.isForced() ? ending.code() : 0;
}

/**
 * Listens while the application calls Deno.serve, which gives a server that listens: the application may look at its port at
 * once. What fails is tried again, and told of, when the application is loaded.
 */
class EarlyListener {
  /** Null until it listens. Set by `listen`. */
  listener: Listener | null = null;
  #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  listen(where: ListenOptions): Listener["addr"] | null {
    if (where.transport === "unix") return null;
    try {
      this.listener = this.#platform.listen(where);
    } catch {
      return null;
    }
    return this.listener.addr;
  }
}
