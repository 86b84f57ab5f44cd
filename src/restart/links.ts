// Finds the links on the way to a file: each of them may come to point elsewhere, which changes what the file is.
// Works for paths of which the last parts do not exist yet.

import type { Sources } from "../platform/ports.ts";
import { below, directoryOf, nameOf } from "./paths.ts";

/** Linux gives up after so many; more are a circle. */
const MAX_LINKS = 40;

/** Follows links, and keeps those that it has followed. */
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
