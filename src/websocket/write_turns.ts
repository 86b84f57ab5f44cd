// Limits how many writes all sockets together begin in one turn of the event loop.
//
// tokio gives a task 128 operations a turn (its cooperative budget), and all reads and writes of Deno belong to one task. A
// write after that is put off, tried again in every turn, and costs twice as much. That happens if one message goes to a thousand
// sockets. So a socket that has to wait stands in line, and all that it sends until its turn comes goes out in one write.

/** Writes that begin in one turn. The rest of tokio's budget is for reads. */
const TURN_WRITES = 96;

/** What wants to write. */
export interface Writer {
  /** Its turn has come. Called once for each time that it had to wait. */
  goOn(): void;
}

/** The turns of one process. */
export class WriteTurns {
  readonly #soon: (call: () => void) => void;
  /** Writes that may begin before the next turn is waited for. */
  #left = TURN_WRITES;
  #line: Writer[] = [];

  /** @param soon calls once everything else that is ready has had its turn */
  constructor(soon: (call: () => void) => void) {
    this.#soon = soon;
  }

  /** Called when a socket has read. It allows one more write, so that one answer to each read never waits. */
  haveRead(): void {
    if (this.#left < TURN_WRITES) this.#left++;
  }

  /**
   * Asks to begin a write.
   *
   * @param writer what wants to write
   * @returns false if it has to wait: it is told when its turn comes
   */
  begin(writer: Writer): boolean {
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    if (this.#line.length === 0) this.#soon(this.#renew);
    this.#line.push(writer);
    return false;
  }

  #renew = (): void => {
    this.#left = TURN_WRITES;
    const next = this.#line.splice(0, TURN_WRITES);
    if (this.#line.length > 0) this.#soon(this.#renew);
    for (const writer of next) writer.goOn();
  };
}
