// Addresses and ports, as users write and read them.

import type { Address } from "./ports.ts";

/** Largest number of a TCP port, which has 16 bits. */
const MAX_PORT = 65_535;

/**
 * Tells whether a value is the number of a port.
 *
 * @param value anything
 * @returns true for a whole number from 0 to 65535
 */
export function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_PORT;
}

/**
 * Formats a host and a port as they stand in a URL (RFC 3986, section 3.2.2).
 *
 * @param address a name or an IP address, and a port
 * @returns such as `127.0.0.1:80` or `[::1]:80`
 */
export function hostPort({ hostname, port }: { hostname: string; port: number }): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Formats an address as a URL.
 *
 * @param address on which a server listens
 * @param isTls true if it speaks TLS
 * @returns a URL, or the path of a Unix socket
 */
export function showAddress(address: Address, isTls: boolean): string {
  return address.transport === "unix" ? address.path : `${isTls ? "https" : "http"}://${hostPort(address)}/`;
}

/**
 * Adds a URL that a browser on this machine can use, if a server listens on all addresses: 0.0.0.0 is no address to connect to.
 *
 * @param url of the server
 * @returns the URL, followed in parentheses by the one with localhost if they differ
 */
export function withLocalUrl(url: string): string {
  const local = localUrl(url);
  return local === url ? url : `${url} (${local})`;
}

/**
 * The URL of a server for a client on this machine.
 *
 * @param url of the server
 * @returns the URL, with localhost if the server listens on all addresses
 */
export function localUrl(url: string): string {
  return url.replace(/^(https?:\/\/)(?:0\.0\.0\.0|\[::\])(?=:)/, "$1localhost");
}
