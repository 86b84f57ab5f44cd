// Finds out more about a module that Node could not load: Node's errors of ES modules often do not tell the place.

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fromFileUrl, toFileUrl } from "./file_url.ts";
import { modulesOf } from "./node_modules_of.ts";
import { process } from "./node_process.ts";
import type { LoadHint, SourcePlace } from "./ports.ts";

const isWindows = process.platform === "win32";

/** Most modules that are checked for a fault of their syntax: each takes a process. */
const MAX_CHECKED = 50;

/**
 * Looks for the place of an error and for what to do.
 *
 * @param error what the import has thrown
 * @param path of the application; null if it is not a file of this machine
 * @returns both, as far as they are known
 */
export async function loadHint(error: Error, path: string | null): Promise<LoadHint> {
  const place = path === null || !(error instanceof SyntaxError) ? null : await placeOfSyntax(error, path);
  return { place, advice: adviceOn(error) || adviceOnCommonJs(error, place) };
}

function adviceOn({ message, code }: Error & { code?: unknown }): string {
  if (/Unknown file extension "\.[cm]?tsx?"/.test(message)) {
    return `Node ${process.versions.node} does not run TypeScript. Use Node 22.18 or later, or compile the application first.`;
  }
  // The second code is that of Node 20.
  const codes: unknown[] = ["ERR_IMPORT_ATTRIBUTE_UNSUPPORTED", "ERR_IMPORT_ASSERTION_TYPE_UNSUPPORTED"];
  if (codes.includes(code) && message.includes('"text"')) {
    return "Node does not import text. Read the file instead:\n" +
      '    readFileSync(fileURLToPath(import.meta.resolve("NAME")), "utf8")';
  }
  const scheme = /Received protocol '(npm|jsr|https?):'/.exec(message)?.[1];
  if (scheme === undefined) return "";
  if (scheme.startsWith("http")) return "Node does not load modules over the network. Save the module as a file.";
  const add = scheme === "npm" ? "npm install NAME" : "npx jsr add NAME";
  return `Node does not know "${scheme}:". Type \`${add}\`, and import NAME in a module of your own.`;
}

/** A package.json decides how Node reads a file `.js`. Some versions of `npm init` write "type": "commonjs" there. */
function adviceOnCommonJs({ message }: Error, place: SourcePlace | null): string {
  if (place === null || !/Cannot use import statement|Unexpected token 'export'/.test(message)) return "";
  const path = fromFileUrl(place.url, { isWindows });
  const manifest = path.endsWith(".js") ? manifestOf(path) : null;
  if (manifest === null) return "";
  const name = basename(path, ".js");
  return `${name}.js is read as CommonJS because of ${manifest}. Name it ${name}.mjs, or set "type": "module" there.`;
}

/** The nearest package.json, beside a file or above it. */
function manifestOf(path: string): string | null {
  const directory = dirname(path);
  if (directory === path) return null;
  const manifest = join(directory, "package.json");
  return existsSync(manifest) ? manifest : manifestOf(directory);
}

async function placeOfSyntax({ message }: Error, path: string): Promise<SourcePlace | null> {
  const modules = modulesOf(path);
  const missing = /requested module '([^']+)' does not provide an export named '([^']+)'/.exec(message);
  if (missing !== null) return placeOfImport(modules, missing[1] ?? "", missing[2] ?? "");
  for (const module of modules.slice(0, MAX_CHECKED)) {
    const place = await checked(module);
    if (place !== null) return place;
  }
  return null;
}

/** Where a module imports a name from another one. */
function placeOfImport(modules: readonly string[], from: string, name: string): SourcePlace | null {
  for (const module of modules) {
    const source = readOr(module);
    for (const found of source.matchAll(/\bimport\b([^;"']*)["']([^"'\n]+)["']/g)) {
      const at = found[1]?.search(new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`)) ?? -1;
      // Without braces it is the default export that is missing.
      if (found[2] !== from || at < 0 && name !== "default") continue;
      const before = source.slice(0, found.index + (at < 0 ? 0 : "import".length + at)).split("\n");
      const column = (before.at(-1)?.length ?? 0) + 1;
      return { url: toFileUrl(module, { isWindows }), line: before.length, column };
    }
  }
  return null;
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // It does not exist, or is not readable: then it has no import.
  }
}

/** Asks Node for the place of a fault in a module's syntax; null if there is none. */
async function checked(path: string): Promise<SourcePlace | null> {
  const stderr = await new Promise<string>((resolve) => {
    // A warning would stand before the place.
    execFile(
      process.execPath,
      ["--no-warnings", "--check", path],
      (error, _stdout, stderr) => resolve(error === null ? "" : stderr),
    );
  });
  // At the end of a module there is nothing to mark.
  const [, line, mark] = /^\S.*:(\d+)\n.*\n( *)(?:\^|\n)/.exec(stderr) ?? [];
  if (line === undefined || mark === undefined) return null;
  return { url: toFileUrl(path, { isWindows }), line: Number(line), column: mark.length + 1 };
}
