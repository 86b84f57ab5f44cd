// How to register a test that installs packages from npm, and to run what it needs for that.

import assert from "node:assert/strict";
import { hasProgram, linuxTest } from "./program.ts";

/**
 * Registers a test that installs from npm, so it runs if CI=true.
 *
 * @param name a sentence
 * @param fn the test
 */
export function buildTest(name: string, fn: (test: Deno.TestContext) => Promise<void>): void {
  const isCi = Deno.env.get("CI") === "true";
  if (!isCi) console.log(`skipped, it installs from npm; set CI=true to run it: ${name}`);
  // Elsewhere a process cannot see how it was started, so it does not use the project's packages by itself.
  linuxTest(name, async (test) => {
    if (isCi && await hasProgram("npm")) await fn(test);
  });
}

/** Runs a command to its end; it must succeed. */
export async function run(cwd: string, command: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const text = new TextDecoder();
  assert.ok(success, `${command} ${args.join(" ")}\n${text.decode(stdout)}${text.decode(stderr)}`);
}

/** Installs what the package.json of a project names. */
export async function install(directory: string): Promise<void> {
  await run(directory, "npm", "install", "--no-audit", "--no-fund");
}
