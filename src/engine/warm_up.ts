// Answers requests in memory before the first client connects, so that the runtime has compiled the code that requests use.
// The application is not called, because a request that no client has sent could have effects.
// It does not use the network, and the engine's counters and its log do not show it.

import { ListenerClosed } from "../platform/errors.ts";
import type { Address, Listener, Socket } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import { Engine } from "./engine.ts";
import type { EnginePorts } from "./engine_options.ts";
import { settle } from "./settings.ts";

/** With both numbers the runtime sees every branch of a plain request and compiles the hot ones. That takes some 20 ms. */
const CONNECTIONS = 32;
const REQUESTS_PER_CONNECTION = 16;

/** Required by the ports, but never connected to. */
const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
const REQUEST = new TextEncoder().encode(
  "GET /warm-up?of=a HTTP/1.1\r\nHost: localhost\r\nUser-Agent: warm-up\r\nAccept: */*\r\n\r\n",
);

/**
 * Answers a few hundred requests in memory.
 *
 * @param ports those of the engine that will serve
 */
export async function warmUp(ports: EnginePorts): Promise<void> {
  const listener = new WarmUpListener();
  const engine = new Engine({
    listener,
    scheme: "http",
    settings: settle({}),
    application: {
      handler: (request) => new Response(request.headers.get("user-agent") === null ? request.url : "warm"),
    },
    readers: [],
  }, ports);
  await listener.done;
  engine.drain();
  await engine.finished;
}

/** A listener that gives a fixed number of connections. */
class WarmUpListener implements Listener {
  readonly addr: Address = ADDRESS;
  /** Resolves when the last connection is closed. */
  readonly done: Promise<void>;
  /** Connections that were not accepted yet. Changed by `accept`. */
  #left = CONNECTIONS;
  /** Connections that are not closed yet. Changed when one closes. */
  #open = CONNECTIONS;
  /** The accept after the last connection. `close` rejects it. */
  #lastAccept = withResolvers<Socket>();
  #onDone!: () => void;

  constructor() {
    this.done = new Promise((resolve) => this.#onDone = resolve);
  }

  accept(): Promise<Socket> {
    if (this.#left === 0) return this.#lastAccept.promise;
    this.#left--;
    return Promise.resolve(
      new WarmUpSocket(() => {
        if (--this.#open === 0) this.#onDone();
      }),
    );
  }

  close(): void {
    this.#lastAccept.reject(new ListenerClosed("the warm-up is over"));
  }

  ref(): void {}

  unref(): void {}
}

/** A connection on which the same request comes several times, and then the end. What is written to it is dropped. */
class WarmUpSocket implements Socket {
  readonly localAddr: Address = ADDRESS;
  readonly remoteAddr: Address = ADDRESS;
  /** Requests that were not read yet. Changed by `read`. */
  #left = REQUESTS_PER_CONNECTION;
  #onClose: () => void;

  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  read(into: Uint8Array): Promise<number | null> {
    if (this.#left === 0) return Promise.resolve(null);
    this.#left--;
    into.set(REQUEST);
    return Promise.resolve(REQUEST.length);
  }

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(bytes.length);
  }

  closeWrite(): Promise<void> {
    return Promise.resolve();
  }

  close(): void {
    this.#onClose();
  }
}
