// Registers the tests of `Deno.test` with node:test. A test that needs what only Deno has is skipped, and the reason says what.

import process from "node:process";
import { after, test, type TestContext } from "node:test";

/** Most milliseconds that one test may take. */
const LIMIT_MS = 60_000;

/** Thrown by the stand-in of `Deno` (deno.ts) if it does not have what is asked for. */
export class OnlyOnDeno extends Error {
  override readonly name = "OnlyOnDeno";
}

interface Context {
  step(name: string, fn: Run): Promise<boolean>;
}

type Run = (context: Context) => unknown;

interface Options {
  name: string;
  ignore?: boolean;
  fn: Run;
}

/** True once a test was left in the middle. What it has opened may keep the process alive. Set by `runIn`. */
let isCutShort = false;

/** The tests of the modules so far. They begin when all modules are loaded, so that no load falls into a test. */
const registered: Options[] = [];

/** `Deno.test`, as far as the tests use it. */
export function denoTest(what: string | Options | Omit<Options, "fn">, fn?: Run): void {
  const options = typeof what === "string" ? { name: what } : what;
  registered.push({ fn: () => {}, ...options, ...fn === undefined ? {} : { fn } });
}

/**
 * Loads modules of tests, and runs the tests with node:test.
 *
 * @param modules their URLs
 */
export async function runTests(modules: readonly string[]): Promise<void> {
  for (const module of modules) {
    try {
      await import(module);
    } catch (error) {
      const name = module.split("/tests/").pop() ?? module;
      registered.push({ name, fn: () => Promise.reject(error) });
    }
  }
  // A test may wait for what does not keep the process alive, such as a watch of files.
  const keepsProcess = setInterval(() => {}, LIMIT_MS);
  after(() => {
    clearInterval(keepsProcess);
    if (isCutShort) { for (const handle of openHandles()) handle.unref?.(); }
  });
  for (const { name, ignore = false, fn } of registered) {
    test(name, { skip: ignore, timeout: LIMIT_MS }, (context) => runIn(context, fn));
  }
}

async function runIn(context: TestContext, fn: Run): Promise<void> {
  const step = async (name: string, inner: Run) => {
    await context.test(name, (within) => runIn(within, inner));
    return true;
  };
  try {
    await fn({ step });
  } catch (error) {
    const needs = whatOnlyDenoHas(error);
    if (needs === null) throw error;
    context.skip(needs);
    isCutShort = true;
  }
}

/** What a test or a module could not do without; null if the error is another one. */
function whatOnlyDenoHas(error: unknown): string | null {
  if (error instanceof OnlyOnDeno) return error.message;
  const { code, message } = error as { code?: string; message: string };
  if (message === "Deno is not defined") return "needs Deno in a package";
  const [, module] = code === "ERR_MODULE_NOT_FOUND" ? /\/src\/(\S+\/deno\w*)\.js'/.exec(message) ?? [] : [];
  return module === undefined ? null : `needs src/${module}.ts`;
}

/** What keeps this process alive. Node has no documented function that gives it. */
function openHandles(): readonly { unref?(): void }[] {
  return (process as unknown as { _getActiveHandles(): { unref?(): void }[] })._getActiveHandles();
}
