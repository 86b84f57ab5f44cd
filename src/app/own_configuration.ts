// Finds the files that configure an application.

import type { Files, OwnConfiguration } from "../platform/ports.ts";
import { absolutePath, localPath, SCHEME } from "../platform/specifier.ts";

/**
 * Finds the configuration that an application has of its own.
 *
 * @param specifier the application as it was asked for
 * @param context the directory that relative paths start from, and files
 * @returns the nearest deno.json or deno.jsonc beside or above it, and whether packages were installed for a nearer
 *   package.json; null if there is neither
 */
export function ownConfiguration(specifier: string, { cwd, files }: Context): OwnConfiguration | null {
  // Deno does not load an application in Perl.
  if (specifier.endsWith(".psgi")) return null;
  const path = localPath(specifier, cwd);
  return path === null ? null : configurationAbove(path, files);
}

interface Context {
  cwd: string;
  files: Pick<Files, "kindOf">;
}

/**
 * The same for the path of a module.
 *
 * @param path absolute
 * @param files in which it looks
 * @returns the configuration; null if there is none
 */
export function configurationAbove(path: string, files: Pick<Files, "kindOf">): OwnConfiguration | null {
  const config = configAbove(path, files);
  const manifest = nearestFile(path, ["package.json"], files);
  const isNearer = manifest !== null && (config === null || directoryOf(manifest).length > directoryOf(config).length);
  const hasPackages = isNearer && nearestFile(manifest, ["node_modules"], files, "directory") !== null;
  return config === null && !hasPackages ? null : { config, hasPackages };
}

/**
 * Tells whether Deno uses this configuration by itself.
 *
 * @param own the application's
 * @param main the program's main module as it was typed: a path, a URL, or a name that an import map has
 * @param context the working directory, and files
 * @returns true if this process need not be told
 */
export function isFound(own: OwnConfiguration, main: string, { cwd, files }: Context): boolean {
  // A name stands in the configuration of the working directory. For what comes over the network Deno looks for none.
  const isName = !SCHEME.test(main) && !/^\.{0,2}\/|\.[cm]?[jt]s$/.test(main);
  const from = isName ? `${cwd}/main` : localPath(main, cwd);
  const found = from === null ? null : configurationAbove(from, files);
  return found?.config === own.config && found?.hasPackages === own.hasPackages;
}

/**
 * Finds the configuration that says what a module's bare imports mean.
 *
 * @param path of the module, absolute
 * @param files in which it looks
 * @returns the path of the nearest deno.json or deno.jsonc beside or above it, null if there is none
 */
export function configAbove(path: string, files: Pick<Files, "kindOf">): string | null {
  return nearestFile(path, CONFIGS, files);
}

const CONFIGS = ["deno.json", "deno.jsonc"];

/**
 * Finds every file that has a say in how an application is loaded.
 *
 * @param path of its module, absolute
 * @param options the configuration file that it is loaded with, null for none; and files
 * @returns paths: the configuration, its import map, the workspace that it is part of, package.json beside these and nearest
 *   to the module, and the names under which a nearer configuration would be found
 */
export function configurationFiles(
  path: string,
  { config, files }: { config: string | null; files: Pick<Files, "kindOf" | "readText"> },
): string[] {
  const found = new Set<string>();
  const manifest = nearestFile(path, ["package.json"], files);
  // Says of a script whether it is a module or CommonJS, also if Deno takes no packages from it.
  if (manifest !== null) found.add(manifest);
  if (config === null) return [...found];
  found.add(config);
  const directory = directoryOf(config);
  found.add(`${directory}/package.json`);
  for (const nearer of directoriesBelow(directory, path)) for (const name of CONFIGS) found.add(`${nearer}/${name}`);
  const text = readOr(config, files);
  const [, map] = /"importMap"\s*:\s*"([^"]+)"/.exec(text) ?? [];
  if (map !== undefined && !SCHEME.test(map)) found.add(absolutePath(map, directory));
  for (let above = directory; above !== ""; above = directoryOf(above)) {
    const root = CONFIGS.map((name) => `${directoryOf(above)}/${name}`).find((name) => isFile(name, files));
    if (root === undefined || !/"workspace"\s*:/.test(readOr(root, files))) continue;
    found.add(root).add(`${directoryOf(root)}/package.json`);
    break;
  }
  return [...found];
}

/** Directories from the one that a path is in up to another above it, which is not among them. */
function directoriesBelow(above: string, path: string): string[] {
  const directories: string[] = [];
  let at = directoryOf(path);
  for (; at !== above && at !== ""; at = directoryOf(at)) directories.push(at);
  return at === above ? directories : [];
}

function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** What cannot be read says nothing. Deno says what is wrong with it when it loads the application. */
function readOr(path: string, files: Pick<Files, "readText">): string {
  try {
    return files.readText(path);
  } catch {
    return "";
  }
}

/**
 * Looks for a file beside a path, then in every directory above.
 *
 * @param path absolute
 * @param names of the file, the first that is there counts
 * @param files in which it looks
 * @param kind what it has to be
 * @returns its path; null if there is none
 */
export function nearestFile(
  path: string,
  names: readonly string[],
  files: Pick<Files, "kindOf">,
  kind: "file" | "directory" = "file",
): string | null {
  for (const parts = path.split("/").slice(0, -1); parts.length > 0; parts.pop()) {
    for (const name of names) {
      const candidate = [...parts, name].join("/");
      if (isKind(candidate, kind, files)) return candidate;
    }
  }
  return null;
}

function isFile(path: string, files: Pick<Files, "kindOf">): boolean {
  return isKind(path, "file", files);
}

/** What may not be looked at cannot be used either. */
function isKind(path: string, kind: "file" | "directory", files: Pick<Files, "kindOf">): boolean {
  try {
    return files.kindOf(path) === kind;
  } catch {
    return false;
  }
}
