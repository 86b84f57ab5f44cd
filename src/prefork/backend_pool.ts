// The processes of an application in Perl: one plackup, which loads the application once and forks.
//
// state    what it means                                                   next
// booting  plackup loads the application; its socket is not there yet      serving, over (the first time), waiting
// serving  its processes accept connections                                waiting, stopping
// waiting  plackup has ended, and is started again a moment later          booting, stopping
// stopping it was told to end                                              over
// over     no process is left                                              -

import { notStarted, type PerlApp, plackupCommand, plackupMissing } from "../app/perl_app.ts";
import { StderrLines } from "../fastcgi/stderr_lines.ts";
import { ProgramMissing } from "../platform/errors.ts";
import { messageOf, pathInLine } from "../platform/log.ts";
import type { ChildEnd, Log, Platform, Program, Programs, Timer } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import type { Backoff } from "./backoff.ts";
import { GROUP_LINE, GUARD } from "./guard.ts";

/** How often is looked whether the socket is there, while the application is loaded. */
const LOOK_EVERY_MS = 20;
/** An application that takes longer to load says so, and what it has written is shown. */
const SLOW_MS = 5_000;
/** Processes that are told to end have so long for the requests that they still answer. They have none after a drain. */
const GRACE_S = 5;
/** A plackup that ends before this age is young, and is not started again at once. */
const YOUNG_MS = 10_000;
/** The last lines may come after the end. A daemon that the application has started may hold stderr open for ever. */
const LAST_WORDS_MS = 200;
/** Most lines of a start that has failed: enough for the cause and its stack. */
const MOST_LINES = 50;

/** What FCGI::ProcManager says of itself, but for a process that has failed. */
const MANAGER = /^FastCGI: (?:manager|server) \(pid \d+\): (?!server \(pid \d+\) exited with status [^0])/;

/** What a pool is made of. */
export interface PoolOptions {
  app: PerlApp;
  /** Path of the socket. Its directory exists and is private, and its parent too; both are removed if they are empty. */
  socket: string;
  processes: number;
  /** What the operator passes on to plackup. */
  args: readonly string[];
  platform: Pick<Platform, "clock" | "files" | "isUnixSocketLive">;
  programs: Programs;
  backoff: Backoff;
  log: Log;
}

type State =
  | { readonly at: "booting"; readonly run: Run }
  | { readonly at: "serving"; readonly run: Run }
  | { readonly at: "waiting"; readonly timer: Timer }
  | { readonly at: "stopping"; readonly run: Run }
  | { readonly at: "over" };

/** One plackup, from its start to its end. */
interface Run {
  readonly program: Program;
  readonly startedAt: number;
  /** The process group of the application; null until it is known. */
  group: number | null;
  /** The lines of its start; null if they are logged at once. */
  lines: string[] | null;
}

/** The only place in which the backoff of a pool counts deaths. */
const PLACE = 1;

/** The processes of an application. */
export class BackendPool {
  /** Resolves when they serve for the first time. Rejects with a `Failure` if they never will. */
  readonly ready: Promise<void>;

  #options: PoolOptions;
  /** What the application is called in the log. */
  #name: string;
  #state: State = { at: "over" };
  #ready = withResolvers<void>();
  #over = withResolvers<void>();
  /** True once they have served. */
  #hasServed = false;

  /** Starts the processes. */
  constructor(options: PoolOptions) {
    this.#options = options;
    this.#name = pathInLine(options.app.specifier);
    this.ready = this.#ready.promise;
    // It may be that nothing waits for it.
    this.ready.catch(() => {});
    this.#boot();
  }

  /** Where they can be reached. */
  get socket(): string {
    return this.#options.socket;
  }

  /**
   * Ends the processes: TERM, some time, KILL.
   *
   * @returns when none is left
   */
  stop(): Promise<void> {
    const state = this.#state;
    if (state.at === "waiting") {
      state.timer.cancel();
      this.#end();
    } else if (state.at === "booting" || state.at === "serving") {
      this.#state = { at: "stopping", run: state.run };
      state.run.program.closeStdin();
      this.#ready.reject(new Error("the application is stopped"));
    }
    return this.#over.promise;
  }

  /** Ends the processes at once. */
  kill(): Promise<void> {
    const stopped = this.stop();
    if (this.#state.at === "stopping") this.#killGroup(this.#state.run);
    return stopped;
  }

  #boot(): void {
    const { app, socket, processes, args, platform: { clock, files }, programs } = this.#options;
    const lines = new StderrLines((line) => this.#hear(line, run));
    const command = plackupCommand(app, { socket, processes, args, files });
    let program: Program;
    try {
      program = programs.start({
        command: "perl",
        args: ["-e", GUARD, "--", socket, `${GRACE_S}`, ...command],
        onStderr: (bytes) => lines.put(bytes),
      });
    } catch (error) {
      return this.#notSpawned(error);
    }
    const run: Run = { program, startedAt: clock.now(), group: null, lines: [] };
    this.#state = { at: "booting", run };
    this.#look(run);
    this.#await(run, lines);
  }

  #notSpawned(error: unknown): void {
    const { specifier } = this.#options.app;
    const failure = error instanceof ProgramMissing
      ? plackupMissing(specifier, "perl")
      : notStarted(this.#options.app, messageOf(error));
    if (this.#hasServed) return this.#again(failure.message);
    this.#ready.reject(failure);
    this.#end();
  }

  /** Looks for the socket until it is there. plackup opens it when the application is loaded. */
  #look(run: Run): void {
    const { socket, platform } = this.#options;
    let isLooking = false;
    const looking = platform.clock.every(LOOK_EVERY_MS, async () => {
      if (this.#state.at !== "booting" || this.#state.run !== run) return looking.cancel();
      if (run.lines !== null && platform.clock.now() - run.startedAt > SLOW_MS) {
        this.#options.log("WARN", `${this.#name} is still loading after ${SLOW_MS / 1_000} s`);
        this.#showLines(run);
      }
      if (isLooking || platform.files.kindOf(socket) !== "socket") return;
      isLooking = true;
      const isLive = await platform.isUnixSocketLive(socket);
      isLooking = false;
      if (isLive) this.#serve(run);
    });
  }

  #serve(run: Run): void {
    if (this.#state.at !== "booting" || this.#state.run !== run) return;
    this.#state = { at: "serving", run };
    this.#showLines(run);
    const { processes, platform, log } = this.#options;
    const ms = Math.round(platform.clock.now() - run.startedAt);
    log("INFO", `${this.#name}: processes: ${processes}, group=${run.group}, ready in ${ms} ms`);
    this.#hasServed = true;
    this.#ready.resolve();
  }

  #showLines(run: Run): void {
    for (const line of run.lines ?? []) this.#say(line);
    run.lines = null;
  }

  #hear(line: string, run: Run): void {
    if (run.group === null && line.startsWith(GROUP_LINE)) run.group = Number(line.slice(GROUP_LINE.length));
    else if (MANAGER.test(line)) return;
    else if (run.lines === null || run.lines.length >= MOST_LINES) this.#say(line);
    else run.lines.push(line);
  }

  #say(line: string): void {
    this.#options.log("WARN", `${this.#name}: ${line}`);
  }

  async #await(run: Run, lines: StderrLines): Promise<void> {
    const end = await run.program.ended;
    // Its guard was killed, and the application was not told to end.
    if (end.signal !== null) this.#killGroup(run);
    await Promise.race([
      run.program.silent,
      new Promise<void>((resolve) => this.#options.platform.clock.after(LAST_WORDS_MS, resolve)),
    ]);
    lines.end();
    run.program.closeStdin();
    this.#ended(run, end);
  }

  #killGroup({ group }: Run): void {
    if (group !== null) this.#options.programs.killGroup(group);
  }

  #ended(run: Run, end: ChildEnd): void {
    if (this.#state.at === "stopping") {
      this.#showLines(run);
      return this.#end();
    }
    const reason = reasonOf(end);
    if (!this.#hasServed) {
      const said = (run.lines ?? []).join("\n") || `plackup ended: ${reason}`;
      this.#ready.reject(notStarted(this.#options.app, said));
      return this.#end();
    }
    this.#showLines(run);
    const { backoff, platform } = this.#options;
    backoff.died(PLACE, platform.clock.now() - run.startedAt < YOUNG_MS);
    this.#again(`plackup ended: ${reason}`);
  }

  #again(why: string): void {
    const { backoff, platform, log } = this.#options;
    const delayMs = backoff.delayOf(PLACE);
    log("ERROR", `${this.#name}: ${why}; starting it again in ${Math.round(delayMs)} ms`);
    this.#state = { at: "waiting", timer: platform.clock.after(delayMs, () => this.#boot()) };
  }

  #end(): void {
    this.#state = { at: "over" };
    this.#over.resolve();
  }
}

function reasonOf({ code, signal }: ChildEnd): string {
  return signal === null ? `exit code ${code}` : signal;
}
