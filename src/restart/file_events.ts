// Decides what a file event means, when a burst of file events is over, and what is to be done then. No I/O here.
// One save is one burst, however many file events it makes; a burst without an end is cut.

import type { FileEvent } from "../platform/ports.ts";
import { directoryOf, isSkipped, nameOf, type Scope } from "./scope.ts";

/** What was seen, in the terms of a scope. */
export interface Seen {
  /** Files that count and that something happened to. */
  readonly files: readonly string[];
  /** File events were lost: every file may have changed. */
  readonly isAll: boolean;
  /** Directories came or went: others have to be watched, and some anew. */
  readonly isMoved: boolean;
}

/** Which files and directories count. */
export interface Rule {
  /** Looked for in a file's path. */
  readonly pattern: RegExp;
  /** True if the user has given the pattern: files that it does not match do not count then, whatever they are. */
  readonly isStrict: boolean;
  /** True if new directories below the counted ones count too. */
  readonly isTree: boolean;
  isDirectory(path: string): boolean;
}

/**
 * Decides what a file event means.
 *
 * @param fileEvent from the system
 * @param options the scope that is watched, and the rule
 * @returns what was seen; often nothing
 */
export function judge(fileEvent: FileEvent, { scope, rule }: { scope: Scope; rule: Rule }): Seen {
  if (fileEvent.kind === "lost") return { files: [], isAll: true, isMoved: true };
  const isNamed = fileEvent.kind === "named";
  return {
    files: fileEvent.paths.filter((path) => isCounted(path, { scope, rule })),
    isAll: false,
    isMoved: isNamed && fileEvent.paths.some((path) => isPartOf(path, scope) || isNewBranch(path, { scope, rule })),
  };
}

/** The directory itself went or came back: the system may no longer watch what has its name now. */
function isPartOf(path: string, scope: Scope): boolean {
  return scope.watched.has(path) || scope.awaited.has(path);
}

function isNewBranch(path: string, { scope, rule }: { scope: Scope; rule: Rule }): boolean {
  return rule.isTree && scope.counted.has(directoryOf(path)) && !isSkipped(nameOf(path)) && rule.isDirectory(path);
}

/**
 * Tells whether changes of a file count.
 *
 * @param path real
 * @param options the scope that is watched, and the rule
 * @returns true if they do
 */
export function isCounted(path: string, { scope, rule }: { scope: Scope; rule: Rule }): boolean {
  // search() and not test(): a pattern with the flag g remembers where it stopped.
  if (scope.links.has(path)) return true;
  const isMatch = path.search(rule.pattern) !== -1;
  return isMatch && scope.counted.has(directoryOf(path)) || scope.files.has(path) && (isMatch || !rule.isStrict);
}

/** Long enough for an editor that writes, renames and formats, short enough to feel immediate. */
export const DEFAULT_DELAY_MS = 200;

/** A burst that never falls quiet is looked at after so many delays: a build that writes for minutes is followed then. */
const LONGEST_IN_DELAYS = 10;
/** But not sooner than this, in milliseconds: a checkout of a large tree takes about as long, with a short delay too. */
const LONGEST_AT_LEAST_MS = 2000;

/** What is to be done now. */
export type Decision =
  /** Nothing was seen. */
  | { do: "rest" }
  /** Ask again so many milliseconds later. */
  | { do: "wait"; ms: number }
  /** Find out which directories there are, and watch those. */
  | { do: "rewatch" }
  /** Compare these files with what was known of them. */
  | { do: "compare"; files: readonly string[] | "all" };

/** File events that belong together. */
export class Debounce {
  readonly #delayMs: number;
  readonly #longestMs: number;
  #files = new Set<string>();
  #isAll = false;
  #isMoved = false;
  /** Milliseconds of the clock; null if nothing was seen. */
  #since: { first: number; last: number } | null = null;

  /**
   * @param delayMs milliseconds without a file event that end a burst
   */
  constructor(delayMs: number) {
    this.#delayMs = delayMs;
    this.#longestMs = Math.max(LONGEST_AT_LEAST_MS, delayMs * LONGEST_IN_DELAYS);
  }

  /**
   * Takes note.
   *
   * @param seen what was seen
   * @param now milliseconds of the clock
   */
  note({ files, isAll, isMoved }: Seen, now: number): void {
    if (files.length === 0 && !isAll && !isMoved) return;
    for (const path of files) this.#files.add(path);
    this.#isAll ||= isAll;
    this.#isMoved ||= isMoved;
    this.#since = { first: this.#since?.first ?? now, last: now };
  }

  /**
   * Decides. What it says to do is as good as done for it.
   *
   * @param now milliseconds of the clock
   * @returns what to do before it is asked again
   */
  decide(now: number): Decision {
    if (this.#since === null) return { do: "rest" };
    const { first, last } = this.#since;
    const ms = Math.min(last + this.#delayMs, first + this.#longestMs) - now;
    if (ms > 0) return { do: "wait", ms };
    if (this.#isMoved) {
      // The directory may still be filled, and what came before it was watched was not seen.
      this.#isMoved = false;
      this.#isAll = true;
      this.#since = { first, last: now };
      return { do: "rewatch" };
    }
    const files = this.#isAll ? "all" : [...this.#files];
    this.#files.clear();
    this.#isAll = false;
    this.#since = null;
    return { do: "compare", files };
  }
}
