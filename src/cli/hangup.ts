// What HUP means: a wish to reload, or a terminal that was closed.

import type { Clock, Process, Terminal } from "../platform/ports.ts";
import type { Obeying } from "./signals.ts";

/** Some shells send HUP as they leave, and the terminal is closed after them. */
const TERMINAL_CLOSES_MS = 1_000;
/** How often a supervisor that was started from a terminal looks whether the terminal is still there. */
const TERMINAL_CHECK_MS = 5_000;

/** What obeying HUP needs of its surroundings. */
interface Context {
  process: Pick<Process, "onSignal">;
  clock: Clock;
}

/** What HUP means for this process. */
export interface Hangup {
  /**
   * Stops on HUP, as a process that serves alone does: its terminal was closed. A second HUP cuts nothing: shells and the
   * system send one each.
   */
  stopOn(obeying: Pick<Obeying, "stop">): void;
  /**
   * Reloads on HUP, as a supervisor does, unless HUP came because its terminal was closed: then it stops. A supervisor that
   * has lived on without its terminal, in the background of a shell that ended, is reloaded as any other.
   */
  reloadOn(reload: () => void, obeying: Pick<Obeying, "stop">): void;
}

/**
 * Finds out what HUP means for this process. Call it before anything listens to a signal, and before the application is
 * loaded: Deno no longer ignores HUP, as nohup wants it to, once a program listens to TERM.
 *
 * @param terminal from which the process may have been started
 * @param context the runtime
 * @returns what obeys it
 */
export function noteHangup(terminal: Terminal, { process, clock }: Context): Hangup {
  const isOutlived = terminal.isOutlived();
  let hadTerminal = !isOutlived && terminal.isThere();
  return {
    stopOn(obeying) {
      process.onSignal("SIGHUP", () => {
        if (!isOutlived) obeying.stop("SIGHUP", "SIGHUP");
      });
    },
    reloadOn(reload, obeying) {
      if (hadTerminal) {
        const looking = clock.every(TERMINAL_CHECK_MS, () => {
          hadTerminal = terminal.isThere();
          if (!hadTerminal) looking.cancel();
        });
      }
      const hasStopped = () => {
        if (terminal.isThere()) return false;
        obeying.stop("SIGHUP", "SIGHUP, as the terminal was closed");
        return true;
      };
      process.onSignal("SIGHUP", () => {
        if (!hadTerminal) return reload();
        if (hasStopped()) return;
        reload();
        clock.after(TERMINAL_CLOSES_MS, hasStopped);
      });
    },
  };
}
