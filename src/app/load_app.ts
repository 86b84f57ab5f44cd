// How a module path, a URL or a specifier becomes a handler.

import type { Accept, Handler, OnError } from "../message/handler.ts";
import { EXIT, Failure } from "../platform/failure.ts";
import type { Address, Files } from "../platform/ports.ts";
import { urlOf } from "./specifier.ts";

/** An application that is ready to be served. */
export interface LoadedApp {
  handler: Handler;
  accept?: Accept | undefined;
  onError?: OnError | undefined;
  /** Called once the server listens. */
  onListen?: ((address: Address) => void) | undefined;
  /** Called when the last request is over, before the process ends. */
  shutdown?: (() => unknown) | undefined;
  /** What the application's default export says of how it wants to be served, such as `port`. */
  options: Readonly<Record<string, unknown>>;
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
}

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
    throw new Failure(
      EXIT.appNotLoaded,
      `${specifier}: serving a FastCGI application needs a part that is not built yet`,
    );
  }
  const url = urlOf(specifier, context.cwd);
  let module: Record<string, unknown>;
  try {
    module = await context.load(url);
  } catch (error) {
    const { explain } = await import("./explain.ts");
    throw new Failure(EXIT.appNotLoaded, `cannot load the application ${specifier}\n${explain(error, url, context)}`, {
      cause: error,
    });
  }
  return readExports(specifier, module);
}

function readExports(specifier: string, module: Record<string, unknown>): LoadedApp {
  const main = module.default;
  const object = typeof main === "object" && main !== null ? main as Record<string, unknown> : {};
  // An instance of a framework has methods of these names that mean something else: Hono's onError() sets one.
  const plain = [Object.prototype, null].includes(Object.getPrototypeOf(object)) ? object : {};
  const beside = (name: string) => bound(module[name] ?? plain[name], plain);
  return {
    handler: findHandler(specifier, module, object),
    accept: beside("accept") as Accept | undefined,
    onError: beside("onError") as OnError | undefined,
    onListen: beside("onListen") as LoadedApp["onListen"],
    shutdown: beside("shutdown") as LoadedApp["shutdown"],
    options: plain,
  };
}

function findHandler(specifier: string, module: Record<string, unknown>, object: Record<string, unknown>): Handler {
  if (typeof object.fetch === "function") return bound(object.fetch, object) as Handler;
  if (typeof module.default === "function") return checkedFunction(specifier, module.default);
  if (typeof module.fetch === "function") return module.fetch as Handler;
  throw new Failure(
    EXIT.appNotLoaded,
    `the application ${specifier} exports nothing that can be served\n` +
      `expected \`export default { fetch(request) { ... } }\`, a default function or a function named fetch; ` +
      showExports(module),
  );
}

/** A function that cannot be a fetch handler would fail at every request; better at once. */
function checkedFunction(specifier: string, main: unknown): Handler {
  const { handle, use } = main as { handle?: unknown; use?: unknown };
  if (/^class\b/.test(Function.prototype.toString.call(main))) {
    throw new Failure(
      EXIT.appNotLoaded,
      `the default export of ${specifier} is a class; export an instance: \`new ...()\``,
    );
  }
  if (typeof handle === "function" && typeof use === "function") {
    throw new Failure(
      EXIT.appNotLoaded,
      `the default export of ${specifier} is a Node-style application (request, response), such as Express makes; ` +
        "Weft serves fetch-style ones: `fetch(request)` gives a Response",
    );
  }
  return main as Handler;
}

function showExports(module: Record<string, unknown>): string {
  const names = Object.keys(module);
  if (names.length === 0) return "it exports nothing; where it starts a server of its own, export the handler instead";
  const main = module.default;
  if (names.length > 1 || main === undefined) return `it exports ${names.join(", ")}`;
  if (typeof main !== "object" || main === null) {
    return `its default export is ${main === null ? "null" : `a ${typeof main}`}`;
  }
  return `its default export has ${Object.keys(main).join(", ") || "nothing"}`;
}

/** A method keeps its object; methods of classes are on the prototype, which a spread leaves out. */
function bound(value: unknown, object: Record<string, unknown>): unknown {
  return typeof value === "function" ? (...args: unknown[]) => value.apply(object, args) : undefined;
}
