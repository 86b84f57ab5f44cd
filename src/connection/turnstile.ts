// Knows: how many bytes of bodies one turn of the event loop may take, all connections together.
// Does not know: whose bytes they are.
// Rule: an upload whose bytes are always there already must not keep the loop from those that wait for it.

/** What is read before whatever else is ready has its turn: a fraction of a millisecond's work. */
const TURN_BYTES = 512 * 1024;

/** Lets bodies through until the turn's share is used up; the rest waits for the next turn. */
export class Turnstile {
  #soon: (call: () => void) => void;
  #left = TURN_BYTES;
  #next: Promise<void> | null = null;

  /** @param soon calls as soon as everything else that is ready has had its turn */
  constructor(soon: (call: () => void) => void) {
    this.#soon = soon;
  }

  /**
   * Asks to read.
   *
   * @param bytes how many at most
   * @returns null where it may go on at once, otherwise resolved when it may ask again
   */
  pass(bytes: number): Promise<void> | null {
    if (this.#left > 0) {
      this.#left -= bytes;
      return null;
    }
    return this.#next ??= new Promise((resolve) =>
      this.#soon(() => {
        this.#left = TURN_BYTES;
        this.#next = null;
        resolve();
      })
    );
  }
}
