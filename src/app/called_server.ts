// The server that an application gets for its call of Deno.serve. It exists before the program listens.

import type { Address } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";

/** What serves in the end. */
export interface Serving {
  readonly addr: Address;
  /** Resolves when it has stopped. Never rejects. */
  readonly finished: Promise<void>;
  drain(): void;
  abort(): void;
  ref(): void;
  unref(): void;
}

/** What the application sees of it, as of Deno.HttpServer. */
export interface HttpServer extends AsyncDisposable {
  readonly addr: Address;
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
  ref(): void;
  unref(): void;
}

/** The server of a call, from both sides. */
export class CalledServer {
  /** What the application gets. */
  readonly server: HttpServer;
  /** True once the application has asked for a promise of the end: it may have something to do then. */
  isWaitedFor = false;
  /** Null until the program listens. Set by `attach`. */
  #serving: Serving | null = null;
  /** What was asked for before the program listens. Each method of the server adds to it. */
  #waiting: ((serving: Serving) => void)[] = [];
  #ended = withResolvers<void>();

  /**
   * @param asked the address that the application has asked for; it is shown until the program listens
   * @param signal cuts every connection when it is aborted
   */
  constructor(asked: Address, signal?: AbortSignal) {
    const finished = () => {
      this.isWaitedFor = true;
      return this.#ended.promise;
    };
    const shutdown = () => {
      this.#tell((serving) => serving.drain());
      return finished();
    };
    const addr = () => this.#serving?.addr ?? asked;
    this.server = {
      get addr() {
        return addr();
      },
      get finished() {
        return finished();
      },
      shutdown,
      ref: () => this.#tell((serving) => serving.ref()),
      unref: () => this.#tell((serving) => serving.unref()),
      [Symbol.asyncDispose]: shutdown,
    };
    const abort = () => this.#tell((serving) => serving.abort());
    if (signal?.aborted) abort();
    signal?.addEventListener("abort", abort, { once: true });
    this.#ended.promise.then(() => signal?.removeEventListener("abort", abort));
  }

  /**
   * Connects it with what serves; what was asked for before is done now.
   *
   * @param serving what serves
   */
  attach(serving: Serving): void {
    this.#serving = serving;
    serving.finished.then(this.#ended.resolve);
    for (const call of this.#waiting.splice(0)) call(serving);
  }

  #tell(call: (serving: Serving) => void): void {
    if (this.#serving === null) this.#waiting.push(call);
    else call(this.#serving);
  }
}
