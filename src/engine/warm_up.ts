// Warms up the JIT before the first client comes: an engine answers requests over sockets in memory.
// The application is not called, and nothing is counted or logged.

import { ListenerClosed } from "../platform/errors.ts";
import type { Address, Listener, Socket } from "../platform/ports.ts";
import { Engine } from "./engine.ts";
import type { EnginePorts } from "./engine_options.ts";
import { settle } from "./settings.ts";

/** Enough for the runtime to have seen every branch of a plain request, and to compile what is hot; some 20 ms. */
const CONNECTIONS = 32;
const REQUESTS_EACH = 16;

const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
const REQUEST = new TextEncoder().encode(
  "GET /warm-up?of=a HTTP/1.1\r\nHost: localhost\r\nUser-Agent: warm-up\r\nAccept: */*\r\n\r\n",
);

/**
 * Answers a few hundred requests that no client has sent.
 *
 * @param ports the engine's own
 */
export async function warmUp(ports: EnginePorts): Promise<void> {
  const listener = new WarmUpListener();
  const engine = new Engine({
    listener: listener,
    scheme: "http",
    settings: settle({}),
    application: {
      handler: (request) => new Response(request.headers.get("user-agent") === null ? request.url : "heard"),
    },
    readers: [],
  }, ports);
  await listener.finished;
  engine.drain();
  await engine.finished;
}

/** A listener to which some connections come, and then no more. */
class WarmUpListener implements Listener {
  readonly addr: Address = ADDRESS;
  /** Resolves when the last connection is over. */
  readonly finished: Promise<void>;
  #left = CONNECTIONS;
  #open = CONNECTIONS;
  #waiting = Promise.withResolvers<Socket>();
  #onFinished!: () => void;

  constructor() {
    this.finished = new Promise((resolve) => this.#onFinished = resolve);
  }

  accept(): Promise<Socket> {
    if (this.#left === 0) return this.#waiting.promise;
    this.#left--;
    return Promise.resolve(
      new WarmUpSocket(() => {
        if (--this.#open === 0) this.#onFinished();
      }),
    );
  }

  close(): void {
    this.#waiting.reject(new ListenerClosed("the warm-up is over"));
  }

  ref(): void {}

  unref(): void {}
}

/** A client that sends its requests one after the other, and then leaves. */
class WarmUpSocket implements Socket {
  readonly localAddr: Address = ADDRESS;
  readonly remoteAddr: Address = ADDRESS;
  #left = REQUESTS_EACH;
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
