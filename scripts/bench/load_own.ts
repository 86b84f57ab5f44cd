// How a load of loads/ is run in a process of its own, on the load's core.
// A load that says nothing in time is killed, and that is an error.

import type { LoadLine, LoadResult, OwnLoad } from "./loads/reports.ts";
import { pathOf, runDeno } from "./peers.ts";
import { Child, LOAD_CORE } from "./process.ts";

/** Most milliseconds until a load is ready, and again until it ends; a full upload takes a few seconds. */
const LIMIT_MS = 60_000;

/** A load that runs. */
export class RunningLoad implements AsyncDisposable {
  #child: Child;
  #lines: AsyncGenerator<string, void>;

  private constructor(child: Child) {
    this.#child = child;
    this.#lines = child.lines();
  }

  /** Starts a load against a port on loopback; a nice one gives way to another on its core. */
  static start(load: OwnLoad, port: number, { isNice = false }: { isNice?: boolean } = {}): RunningLoad {
    const argv = [...runDeno(pathOf("loads/main.ts")), String(port), JSON.stringify(load)];
    return new RunningLoad(Child.start(argv, { core: LOAD_CORE, isNice }));
  }

  /** Waits until it runs at its full size. */
  async waitReady(): Promise<void> {
    const line = await this.#next();
    if ("ready" in line) return;
    throw new Error(`the load ended early: ${line.result.errors.join("; ") || "without an error"}`);
  }

  /** Waits for its end. */
  async waitResult(): Promise<LoadResult> {
    const line = await this.#next();
    if ("result" in line) return line.result;
    throw new Error("the load said ready and should have ended");
  }

  /** Tells it to stop, and waits for its end. */
  async finish(): Promise<LoadResult> {
    await this.#child.endInput();
    return await this.waitResult();
  }

  /** Kills what is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
  }

  async #next(): Promise<LoadLine> {
    const { done, value } = await this.#child.within(LIMIT_MS, this.#lines.next());
    if (done) throw new Error(`the load ended without a word: ${this.#child.stderr}`);
    return JSON.parse(value);
  }
}

/**
 * Runs a load to its end.
 *
 * @param load which
 * @param port of the server on loopback
 * @returns what it counted
 */
export async function runOwn(load: OwnLoad, port: number): Promise<LoadResult> {
  await using running = RunningLoad.start(load, port);
  return await running.waitResult();
}
