// Knows: how a module path, a URL or a specifier becomes a handler.
// Does not know: flags, or how it is served.

import type { Accept, Handler, OnError } from "../message/handler.ts";
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

function moduleUrl(specifier: string, context: LoadContext): string {
  // A scheme has two letters at least: one letter is a drive on Windows.
  if (/^[a-z][a-z0-9+.-]+:/i.test(specifier)) return specifier;
  const base = new URL(`file://${context.cwd.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/")}/`);
  const url = new URL(encodeURI(specifier.replaceAll("\\", "/")).replaceAll("#", "%23").replaceAll("?", "%3F"), base);
  if (!context.files.isFile(pathOf(url.href))) {
    throw new AppLoadError(specifier, `cannot load the application ${specifier}\nthere is no file ${pathOf(url.href)}`);
  }
  return url.href;
}

function pathOf(url: string): string {
  const path = decodeURIComponent(new URL(url).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function readExports(specifier: string, module: Record<string, unknown>): LoadedApp {
  const main = module.default;
  const object = typeof main === "object" && main !== null ? main as Record<string, unknown> : {};
  const beside = (name: string) => bound(object[name] ?? module[name], object);
  return {
    handler: findHandler(specifier, module, object),
    accept: beside("accept") as Accept | undefined,
    onError: beside("onError") as OnError | undefined,
    onListen: beside("onListen") as LoadedApp["onListen"],
    shutdown: beside("shutdown") as LoadedApp["shutdown"],
    options: object,
  };
}

function findHandler(specifier: string, module: Record<string, unknown>, object: Record<string, unknown>): Handler {
  if (typeof object.fetch === "function") return bound(object.fetch, object) as Handler;
  if (typeof module.default === "function") return module.default as Handler;
  if (typeof module.fetch === "function") return module.fetch as Handler;
  const names = Object.keys(module);
  throw new AppLoadError(
    specifier,
    `the application ${specifier} exports nothing that can be served\n` +
      `expected \`export default { fetch(request) { ... } }\`, a default function or a function named fetch; ` +
      (names.length === 0 ? "it exports nothing" : `it exports ${names.join(", ")}`),
  );
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
  const config = nearestFile(path, ["deno.json", "deno.jsonc"], context.files);
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
      `    echo '{}' > ${beside}\n${type(beside)}`;
  }
  return "\n\nThe application imports a package by its bare name, and no deno.json or package.json says which it is. " +
    'Write npm:NAME or jsr:NAME in the import, or put a deno.json with "imports" beside the application.';
}

function nearestFile(path: string, names: readonly string[], files: Files): string | null {
  for (const parts = path.split("/").slice(0, -1); parts.length > 0; parts.pop()) {
    for (const name of names) {
      const candidate = [...parts, name].join("/");
      if (files.isFile(candidate)) return candidate;
    }
  }
  return null;
}
