// Tells applications that their engine drains. One signal serves all requests of an engine, and is made when it is first
// asked for.

/** Whether an engine drains, as a signal. The engine calls `begin`. */
export class Leaving {
  /** True once the engine drains. Set by `begin`. */
  #hasBegun = false;
  /** Set by `begin`. */
  #isReplaced = false;
  /** Null until the signal is asked for. Set by `signal`. */
  #controller: AbortController | null = null;

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** True if it drains because another process takes over. */
  get isReplaced(): boolean {
    return this.#isReplaced;
  }

  /** Fires when the drain begins. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#hasBegun) this.#controller.abort(reason());
    }
    return this.#controller.signal;
  }

  /**
   * Called by the engine when it begins to drain.
   *
   * @param isReplaced true if another process takes over
   */
  begin(isReplaced: boolean): void {
    this.#isReplaced = isReplaced;
    this.#hasBegun = true;
    this.#controller?.abort(reason());
  }
}

function reason(): DOMException {
  return new DOMException("this server is stopping, or another process takes over: end what has no end", "AbortError");
}
