// What an application sends while a Blob is being read: a Blob is read before it is sent, and what comes after it waits.

/** A message, or the code and the reason of the Close frame. */
export type Ready = string | Uint8Array | { readonly code: number; readonly reason: string };

const encoder = new TextEncoder();

/** Messages in the order in which they were given. */
export class BlobQueue {
  /** Bytes of payload that waits. */
  size = 0;
  #waiting: { readonly next: Ready | Blob; readonly size: number }[] = [];
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
    const size = sizeOf(next);
    this.#waiting.push({ next: next instanceof Uint8Array ? next.slice() : next, size });
    this.size += size;
    if (isFirst) void this.#run();
  }

  /** Throws away what waits. */
  end(): void {
    this.#isEnded = true;
    this.#waiting.length = 0;
    this.size = 0;
  }

  async #run(): Promise<void> {
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const { next, size } = first;
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
      this.size -= size;
    }
  }
}

function sizeOf(next: Ready | Blob): number {
  if (typeof next === "string") return encoder.encode(next).length;
  if (next instanceof Blob) return next.size;
  return next instanceof Uint8Array ? next.length : 0;
}
