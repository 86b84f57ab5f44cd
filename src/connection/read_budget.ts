// Limits how many bytes of bodies all connections together read in one turn of the event loop.
// Without it, an upload whose bytes are always there already keeps the loop from everything else.

/** Bytes that one turn may read: a fraction of a millisecond's work. */
const TURN_BYTES = 512 * 1024;

/** The budget of one engine. It is renewed every turn in which it ran out. */
export class ReadBudget {
  #soon: (call: () => void) => void;
  /** Bytes left in this turn; lowered by every read, renewed by the turn that follows. */
  #left = TURN_BYTES;
  /** Resolves at the next turn; null while there is something left. */
  #renewal: Promise<void> | null = null;

  /** @param soon calls once everything else that is ready has had its turn */
  constructor(soon: (call: () => void) => void) {
    this.#soon = soon;
  }

  /**
   * Asks to read.
   *
   * @param bytes how many at most
   * @returns null to go on at once, otherwise resolved when the caller may ask again
   */
  take(bytes: number): Promise<void> | null {
    if (this.#left > 0) {
      this.#left -= bytes;
      return null;
    }
    return this.#renewal ??= new Promise((resolve) =>
      this.#soon(() => {
        this.#left = TURN_BYTES;
        this.#renewal = null;
        resolve();
      })
    );
  }
}
