// How to start a program without the rights that root has over files and ports.

import { hasProgram, linuxTest, type StartOptions } from "./program.ts";

/** Takes every capability from a process. It keeps its number, so that it can read what root has installed. */
const DROP = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];

/**
 * Registers a test whose program must not have root's rights: permissions of files and ports count for it.
 *
 * @param name a sentence
 * @param fn the test; it starts the program with the options that it gets
 */
export function rightsTest(name: string, fn: (options: StartOptions) => Promise<void>): void {
  linuxTest(name, async () => {
    if (Deno.uid() !== 0) return await fn({});
    if (!await hasProgram("setpriv")) return console.log("skipped, this is root; run it as another user");
    await fn({ wrapper: DROP });
  });
}
