// Knows: how a module path, a URL or a specifier becomes a handler.
// Does not know: flags, or how it is served.

import type { Accept, Handler, OnError } from "../message/handler.ts";
import { messageOf } from "../platform/log.ts";
import type { Address, Files } from "../platform/ports.ts";
import { AppLoadError, showLoadError } from "./load_error.ts";

/** An application that is ready to be served. */
export interface LoadedApp {
  handler: Handler;
  accept?: Accept;
  onError?: OnError;
  /** Called once the server listens. */
  onListen?: (address: Address) => void;
  /** Called when the last request is over, before the process ends. */
  shutdown?: () => unknown;
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

/** URLs of this package's own modules; an error's place is looked for elsewhere. */
const OWN_ROOT = new URL("../", import.meta.url).href;

/**
 * Loads an application.
 *
 * @param specifier a path, a URL, or an `npm:` or `jsr:` specifier
 * @param context the surroundings
 * @returns its handler and what stands beside it
 * @throws {AppLoadError} where it cannot be served; the message is for its author
 */
export async function loadApp(specifier: string, context: LoadContext): Promise<LoadedApp> {
  if (specifier.startsWith("fcgi:")) {
    throw new AppLoadError(specifier, `${specifier}: serving a FastCGI application needs a part that is not built yet`);
  }
  const url = moduleUrl(specifier, context);
  let module: Record<string, unknown>;
  try {
    module = await context.load(url);
  } catch (error) {
    const shown = showLoadError(
      error,
      (place) => context.files.readText(pathOf(place)),
      (place) => place.startsWith(OWN_ROOT),
    );
    const advice = adviceFor(error, url, context);
    throw new AppLoadError(specifier, `cannot load the application ${specifier}\n${shown}${advice}`, { cause: error });
  }
  return readExports(specifier, module);
}

/** A scheme has two letters at least: one letter is a drive on Windows. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/**
 * Finds the file that a specifier names.
 *
 * @param specifier the application as it was asked for
 * @returns its path, relative where it was, with `/` between the names; null where it names no file of this machine
 */
export function localPath(specifier: string): string | null {
  if (!SCHEME.test(specifier)) return specifier.replaceAll("\\", "/");
  return specifier.startsWith("file:") ? pathOf(specifier) : null;
}

function moduleUrl(specifier: string, context: LoadContext): string {
  if (SCHEME.test(specifier)) return specifier;
  const url = toUrl(specifier, context.cwd);
  const path = pathOf(url.href);
  const problem = problemWith(path, context.files);
  if (problem === null) return url.href;
  throw new AppLoadError(specifier, `cannot load the application ${specifier}\n${problem}`);
}

function toUrl(path: string, cwd: string): URL {
  const base = new URL(`file://${cwd.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/")}/`);
  return new URL(encodeURI(path.replaceAll("\\", "/")).replaceAll("#", "%23").replaceAll("?", "%3F"), base);
}

function problemWith(path: string, files: Files): string | null {
  try {
    const kind = files.kindOf(path);
    if (kind === "file") return null;
    return kind === "directory" ? `${path} is a directory; name a module in it` : `there is no file ${path}`;
  } catch (error) {
    return `cannot read ${path}: ${messageOf(error)}`;
  }
}

function pathOf(url: string): string {
  const path = decodeURIComponent(new URL(url).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
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
  throw new AppLoadError(
    specifier,
    `the application ${specifier} exports nothing that can be served\n` +
      `expected \`export default { fetch(request) { ... } }\`, a default function or a function named fetch; ` +
      showExports(module),
  );
}

/** A function that cannot be a fetch handler would fail at every request; better at once. */
function checkedFunction(specifier: string, main: unknown): Handler {
  const { handle, use } = main as { handle?: unknown; use?: unknown };
  if (/^class\b/.test(Function.prototype.toString.call(main))) {
    throw new AppLoadError(
      specifier,
      `the default export of ${specifier} is a class; export an instance: \`new ...()\``,
    );
  }
  if (typeof handle === "function" && typeof use === "function") {
    throw new AppLoadError(
      specifier,
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

/** A method keeps its object; methods of classes stand on the prototype, where a spread does not look. */
function bound(value: unknown, object: Record<string, unknown>): unknown {
  return typeof value === "function" ? (...args: unknown[]) => value.apply(object, args) : undefined;
}

/** Tells what to type where an application has an import map of its own that was not read. */
function adviceFor(error: unknown, url: string, context: LoadContext): string {
  const isBareImport = error instanceof Error &&
    /not a dependency|not in import map|not prefixed with|Unable to resolve|Could not find (a matching )?package/i.test(
      error.message,
    );
  if (!isBareImport || !url.startsWith("file:")) return "";
  const path = pathOf(url);
  const config = configAbove(path, context.files);
  const type = (config: string) => `    deno run -A --config ${config} ${context.program} ${path}`;
  if (config !== null) {
    return `\n\nThe application has its own configuration, which Deno reads only where it is named. Type:\n${
      type(config)
    }`;
  }
  const manifest = nearestFile(path, ["package.json"], context.files);
  if (manifest !== null) {
    const beside = manifest.replace(/package\.json$/, "deno.json");
    return "\n\nThe application has a package.json, which Deno reads only beside a deno.json that is named. Type:\n" +
      `    echo '{}' > ${beside}\n    (cd ${beside.slice(0, -"/deno.json".length)} && deno install)\n${type(beside)}`;
  }
  return "\n\nThe application imports a package by its bare name, and no deno.json or package.json says which it is. " +
    'Write npm:NAME or jsr:NAME in the import, or put a deno.json with "imports" beside the application.';
}

/**
 * Finds the configuration that an application has of its own.
 *
 * @param specifier the application as it was asked for
 * @param context the directory that relative paths start from, and files
 * @returns the path of the nearest deno.json or deno.jsonc beside or above it; undefined where there is none
 */
export function nearestConfig(
  specifier: string,
  { cwd, files }: Pick<LoadContext, "cwd" | "files">,
): string | undefined {
  const path = localPath(specifier);
  return path === null ? undefined : configAbove(pathOf(toUrl(path, cwd).href), files) ?? undefined;
}

/**
 * Finds the configuration that says what a module's bare imports mean.
 *
 * @param path of the module, absolute
 * @param files where to look
 * @returns the path of the nearest deno.json or deno.jsonc beside or above it, null where there is none
 */
export function configAbove(path: string, files: Pick<Files, "kindOf">): string | null {
  return nearestFile(path, ["deno.json", "deno.jsonc"], files);
}

/** Looks for a file beside a path, then in every directory above. */
function nearestFile(path: string, names: readonly string[], files: Pick<Files, "kindOf">): string | null {
  for (const parts = path.split("/").slice(0, -1); parts.length > 0; parts.pop()) {
    for (const name of names) {
      const candidate = [...parts, name].join("/");
      if (isFile(candidate, files)) return candidate;
    }
  }
  return null;
}

/** What may not be looked at cannot be used either. */
function isFile(path: string, files: Pick<Files, "kindOf">): boolean {
  try {
    return files.kindOf(path) === "file";
  } catch {
    return false;
  }
}
