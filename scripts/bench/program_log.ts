// What Weft's program says on standard error: that it serves, which workers are ready or gone, what was reloaded.
// What is unexpected is left for the reader of the results.

const LINE = /^\[(\S+)\] \[\d+\] \[(INFO|WARN|ERROR)\] (.*)$/;
const READY = /^worker=\d+ gen=\d+ pid=(\d+) ready in (\d+) ms$/;
const GONE = /^worker=\d+ gen=\d+ pid=(\d+) (?:ended|left)/;

/** What one run of the program has said so far. */
export class ProgramLog {
  /** Process ids of the workers that serve, the eldest first. */
  readonly ready: Set<number> = new Set();
  /** Milliseconds from spawn to ready of the first worker, as the program says. */
  readyMs: number | undefined;
  /** When the first worker was spawned, by `performance.now()`. */
  spawnedAt: number | undefined;
  reloads = 0;

  #workers: number;
  #isServing = false;
  #killed = new Set<number>();

  /** @param workers how many there should be, 0 if the program serves alone */
  constructor(workers: number) {
    this.#workers = workers;
  }

  /** True once everybody serves. */
  get isReady(): boolean {
    return this.#isServing && this.ready.size >= this.#workers;
  }

  /** Tells that a worker is killed from outside: what the program says of that is expected. */
  killed(pid: number): void {
    this.#killed.add(pid);
    this.ready.delete(pid);
  }

  /**
   * Takes a line.
   *
   * @param line of standard error
   * @returns whether it was to be expected
   */
  take(line: string): boolean {
    const [, at, level, message] = LINE.exec(line) ?? [];
    if (message === undefined) return false;
    if (message.startsWith("weft ")) this.#isServing = true;
    if (message.startsWith("reloaded: ")) this.reloads++;
    const [, ready, ms] = READY.exec(message) ?? [];
    if (ready !== undefined) this.#note(Number(ready), Number(ms), at);
    const gone = Number(GONE.exec(message)?.[1]);
    this.ready.delete(gone);
    const isExpected = this.#killed.has(gone) || this.#killed.size > 0 && message.includes("is started again in");
    return level === "INFO" || isExpected;
  }

  #note(pid: number, ms: number, at: string): void {
    this.ready.add(pid);
    if (this.readyMs !== undefined) return;
    this.readyMs = ms;
    this.spawnedAt = new Date(at).getTime() - performance.timeOrigin - ms;
  }
}
