// Errors that nothing catches, for tests in which one is expected.

import process from "node:process";

/**
 * Waits for the next error that nothing catches. It does not end the process.
 *
 * @returns what was thrown
 */
export function nextUncaught(): Promise<unknown> {
  return new Promise((resolve) => {
    // Node has no such event.
    if (typeof globalThis.addEventListener !== "function") {
      process.setUncaughtExceptionCaptureCallback((error) => {
        process.setUncaughtExceptionCaptureCallback(null);
        resolve(error);
      });
      return;
    }
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      resolve(event.error);
    }, { once: true });
  });
}
