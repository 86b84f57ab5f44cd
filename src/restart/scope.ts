// Decides which directories have to be watched, and what a file event in them means.
// Directories are watched, never files: a watched file falls silent when an editor puts another in its place.
// Links are watched as links, in the directories that they are in.

import type { FileEvent, Sources } from "../platform/ports.ts";
import { LinkTracer } from "./links.ts";
import { below, directoryOf, nameOf } from "./paths.ts";

/** Files that count beside the application's modules, if no pattern is given: scripts, and what they usually read. */
export const DEFAULT_PATTERN = /\.([cm]?[jt]sx?|jsonc?|ya?ml|html|css)$/;

/** What is watched, and why. */
export interface Scope {
  /** Directories whose files count if their names match, also directories that are not there yet. */
  readonly counted: ReadonlySet<string>;
  /** Files that count whatever they are called, also those that are not there yet. */
  readonly files: ReadonlySet<string>;
  /** Links on the way to what counts. They always count: what they lead to is something else once they have changed. */
  readonly links: ReadonlySet<string>;
  /** Directories that the system watches: those that anything counts in, or the nearest above if they do not exist. */
  readonly watched: ReadonlySet<string>;
  /** Names whose coming leads to a counted directory that is not there. */
  readonly awaited: ReadonlySet<string>;
}

/** What was seen, in the terms of a scope. */
export interface Seen {
  /** Files that count and that something happened to. */
  readonly files: readonly string[];
  /** FileEvents were lost: every file may have changed. */
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

/** What counts, by paths that may lead through links and need not exist. */
export interface Counted {
  /** Their files count if their names match. */
  directories: Iterable<string>;
  /** They count whatever they are called. */
  files: Iterable<string>;
}

/**
 * Finds every directory below some roots but packages and names that start with a dot. A root that is not there stays.
 * Links to directories are followed, each directory once.
 *
 * @param roots directories
 * @param sources where they are
 * @returns the roots and what is below them, and the links that were followed
 */
export function treesOf(roots: readonly string[], sources: Sources): { directories: Set<string>; files: Set<string> } {
  const directories = new Set<string>();
  const tracer = new LinkTracer(sources);
  const visit = (path: string) => {
    const directory = tracer.resolve(path);
    if (directories.has(directory)) return;
    const entries = sources.list(directory);
    // A directory that says nothing to us would make the system refuse the whole watch.
    if (entries === null) return;
    directories.add(directory);
    for (const { name, isDirectory, isLink } of entries) {
      const inside = below(directory, name);
      if (isSkipped(name) || !isDirectory && !(isLink && sources.list(inside) !== null)) continue;
      visit(inside);
    }
  };
  for (const root of roots) {
    visit(root);
    directories.add(tracer.resolve(root));
  }
  return { directories, files: tracer.links };
}

/**
 * Decides what to watch, so that everything that counts is seen, also when it comes later, comes back, or when a link on
 * the way to it comes to point elsewhere.
 *
 * @param what absolute paths
 * @param sources where they are
 * @returns the scope
 */
export function scopeOf(what: Counted, sources: Sources): Scope {
  const tracer = new LinkTracer(sources);
  const counted = new Set(Array.from(what.directories, (path) => tracer.resolve(path)));
  const files = new Set(Array.from(what.files, (path) => tracer.resolve(path)));
  const { links } = tracer;
  const watched = new Set<string>();
  const awaited = new Set<string>();
  for (const directory of new Set([...counted, ...Array.from([...files, ...links], directoryOf)])) {
    let above = directory;
    while (sources.list(above) === null && directoryOf(above) !== above) {
      awaited.add(above);
      above = directoryOf(above);
    }
    watched.add(above);
  }
  return { counted, files, links, watched, awaited };
}

/**
 * Finds what counts of modules: they themselves, and the directories that they are in, also through links.
 *
 * @param modules paths of files, which need not exist
 * @param sources where they are
 * @returns what counts
 */
export function countedOf(
  modules: readonly string[],
  sources: Sources,
): { directories: Set<string>; files: Set<string> } {
  const tracer = new LinkTracer(sources);
  const directories = new Set<string>();
  for (const path of modules) {
    directories.add(directoryOf(path));
    directories.add(directoryOf(tracer.resolve(path)));
  }
  return { directories, files: new Set(modules) };
}

/**
 * Tells whether two scopes watch and count the same.
 *
 * @param one a scope
 * @param other another
 * @returns true if nothing has to be done to come from one to the other
 */
export function isSameScope(one: Scope, other: Scope): boolean {
  return (["counted", "files", "links", "watched", "awaited"] as const).every((part) => {
    return one[part].size === other[part].size && one[part].isSubsetOf(other[part]);
  });
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

/**
 * Lists the files that count.
 *
 * @param directories some of the counted ones
 * @param options the pattern that is looked for in a path, and where the files are
 * @returns paths
 */
export function filesIn(
  directories: Iterable<string>,
  { pattern, sources }: { pattern: RegExp; sources: Sources },
): string[] {
  const files: string[] = [];
  for (const directory of directories) {
    for (const { name, isDirectory } of sources.list(directory) ?? []) {
      const path = below(directory, name);
      if (!isDirectory && path.search(pattern) !== -1) files.push(path);
    }
  }
  return files;
}

function isSkipped(name: string): boolean {
  return name === "node_modules" || name.startsWith(".");
}
