// How an engine answers requests before the first client comes, so that the runtime has compiled what they pass.
// Nothing of it is seen: it listens nowhere, counts nothing, and tells nobody.

import { ListenerClosed } from "../platform/errors.ts";
import type { Address, Listener, Socket } from "../platform/ports.ts";
import { Engine, type World } from "./engine.ts";
import { settle } from "./settings.ts";

/** Enough for the runtime to have seen every branch of a plain request, and to compile what is hot; some 20 ms. */
const CONNECTIONS = 32;
const REQUESTS_EACH = 16;

const ADDRESS: Address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
const REQUEST = new TextEncoder().encode(
  "GET /rehearsal?of=a HTTP/1.1\r\nHost: localhost\r\nUser-Agent: rehearsal\r\nAccept: */*\r\n\r\n",
);

/**
 * Answers a few hundred requests that nobody has sent.
 *
 * @param world the engine's own
 */
export async function rehearse(world: World): Promise<void> {
  const stage = new Stage();
  const engine = new Engine({
    listener: stage,
    scheme: "http",
    settings: settle({}),
    application: {
      handler: (request) => new Response(request.headers.get("user-agent") === null ? request.url : "heard"),
    },
    readers: [],
  }, world);
  await stage.played;
  engine.drain();
  await engine.finished;
}

/** A listener to which some connections come, and then no more. */
class Stage implements Listener {
  readonly addr: Address = ADDRESS;
  /** Resolves when the last connection is over. */
  readonly played: Promise<void>;
  #left = CONNECTIONS;
  #open = CONNECTIONS;
  #waiting = Promise.withResolvers<Socket>();
  #onPlayed!: () => void;

  constructor() {
    this.played = new Promise((resolve) => this.#onPlayed = resolve);
  }

  accept(): Promise<Socket> {
    if (this.#left === 0) return this.#waiting.promise;
    this.#left--;
    return Promise.resolve(
      new Player(() => {
        if (--this.#open === 0) this.#onPlayed();
      }),
    );
  }

  close(): void {
    this.#waiting.reject(new ListenerClosed("the rehearsal is over"));
  }

  ref(): void {}

  unref(): void {}
}

/** A client that sends its requests one after the other, and then leaves. */
class Player implements Socket {
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
