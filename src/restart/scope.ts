// Knows: which directories have to be watched, and what a sighting in them means.
// Does not know: time, or what stands in a file.
// Rule: directories are watched, never files: a watched file falls silent when an editor puts another in its place.

import type { Sighting, Sources } from "../platform/ports.ts";

/** Files whose changes count where nothing else is asked for: modules, and what they usually read. */
export const DEFAULT_PATTERN = /\.(m?[jt]sx?|json|ya?ml|html|css)$/;

/** What is watched, and why. */
export interface Scope {
  /** Directories whose files count, also those that are not there yet. */
  readonly counted: ReadonlySet<string>;
  /** Directories that the system watches: those of the counted that exist, and for the others the nearest above. */
  readonly watched: ReadonlySet<string>;
  /** Names whose coming leads to a counted directory that is not there. */
  readonly awaited: ReadonlySet<string>;
}

/** What was seen, in the terms of a scope. */
export interface Seen {
  /** Files that count and that something happened to. */
  readonly files: readonly string[];
  /** Sightings were lost: every file may have changed. */
  readonly isAll: boolean;
  /** Directories came or went: others have to be watched, and some anew. */
  readonly isMoved: boolean;
}

/** Which files and directories count. */
export interface Rule {
  /** Looked for in a file's path. */
  readonly pattern: RegExp;
  /** True where new directories below the counted ones count too. */
  readonly isTree: boolean;
  isDirectory(path: string): boolean;
}

/**
 * Finds the directories in which modules stand, those behind links included.
 *
 * @param modules paths of files, which need not exist
 * @param sources where they are
 * @returns directories
 */
export function directoriesOf(modules: readonly string[], sources: Sources): Set<string> {
  const directories = new Set<string>();
  for (const path of modules) {
    directories.add(directoryOf(path));
    const real = sources.realPath(path);
    if (real !== null) directories.add(directoryOf(real));
  }
  return directories;
}

/**
 * Finds every directory below some roots but packages and what hides behind a dot. A root that is not there stays.
 *
 * @param roots directories
 * @param sources where they are
 * @returns the roots and what is below them
 */
export function treesOf(roots: readonly string[], sources: Sources): Set<string> {
  const directories = new Set(roots);
  for (const root of roots) addBranches(root, { sources, directories });
  return directories;
}

function addBranches(
  directory: string,
  { sources, directories }: { sources: Sources; directories: Set<string> },
): void {
  const names = sources.list(directory);
  // A directory that says nothing to us would make the system refuse the whole watch.
  if (names === null) return;
  directories.add(directory);
  for (const { name, isDirectory } of names) {
    if (isDirectory && !isSkipped(name)) addBranches(below(directory, name), { sources, directories });
  }
}

/**
 * Decides what to watch, so that the files of some directories are seen, also when a directory comes later or comes back.
 *
 * @param directories absolute paths
 * @param sources where they are
 * @returns the scope
 */
export function scopeOf(directories: Iterable<string>, sources: Sources): Scope {
  const counted = new Set<string>();
  const watched = new Set<string>();
  const awaited = new Set<string>();
  for (const directory of directories) {
    const missing: string[] = [];
    let above = directory;
    while (sources.list(above) === null && directoryOf(above) !== above) {
      missing.unshift(nameOf(above));
      above = directoryOf(above);
    }
    let path = sources.realPath(above) ?? above;
    watched.add(path);
    for (const name of missing) awaited.add(path = below(path, name));
    counted.add(path);
  }
  return { counted, watched, awaited };
}

/**
 * Tells whether two scopes watch and count the same.
 *
 * @param one a scope
 * @param other another
 * @returns true where nothing has to be done to come from one to the other
 */
export function isSameScope(one: Scope, other: Scope): boolean {
  return (["counted", "watched", "awaited"] as const).every((part) => {
    return one[part].size === other[part].size && one[part].isSubsetOf(other[part]);
  });
}

/**
 * Decides what a sighting means.
 *
 * @param sighting from the system
 * @param options the scope that is watched, and the rule
 * @returns what was seen; often nothing
 */
export function judge(sighting: Sighting, { scope, rule }: { scope: Scope; rule: Rule }): Seen {
  if (sighting.kind === "lost") return { files: [], isAll: true, isMoved: true };
  const isNamed = sighting.kind === "named";
  return {
    files: sighting.paths.filter((path) => isCounted(path, { scope, rule })),
    isAll: false,
    isMoved: isNamed && sighting.paths.some((path) => isPartOf(path, scope) || isNewBranch(path, { scope, rule })),
  };
}

/** The directory itself went or came back: the system may no longer watch what has its name now. */
function isPartOf(path: string, scope: Scope): boolean {
  return scope.watched.has(path) || scope.awaited.has(path);
}

function isNewBranch(path: string, { scope, rule }: { scope: Scope; rule: Rule }): boolean {
  return rule.isTree && scope.counted.has(directoryOf(path)) && !isSkipped(nameOf(path)) && rule.isDirectory(path);
}

function isCounted(path: string, { scope, rule }: { scope: Scope; rule: Rule }): boolean {
  // search() and not test(): a pattern with the flag g remembers where it stopped.
  return scope.counted.has(directoryOf(path)) && path.search(rule.pattern) !== -1;
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

/**
 * The directory that a path stands in.
 *
 * @param path absolute
 * @returns the path without its last name; a root is in itself
 */
export function directoryOf(path: string): string {
  const directory = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  return directory === "" || directory.endsWith(":") ? path.slice(0, directory.length + 1) : directory;
}

/**
 * The path of a name in a directory.
 *
 * @param directory absolute
 * @param name of what is in it
 * @returns the path
 */
export function below(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
