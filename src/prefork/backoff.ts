// How long a place waits before its next worker is started.

/** The first wait; it doubles with each further death, up to the second. */
const FIRST_MS = 100;
const LONGEST_MS = 5_000;
/** Each wait is spread by this part of itself, so that not all workers come back at the same moment. */
const SPREAD = 0.2;

/** Waits of places whose workers keep dying young: none after the first death, then 0.1 s doubling to 5 s. */
export class Backoff {
  #random: () => number;
  #deaths = new Map<number, number>();

  /** @param random chance, from 0 up to 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  /**
   * Notes a death.
   *
   * @param nr the place
   * @param wasYoung whether it came soon after the start
   */
  died(nr: number, wasYoung: boolean): void {
    this.#deaths.set(nr, wasYoung ? (this.#deaths.get(nr) ?? 0) + 1 : 1);
  }

  /**
   * Everything is new: nothing is held against a place any more.
   *
   * @param nr the place; without it, all of them
   */
  forget(nr?: number): void {
    if (nr === undefined) this.#deaths.clear();
    else this.#deaths.delete(nr);
  }

  /**
   * The wait of a place.
   *
   * @param nr the place
   * @returns milliseconds, spread by a fifth to either side
   */
  delayOf(nr: number): number {
    const deaths = this.#deaths.get(nr) ?? 0;
    if (deaths < 2) return 0;
    const delayMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** (deaths - 2));
    return delayMs * (1 - SPREAD + 2 * SPREAD * this.#random());
  }
}
