// How to run an engine without a network and without time: connections come and minutes pass as a test says.

import type { Handler } from "../../src/message/handler.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { EngineOptions } from "../../src/engine/engine_options.ts";
import { type Limits, settle } from "../../src/engine/settings.ts";
import { ListenerClosed } from "../../src/platform/errors.ts";
import type { Address, Listener, Socket } from "../../src/platform/ports.ts";
import { Client, type DuplexOptions, settled } from "./duplex.ts";
import { FakeClock } from "./fake_clock.ts";
import { FakeTemporaryFiles } from "./fake_files.ts";

/** A listener whose connections are made by the test. */
export class FakeListener implements Listener {
  readonly addr: Address = { transport: "tcp", hostname: "127.0.0.1", port: 8000 };
  isClosed = false;
  isReferenced = true;
  #queue: (Socket | Error)[] = [];
  #accept: PromiseWithResolvers<Socket> | null = null;

  /** True while the engine waits for a connection. */
  get isAccepting(): boolean {
    return this.#accept !== null;
  }

  /** How many wait to be accepted. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** A client comes. */
  connect(options: DuplexOptions = {}): Client {
    const client = new Client(options);
    this.put(client.socket);
    return client;
  }

  /** The next accept gives this, or fails with it. */
  put(next: Socket | Error): void {
    this.#queue.push(next);
    this.#serve();
  }

  accept(): Promise<Socket> {
    if (this.isClosed) return Promise.reject(new ListenerClosed("closed"));
    this.#accept = Promise.withResolvers();
    const { promise } = this.#accept;
    this.#serve();
    return promise;
  }

  close(): void {
    this.isClosed = true;
    this.#accept?.reject(new ListenerClosed("closed"));
    this.#accept = null;
  }

  ref(): void {
    this.isReferenced = true;
  }

  unref(): void {
    this.isReferenced = false;
  }

  #serve(): void {
    if (this.#accept === null || this.#queue.length === 0) return;
    const next = this.#queue.shift()!;
    if (next instanceof Error) this.#accept.reject(next);
    else this.#accept.resolve(next);
    this.#accept = null;
  }
}

/** An engine and its world. */
export interface FakeEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly clock: FakeClock;
  readonly listener: FakeListener;
  /** Lines that were logged. */
  readonly lines: string[];
}

/** Starts an engine; it is aborted at the end of the test if it still runs. */
export function fakeEngine(
  handler: Handler,
  limits: Limits = {},
  parts: Partial<EngineOptions["application"]> & Pick<Partial<EngineOptions>, "readers" | "proxies"> = {},
): FakeEngine {
  const clock = new FakeClock();
  const listener = new FakeListener();
  const lines: string[] = [];
  const { readers = [], proxies = null, ...application } = parts;
  const engine = new Engine({
    listener,
    scheme: "http",
    proxies,
    settings: settle(limits),
    application: { handler, ...application },
    readers,
  }, {
    clock,
    log: (level, message) => lines.push(`${level} ${message}`),
    temporaryFiles: new FakeTemporaryFiles(),
    decode: (bytes, from, to) => new TextDecoder("latin1").decode(bytes.subarray(from, to)),
  });
  return {
    engine,
    clock,
    listener,
    lines,
    async [Symbol.asyncDispose]() {
      engine.abort();
      await settled();
      // If accepting pauses, the pause has to end first.
      await clock.advance(2_000);
      await engine.finished;
    },
  };
}
