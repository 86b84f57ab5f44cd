// What an application is named by: a path, a URL, or an npm: or jsr: specifier.

/** A scheme has two letters at least: one letter is a drive on Windows. */
export const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/**
 * Finds the file that a specifier names.
 *
 * @param specifier the application as it was asked for
 * @returns its path, relative if it was, with `/` between the names; null if it names no file of this machine
 */
export function localPath(specifier: string): string | null {
  if (!SCHEME.test(specifier)) return specifier.replaceAll("\\", "/");
  return specifier.startsWith("file:") ? pathOf(specifier) : null;
}

/**
 * Finds the URL of a file.
 *
 * @param path absolute, or from `cwd`, in the system's own form
 * @param cwd the directory that relative paths start from
 * @returns a file: URL
 */
export function toUrl(path: string, cwd: string): URL {
  const base = new URL(`file://${cwd.replaceAll("\\", "/").replace(/^(?=[A-Za-z]:)/, "/")}/`);
  return new URL(encodeURI(path.replaceAll("\\", "/")).replaceAll("#", "%23").replaceAll("?", "%3F"), base);
}

/**
 * Finds the path of a file.
 *
 * @param url a file: URL
 * @returns its absolute path, with `/` between the names; its percent signs stay if they encode nothing
 */
export function pathOf(url: string): string {
  const path = decoded(new URL(url).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // No such file exists; loading it says so.
  }
}
