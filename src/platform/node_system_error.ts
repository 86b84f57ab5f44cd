// Makes an error of the number that a handle of Node gives.

import { createRequire } from "node:module";

/** Loads node:util when there is an error: Node takes 4 ms to list what it exports. */
const require = createRequire(import.meta.url);

/**
 * Makes the system's error.
 *
 * @param call such as "listen"
 * @param number of the error, negative
 * @param address for the message
 * @returns an error with a `code`
 */
export function systemError(call: string, number: number, address: string): Error & { code: string } {
  const { getSystemErrorName } = require("node:util") as typeof import("node:util");
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`${call} ${code}: ${address}`), { code, errno: number, syscall: call });
}
