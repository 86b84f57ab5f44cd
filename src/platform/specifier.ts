// What an application is named by: a path, a URL, or an npm: or jsr: specifier.

import { fromFileUrl, type PathForm, toFileUrl } from "./file_url.ts";

/** What is not a path. A name may have a colon in it, so other schemes are not taken for one; `./npm:x` is a path too. */
export const SCHEME = /^(?:file|https?|npm|jsr|node|data|blob|fcgi):/i;

/**
 * Finds the file that a specifier names.
 *
 * @param specifier the application as it was asked for
 * @param cwd the directory that relative paths start from
 * @returns its absolute path with `/` between the names; null if it names no file of this machine
 */
export function localPath(specifier: string, cwd: string): string | null {
  if (!SCHEME.test(specifier)) return pathOf(urlOf(specifier, cwd), cwd);
  return /^file:/i.test(specifier) ? pathOf(specifier, cwd) : null;
}

/**
 * Finds the URL that an application is imported by.
 *
 * @param specifier the application as it was asked for
 * @param cwd the directory that relative paths start from
 * @returns the URL of a file, or the specifier if it is not a path
 */
export function urlOf(specifier: string, cwd: string): string {
  if (SCHEME.test(specifier)) return specifier;
  const form = formOf(cwd);
  const isAbsolute = form.isWindows ? /^(?:[A-Za-z]:|[\\/])/.test(specifier) : specifier.startsWith("/");
  return toFileUrl(isAbsolute ? specifier : `${cwd}/${specifier}`, form);
}

/**
 * Finds the path of a file.
 *
 * @param url a file: URL
 * @param cwd the directory that relative paths start from: it shows the form of paths on this system
 * @returns its absolute path with `/` between the names
 */
export function pathOf(url: string, cwd: string): string {
  return fromFileUrl(url, formOf(cwd));
}

/**
 * Makes a path absolute.
 *
 * @param path a path, never a URL: what looks like one is a name with a colon
 * @param cwd the directory that relative paths start from
 * @returns the absolute path with `/` between the names
 */
export function absolutePath(path: string, cwd: string): string {
  return pathOf(urlOf(SCHEME.test(path) ? `./${path}` : path, cwd), cwd);
}

function formOf(cwd: string): PathForm {
  return { isWindows: /^(?:[A-Za-z]:|\\\\)/.test(cwd) };
}
