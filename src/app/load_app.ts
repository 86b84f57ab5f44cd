// How a module path, a URL or a specifier becomes a handler.

import type { Accept, Handler, OnError } from "../message/handler.ts";
import type { PhaseReader } from "../connection/phases.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import type { Address, Clock, Files, Log } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import { platform } from "../platform/runtime.ts";
import type { CalledServer } from "./called_server.ts";
import type { BackendFacts } from "../fastcgi/backends.ts";
import type { FastCgiOptions } from "../fastcgi/fastcgi_options.ts";
import { isNodeHandler } from "./node_handler.ts";
import { type Loaded, loadedOrServing, type ServeCall, ServeCalls } from "./serve_call.ts";
import { urlOf } from "../platform/specifier.ts";

/** An application that is ready to be served. */
export interface LoadedApp {
  handler: Handler;
  accept?: Accept | undefined;
  onError?: OnError | undefined;
  /** Called once the server listens. */
  onListen?: ((address: Address) => void) | undefined;
  /** Called when the last request is over, before the process ends. */
  shutdown?: (() => unknown) | undefined;
  /** Called when the process begins to drain, if the application has backends: it must not hold them any longer. */
  release?: (() => void) | undefined;
  /** How its backends stand, if it has some. */
  backends?: (() => BackendFacts) | undefined;
  /** What the application's default export says of how it wants to be served, such as `port`. */
  options: Readonly<Record<string, unknown>>;
  /** The server that the application has got for its call of Deno.serve; null if it has exported a handler. */
  called: CalledServer | null;
  /** What the application wants to be told of every phase. */
  readers: readonly PhaseReader[];
}

/** What loading needs of its surroundings. */
export interface LoadContext {
  /** Directory that relative paths start from. */
  cwd: string;
  files: Files;
  /** How the user started this program, for the advice in errors. */
  program: string;
  /** Imports a module by its URL. */
  load: (url: string) => Promise<Record<string, unknown>>;
  /** Tells whether this process uses the application's own configuration, or was told to use another. */
  isConfigured: () => Promise<boolean>;
  /** Gives the address at which an application will be served that calls Deno.serve with these options. */
  place: (options: Readonly<Record<string, unknown>>) => Address;
  clock: Clock;
  log: Log;
  /** How a FastCGI application is served, if it is one. */
  fastcgi?: Omit<FastCgiOptions, "address"> & { name?: string | undefined } | undefined;
}

/** An application that takes longer to load says so: it may wait for something that does not come. */
const SLOW_MS = 5_000;
/** How long a module that exports nothing may take until it calls Deno.serve: it may connect to a database before. */
const LATE_CALL_MS = 5_000;

/**
 * Loads an application.
 *
 * @param specifier a path, a URL, or an `npm:` or `jsr:` specifier
 * @param context the surroundings
 * @returns its handler and what stands beside it
 * @throws {Failure} if it cannot be served; the message is for its author
 */
export async function loadApp(specifier: string, context: LoadContext): Promise<LoadedApp> {
  if (specifier.startsWith("fcgi:")) {
    return await (await import("./load_fastcgi.ts")).loadFastCgi(specifier, context);
  }
  const url = urlOf(specifier, context.cwd);
  const calls = new ServeCalls(context.place, context.log);
  try {
    const loaded = await importOr(specifier, url, { calls, context });
    const call = calls.call ?? await lateCall(specifier, loaded.module, { calls, context });
    return call === null ? await readExports(specifier, loaded.module) : readCall(call, loaded, { specifier, context });
  } finally {
    calls.end();
  }
}

/** What loading goes with. */
interface Loading {
  calls: ServeCalls;
  context: LoadContext;
}

async function importOr(specifier: string, url: string, { calls, context }: Loading): Promise<Loaded> {
  const slow = context.clock.every(SLOW_MS, () => {
    slow.cancel();
    context.log(
      "WARN",
      `${specifier} is still loading after ${SLOW_MS / 1_000} s; it is served once its top level is done`,
    );
  });
  try {
    const { module, whole } = await loadedOrServing(context.load(url), calls, context);
    return { module: exportsOf(module), whole };
  } catch (error) {
    const { explain } = await import("./explain.ts");
    const message = `cannot load the application ${specifier}\n${await explain(error, url, context)}`;
    throw new Failure(EXIT.appNotLoaded, message, { cause: error });
  } finally {
    slow.cancel();
  }
}

/** A compiler that writes CommonJS puts the default export into `exports.default`, and what imports it sees that one level lower. */
function exportsOf(module: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { default: main } = module;
  if (typeof main !== "object" || main === null) return module;
  const exports = main as Readonly<Record<string, unknown>>;
  return exports.__esModule === true && "default" in exports ? exports : module;
}

/** A module without exports is a script; a bundler may give it an empty default export. If it does not await what it does first, its call comes after it was loaded. */
async function lateCall(
  specifier: string,
  module: Readonly<Record<string, unknown>>,
  { calls, context: { clock, log } }: Loading,
): Promise<ServeCall | null> {
  const { default: main, ...others } = module;
  const isScript = [main, others].every((value) => value === undefined || isEmptyObject(value));
  if (!isScript) return null;
  const { serve } = await platform.process.advice();
  log("INFO", `${specifier} exports nothing; it has ${LATE_CALL_MS / 1_000} s to call ${serve}`);
  const over = withResolvers<null>();
  const timer = clock.after(LATE_CALL_MS, () => over.resolve(null));
  const call = await Promise.race([calls.first, over.promise]);
  timer.cancel();
  return call;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype &&
    Object.keys(value).length === 0;
}

/** Hooks that the call does not have may be exported. */
function readCall(
  { handler, options, called }: ServeCall,
  { module, whole }: Loaded,
  { specifier, context }: { specifier: string; context: LoadContext },
): LoadedApp {
  const exported = readHooks(module);
  if (findHandler(module) !== null) {
    context.log("WARN", `${specifier} exports a handler and calls Deno.serve: the handler of the call is served`);
  }
  const own = (name: string) => typeof options[name] === "function" ? options[name] : undefined;
  return {
    ...exported,
    handler,
    accept: own("accept") as Accept | undefined ?? exported.accept,
    onError: own("onError") as OnError | undefined ?? exported.onError,
    onListen: own("onListen") as LoadedApp["onListen"] ?? exported.onListen,
    async shutdown() {
      await exported.shutdown?.();
      // What stands after `await server.finished`.
      if (called.isWaitedFor) await whole;
    },
    options: { ...exported.options, ...options },
    called,
    readers: Array.isArray(options.readers) ? options.readers : [],
  };
}

async function readExports(specifier: string, module: Readonly<Record<string, unknown>>): Promise<LoadedApp> {
  const handler = findHandler(module);
  if (handler === null) throw await (await import("./not_servable.ts")).notServable(specifier, module);
  return { ...readHooks(module), handler, called: null, readers: [] };
}

function readHooks(
  module: Readonly<Record<string, unknown>>,
): Pick<LoadedApp, "accept" | "onError" | "onListen" | "shutdown" | "options"> {
  const object = mainOf(module);
  // An instance of a framework has methods of these names that mean something else: Hono's onError() sets one.
  const plain = [Object.prototype, null].includes(Object.getPrototypeOf(object)) ? object : {};
  const beside = (name: string) => bound(module[name] ?? plain[name], plain);
  return {
    accept: beside("accept") as Accept | undefined,
    onError: beside("onError") as OnError | undefined,
    onListen: beside("onListen") as LoadedApp["onListen"],
    shutdown: beside("shutdown") as LoadedApp["shutdown"],
    options: plain,
  };
}

/** The default export if it is an object, otherwise an empty one. */
function mainOf({ default: main }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return typeof main === "object" && main !== null ? main as Record<string, unknown> : {};
}

/** The handler that a module exports; null if there is none that could ever answer a request. */
function findHandler(module: Readonly<Record<string, unknown>>): Handler | null {
  const object = mainOf(module);
  if (typeof object.fetch === "function") return bound(object.fetch, object) as Handler;
  const main = module.default;
  if (typeof main === "function") return isServable(main) ? main as Handler : null;
  return typeof module.fetch === "function" ? module.fetch as Handler : null;
}

/** A class and a handler of node:http would fail at every request. It is better to say so at once. */
function isServable(main: object): boolean {
  return !isNodeHandler(main) && !/^class\b/.test(Function.prototype.toString.call(main));
}

/** A method keeps its object; methods of classes are on the prototype, which a spread leaves out. */
function bound(value: unknown, object: Record<string, unknown>): unknown {
  return typeof value === "function" ? (...args: unknown[]) => value.apply(object, args) : undefined;
}
