// How a file URL becomes a path of this system.

/**
 * The path of a file URL.
 *
 * @param url of a file
 * @returns a path as the system writes it
 */
export function fromFileUrl(url: URL): string {
  const path = decodeURIComponent(url.pathname);
  return Deno.build.os === "windows" ? path.slice(1).replaceAll("/", "\\") : path;
}
