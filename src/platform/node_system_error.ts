// Makes an error of the number that a handle of Node gives.

import { getSystemErrorName } from "node:util";

/**
 * Makes the system's error.
 *
 * @param call such as "listen"
 * @param number of the error, negative
 * @param address for the message
 * @returns an error with a `code`
 */
export function systemError(call: string, number: number, address: string): Error & { code: string } {
  const code = getSystemErrorName(number);
  return Object.assign(new Error(`${call} ${code}: ${address}`), { code, errno: number, syscall: call });
}
