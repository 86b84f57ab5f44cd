// Which files of its own configure an application.

import type { Files } from "../platform/ports.ts";
import { localPath } from "./specifier.ts";

/**
 * Finds the configuration that an application has of its own.
 *
 * @param specifier the application as it was asked for
 * @param context the directory that relative paths start from, and files
 * @returns the path of the nearest deno.json or deno.jsonc beside or above it; undefined if there is none
 */
export function nearestConfig(
  specifier: string,
  { cwd, files }: { cwd: string; files: Pick<Files, "kindOf"> },
): string | undefined {
  const path = localPath(specifier, cwd);
  return path === null ? undefined : configAbove(path, files) ?? undefined;
}

/**
 * Finds the configuration that says what a module's bare imports mean.
 *
 * @param path of the module, absolute
 * @param files where to look
 * @returns the path of the nearest deno.json or deno.jsonc beside or above it, null if there is none
 */
export function configAbove(path: string, files: Pick<Files, "kindOf">): string | null {
  return nearestFile(path, ["deno.json", "deno.jsonc"], files);
}

/**
 * Looks for a file beside a path, then in every directory above.
 *
 * @param path absolute
 * @param names of the file, the first that is there counts
 * @param files where to look
 * @returns its path; null if there is none
 */
export function nearestFile(path: string, names: readonly string[], files: Pick<Files, "kindOf">): string | null {
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
