// Sends the same bytes to Deno.serve and to Weft, with one handler, and gives both answers.

import type { Server } from "../../src/engine/serve.ts";
import type { ServeOptions } from "../../src/engine/serve_options.ts";
import { serve } from "../../src/engine/serve.ts";
import { RawClient } from "./raw_client.ts";
import { bodyText } from "./responses.ts";

/** A handler that both servers take. */
export type SharedHandler = (
  request: Request,
  info: { readonly completed: Promise<void> },
) => Response | Promise<Response>;

/** An answer without what differs from run to run. */
export interface ComparedAnswer {
  readonly status: number;
  readonly reason: string;
  /** Sorted, without `date`. */
  readonly fields: readonly string[];
  readonly body: string;
}

/** Two servers with one handler. */
export interface BothServers extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly ports: { readonly deno: number; readonly weft: number };
  /** Sends one whole request to both, each over a new connection that stays open. */
  ask(request: string): Promise<{ deno: ComparedAnswer | null; weft: ComparedAnswer | null }>;
}

/**
 * Serves with Deno.serve and with Weft.
 *
 * @param handler of both
 * @param options of Weft
 */
export function servedByBoth(handler: SharedHandler, options: ServeOptions = {}): BothServers {
  const stop = new AbortController();
  const quiet = { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} };
  const deno = Deno.serve(quiet, handler);
  const weft: Server = serve({ ...quiet, ...options }, handler);
  const weftPort = weft.addr.transport === "tcp" ? weft.addr.port : 0;
  return {
    ports: { deno: deno.addr.port, weft: weftPort },
    ask: async (request) => ({ deno: await ask(deno.addr.port, request), weft: await ask(weftPort, request) }),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all([deno.finished, weft.finished]);
    },
  };
}

async function ask(port: number, request: string): Promise<ComparedAnswer | null> {
  using client = await sending(port, request);
  return await answered(client);
}

/**
 * Sends a request over a new connection.
 *
 * @param port on 127.0.0.1
 * @param request the whole of it
 * @returns the connection, to be closed by the caller
 */
export async function sending(port: number, request: string): Promise<RawClient> {
  const client = await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port });
  client.expect(request.slice(0, request.indexOf(" ")));
  await client.send(request);
  return client;
}

/** Waits for the whole answer; null if the server closes the connection without one. */
export async function answered(client: RawClient): Promise<ComparedAnswer | null> {
  const [response] = await client.responses(1);
  if (response === undefined) return null;
  const { status, reason } = response;
  const fields = response.fields.filter(([name]) => name !== "date").map(([name, value]) => `${name}: ${value}`);
  return { status, reason, fields: fields.sort(), body: bodyText(response) };
}

/** The version whose Deno.serve and fetch the tests describe. Older ones lose the length of some bodies, and fail in other ways. */
const COMPARED = [2, 9, 6] as const;

/**
 * Registers a test that compares with Deno's own server or fetch.
 *
 * @param name a sentence
 * @param fn the test
 */
export function besideDenoTest(name: string, fn: () => Promise<void>): void {
  const [major = 0, minor = 0, patch = 0] = Deno.version.deno.split(/[.-]/).map(Number);
  const isOlder = [major - COMPARED[0], minor - COMPARED[1], patch - COMPARED[2]].find((step) => step !== 0)! < 0;
  if (isOlder) console.log(`skipped, it compares with Deno ${COMPARED.join(".")} or later: ${name}`);
  Deno.test({ name, ignore: isOlder, fn });
}
