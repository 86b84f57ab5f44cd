// How a load is run in a process of its own on the load's core: wrk, or one of loads/.
// A load that reports nothing in time is killed, and that is an error.

import { requestText } from "./loads/client.ts";
import type { Job, LoadLine, LoadResult } from "./loads/job.ts";
import { pathOf, runDeno } from "./peers.ts";
import { Child, LOAD_CORE } from "./process.ts";

/** What a load may take until it is ready, and beyond its own time until it ends; a full upload takes a few seconds. */
const SLACK_MS = 60_000;

/** A load that runs. */
export class RunningLoad implements AsyncDisposable {
  #child: Child;
  #lines: AsyncGenerator<string, void>;
  #job: Job;

  private constructor(child: Child, job: Job) {
    this.#child = child;
    this.#lines = child.lines();
    this.#job = job;
  }

  /** Starts a load and waits until it is ready to send; a nice one gives way to another on its core. */
  static async start(job: Job, { isNice = false }: { isNice?: boolean } = {}): Promise<RunningLoad> {
    const argv = job.kind === "wrk" ? wrkArguments(job) : [...runDeno(pathOf("loads/main.ts")), JSON.stringify(job)];
    const running = new RunningLoad(await Child.start(argv, { core: LOAD_CORE, isNice }), job);
    try {
      const line = await running.#next();
      if ("result" in line) throw new Error(`the load ended early: ${line.result.errors.join("; ")}`);
      return running;
    } catch (error) {
      await running[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Lets it begin. */
  async go(): Promise<void> {
    await this.#child.write("go\n");
  }

  /** Lets it begin, and waits for its end. */
  async run(): Promise<LoadResult> {
    await this.go();
    return await this.#result();
  }

  /** Tells a load without an end of its own to stop, and waits for its end. */
  async finish(): Promise<LoadResult> {
    await this.#child.endInput();
    return await this.#result();
  }

  /** Kills what is left of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stop();
    await this.#lines.return();
  }

  async #result(): Promise<LoadResult> {
    const line = await this.#next();
    if ("ready" in line) throw new Error("the load said ready twice");
    const isBatch = this.#job.kind === "wrk" && (this.#job.pipeline ?? 1) > 1;
    // wrk corrects its percentiles by the pace of single requests, which makes no sense for a batch.
    return isBatch ? { ...line.result, p50Ms: undefined, p99Ms: undefined } : line.result;
  }

  /** The next line of JSON; wrk prints others too. */
  async #next(): Promise<LoadLine> {
    for (;;) {
      const { done, value } = await this.#child.within(SLACK_MS + this.#job.seconds * 1000, this.#lines.next());
      if (done) throw new Error(`the load ended without a result: ${this.#child.stderr}`);
      if (value.startsWith("{")) return JSON.parse(value);
    }
  }
}

function wrkArguments({ request, connections, pipeline = 1, seconds, port }: Job & { kind: "wrk" }): string[] {
  const flags = ["-t1", `-c${connections}`, `-d${seconds}s`, "-s", pathOf("loads/wrk.lua")];
  return ["wrk", ...flags, `http://127.0.0.1:${port}/`, "--", requestText(request, port), `${pipeline}`];
}
