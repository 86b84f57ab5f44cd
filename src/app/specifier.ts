// Knows: what an application is named by: a path, a URL, or an npm: or jsr: specifier.
// Does not know: what stands there.

/** A scheme has two letters at least: one letter is a drive on Windows. */
export const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

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
 * @returns its absolute path, with `/` between the names; with its percent signs where these encode nothing
 */
export function pathOf(url: string): string {
  const path = decoded(new URL(url).pathname);
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path; // It is the name of no file that is there, which whoever looks for it will say.
  }
}
