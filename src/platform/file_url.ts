// Converts paths to the form that Weft uses, to file: URLs, and back, without looking at the file system.
// Every character of a path is part of a name. "%", "?" and "#" have no special meaning there.

/** The form of paths. Windows has drives, and "\" between the names. */
export interface PathForm {
  isWindows: boolean;
}

/**
 * Writes a path as the rest of Weft does.
 *
 * @param path as the system has it
 * @param form of the path
 * @returns the path with "/" between the names
 */
export function slashed(path: string, { isWindows }: PathForm): string {
  return isWindows ? path.replaceAll("\\", "/") : path;
}

/**
 * Finds the URL of a file.
 *
 * @param path absolute
 * @param form of the path
 * @returns a file: URL, spelled as Deno spells it
 */
export function toFileUrl(path: string, { isWindows }: PathForm): string {
  if (isWindows) return new URL(encode(slashed(path, { isWindows })).replace(/^(?=[A-Za-z]:)/, "/"), "file:///").href;
  const url = new URL("file:///");
  url.pathname = encode(path.replace(/\/{2,}/g, "/"));
  return url.href;
}

/** Encodes the characters that a URL parser would misread or drop. The parser encodes the others itself. */
function encode(path: string): string {
  return path.replace(/[%#?\\|\t\n\r]/g, encodeURIComponent);
}

/**
 * Finds the path of a file.
 *
 * @param url a file: URL
 * @param form of the path
 * @returns its absolute path, with "/" between the names. Percent signs stay if they encode nothing.
 */
export function fromFileUrl(url: string, { isWindows }: PathForm): string {
  const { host, pathname } = new URL(url);
  const path = pathname.replace(/(?:%[0-9A-Fa-f]{2})+/g, decode);
  if (!isWindows) return path;
  return host === "" ? path.replace(/^\/(?=[A-Za-z]:)/, "") : `//${host}${path}`;
}

function decode(octets: string): string {
  try {
    return decodeURIComponent(octets);
  } catch {
    return octets; // The name is not UTF-8, and JavaScript cannot express it.
  }
}
