// Decides which directories have to be watched, so that everything that counts is seen.
// Directories are watched, never files: a watched file falls silent when an editor puts another in its place.
// Links are watched as links, in the directories that they are in.

import type { Sources } from "../platform/ports.ts";
import { isSubset } from "./sets.ts";

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
    return one[part].size === other[part].size && isSubset(one[part], other[part]);
  });
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

/**
 * Tells whether a directory of a tree is left out.
 *
 * @param name its last name
 * @returns true for packages and names that start with a dot
 */
export function isSkipped(name: string): boolean {
  return name === "node_modules" || name.startsWith(".");
}

/** Linux gives up after so many; more are a circle. */
const MAX_LINKS = 40;

/**
 * Follows links, and keeps those that it has followed: each may come to point elsewhere, which changes what a file is.
 * Works for paths of which the last parts do not exist yet.
 */
export class LinkTracer {
  /** Paths of links; the directories that they are in are real. */
  readonly links: Set<string> = new Set();
  readonly #readLink: (path: string) => string | null;
  /** Real paths by the paths that were asked for. */
  readonly #known = new Map<string, string>();

  /** @param sources where the files are */
  constructor(sources: Pick<Sources, "readLink">) {
    this.#readLink = (path) => sources.readLink(path);
  }

  /**
   * Finds the real path.
   *
   * @param path absolute
   * @returns the path without links, as far as there is something; in a circle of links the path of one of them
   */
  resolve(path: string): string {
    return this.#resolve(path, 0);
  }

  #resolve(path: string, depth: number): string {
    const known = this.#known.get(path);
    if (known !== undefined) return known;
    const parent = directoryOf(path);
    if (parent === path) return path;
    const at = below(this.#resolve(parent, depth), nameOf(path));
    const target = this.#readLink(at);
    if (target !== null) this.links.add(at);
    const real = target === null || depth === MAX_LINKS ? at : this.#follow(target, directoryOf(at), depth + 1);
    this.#known.set(path, real);
    return real;
  }

  #follow(target: string, from: string, depth: number): string {
    let at = from;
    const [root] = /^([A-Za-z]:)?\//.exec(target) ?? [""];
    if (root !== "") at = root;
    for (const name of target.slice(root.length).split("/")) {
      if (name === "..") at = directoryOf(at);
      else if (name !== "" && name !== ".") at = this.#resolve(below(at, name), depth);
    }
    return at;
  }
}

/**
 * The directory that a path is in.
 *
 * @param path absolute, with `/` between the names on every system
 * @returns the path without its last name; a root is in itself
 */
export function directoryOf(path: string): string {
  const directory = path.slice(0, Math.max(path.lastIndexOf("/"), 0));
  return directory === "" || /^[A-Za-z]:$/.test(directory) ? path.slice(0, directory.length + 1) : directory;
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

/**
 * The last name of a path.
 *
 * @param path absolute
 * @returns the name
 */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
