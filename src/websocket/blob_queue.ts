// What an application sends while a Blob is being read: a Blob is read before it is sent, and what comes after it waits.

/** A message, or the code and the reason of the Close frame. */
export type Ready = string | Uint8Array | { readonly code: number; readonly reason: string };

/** Messages in the order in which they were given. */
export class BlobQueue {
  /** Payload that waits. */
  size = 0;
  #waiting: (Ready | Blob)[] = [];
  #isEnded = false;
  readonly #send: (ready: Ready) => void;
  readonly #onUnreadable: (error: unknown) => void;

  /**
   * @param send sends what is next
   * @param onUnreadable called if a Blob cannot be read; nothing is sent after it
   */
  constructor(send: (ready: Ready) => void, onUnreadable: (error: unknown) => void) {
    this.#send = send;
    this.#onUnreadable = onUnreadable;
  }

  /** True if something waits, so that what follows has to wait too. */
  get isBusy(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Adds what is to be sent.
   *
   * @param next a Blob, or what comes after one; bytes are copied
   */
  put(next: Ready | Blob): void {
    const isFirst = !this.isBusy;
    const kept = next instanceof Uint8Array ? next.slice() : next;
    this.#waiting.push(kept);
    this.size += sizeOf(kept);
    if (isFirst) void this.#run();
  }

  /** Throws away what waits. */
  end(): void {
    this.#isEnded = true;
    this.#waiting.length = 0;
    this.size = 0;
  }

  async #run(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      let ready: Ready;
      try {
        ready = next instanceof Blob ? new Uint8Array(await next.arrayBuffer()) : next;
      } catch (error) {
        if (this.#isEnded) return;
        this.end();
        return this.#onUnreadable(error);
      }
      if (this.#isEnded) return;
      this.#send(ready);
      this.#waiting.shift();
      this.size -= sizeOf(next);
    }
  }
}

function sizeOf(waiting: Ready | Blob): number {
  if (typeof waiting === "string") return waiting.length;
  if (waiting instanceof Blob) return waiting.size;
  return waiting instanceof Uint8Array ? waiting.length : 0;
}
