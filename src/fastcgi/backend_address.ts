// The address of a FastCGI application: `unix:/run/app.sock` or `127.0.0.1:9000`.

import type { Address } from "../platform/ports.ts";
import { absolutePath } from "../platform/specifier.ts";

/**
 * Reads an address.
 *
 * @param text the address, without `fcgi:`
 * @param cwd the directory that a relative path starts from
 * @returns the address, or null if it is none
 */
export function readBackendAddress(text: string, cwd: string): Address | null {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return path === "" || path.includes("\0") ? null : { transport: "unix", path: absolutePath(path, cwd) };
  }
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/\[\]]+)):([0-9]{1,5})$/.exec(text);
  const hostname = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return hostname === undefined || !(port >= 1 && port <= 65535) ? null : { transport: "tcp", hostname, port };
}

/**
 * Shows an address as it is written.
 *
 * @param address of a FastCGI application
 * @returns without `fcgi:`
 */
export function showBackendAddress(address: Address): string {
  if (address.transport === "unix") return `unix:${address.path}`;
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
