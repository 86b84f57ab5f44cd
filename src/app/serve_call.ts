// Takes over the call of Deno.serve that an application makes while it is loaded.
// The first call is served by the program. What an application serves beside it, or later, it serves by itself.

import type { Handler } from "../message/handler.ts";
import { showError } from "../platform/log.ts";
import type { Address, Clock, Log } from "../platform/ports.ts";
import { withResolvers } from "../platform/resolvers.ts";
import { type ServeArguments, servePort } from "../platform/serve_port.ts";
import { CalledServer } from "./called_server.ts";

/** A call that was taken over. */
export interface ServeCall {
  readonly handler: Handler;
  readonly options: Readonly<Record<string, unknown>>;
  readonly called: CalledServer;
}

/** Listens for the first call from now on. */
export class ServeCalls {
  /** Resolves with the first call. */
  readonly first: Promise<ServeCall>;
  /** The first call; null until it comes. */
  call: ServeCall | null = null;
  #log: Log;
  #place: (options: Readonly<Record<string, unknown>>) => Address;
  #resolve: (call: ServeCall) => void;

  /**
   * @param place gives the address at which these options will be served
   * @param log for calls that are not taken over
   */
  constructor(place: (options: Readonly<Record<string, unknown>>) => Address, log: Log) {
    this.#place = place;
    this.#log = log;
    const { promise, resolve } = withResolvers<ServeCall>();
    this.first = promise;
    this.#resolve = resolve;
    servePort.take = (call) => this.#take(call);
  }

  /** Further calls are no longer taken over. */
  end(): void {
    servePort.take = null;
  }

  #take({ options, handler }: ServeArguments): object | null {
    const given = withoutUndefined(options ?? {});
    if (this.call !== null) {
      this.#log("INFO", `the application serves ${showPlace(given)} by itself: only its first server is Weft's`);
      return null;
    }
    const { signal } = given;
    const called = new CalledServer(this.#place(given), signal instanceof AbortSignal ? signal : undefined);
    this.call = { handler: handler as Handler, options: given, called };
    this.#resolve(this.call);
    return called.server;
  }
}

/** An option that is undefined or null was not given. Deno takes a port that is a text of digits, as a variable has it. */
function withoutUndefined(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => (value ?? undefined) !== undefined));
  if (typeof given.port === "string" && /^\d+$/.test(given.port)) given.port = Number(given.port);
  return given;
}

function showPlace({ path, port, hostname }: Readonly<Record<string, unknown>>): string {
  return typeof path === "string" ? path : `${hostname ?? "0.0.0.0"}:${port ?? 8000}`;
}

/** What of an application has come: its exports, if all of it was loaded. */
export interface Loaded {
  readonly module: Readonly<Record<string, unknown>>;
  /** Resolves when all of the application was loaded. Never rejects. */
  readonly whole: Promise<void>;
}

/**
 * Waits until an application is loaded. One that has called Deno.serve is: it may go on with a top-level await, such as that
 * of the server's end, but what fails at once after the call is a failure to load.
 *
 * @param importing the import of its module
 * @param calls the call that it may make
 * @param context the clock and the log
 * @returns what has come
 * @throws what the application throws while it is loaded
 */
export async function loadedOrServing(
  importing: Promise<Record<string, unknown>>,
  calls: ServeCalls,
  { clock, log }: { clock: Clock; log: Log },
): Promise<Loaded> {
  const isCalled = calls.first.then(() => new Promise<null>((resolve) => clock.soon(() => resolve(null))));
  const module = await Promise.race([importing, isCalled]);
  if (module !== null) return { module, whole: Promise.resolve() };
  const whole = importing.then(() => {}, (error) => {
    log("ERROR", `the application failed after its call of Deno.serve: ${showError(error)}`);
  });
  return { module: {}, whole };
}
