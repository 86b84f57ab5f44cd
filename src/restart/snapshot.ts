// What every file was like when it was last looked at.

/** The contents of files, as far as one can be told from another. */
export class Snapshot {
  readonly #fingerprint: (path: string) => Promise<string | null>;
  #known = new Map<string, string>();

  /**
   * @param fingerprint a text that is the same as long as a file's bytes are; null if there is not a file
   */
  constructor(fingerprint: (path: string) => Promise<string | null>) {
    this.#fingerprint = fingerprint;
  }

  /** Every file that was there when it was last looked at. */
  get paths(): IterableIterator<string> {
    return this.#known.keys();
  }

  /**
   * Looks at files again.
   *
   * @param paths of files; also of such that are gone, that are new, or that come twice
   * @returns those that are not what they were
   */
  async compare(paths: Iterable<string>): Promise<string[]> {
    const changed: string[] = [];
    // One after the other: a hundred at a time were no faster, and need a hundred open files.
    for (const path of new Set(paths)) {
      const now = await this.#fingerprint(path);
      if (now === (this.#known.get(path) ?? null)) continue;
      if (now === null) this.#known.delete(path);
      else this.#known.set(path, now);
      changed.push(path);
    }
    return changed;
  }

  /**
   * Forgets files that do not count any more.
   *
   * @param isKept tells which still do
   */
  keep(isKept: (path: string) => boolean): void {
    for (const path of this.#known.keys()) if (!isKept(path)) this.#known.delete(path);
  }
}
