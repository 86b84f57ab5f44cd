// An abort from inside the application's own code ends the server, even if that code never settles.

import assert from "node:assert/strict";
import { serve } from "../../src/engine/serve.ts";
import type { ServeOptions } from "../../src/engine/serve_options.ts";
import { RawClient } from "../helpers/raw_client.ts";

type Hooks = Pick<ServeOptions, "accept" | "onError"> & { handler: () => Response | Promise<Response> };

const forever = new Promise<never>(() => {});

/** What calls `abort` before its first await, and never settles. */
const CASES: Record<string, (abort: () => void) => Hooks> = {
  handler: (abort) => ({
    handler() {
      abort();
      return forever;
    },
  }),
  accept: (abort) => ({
    accept() {
      abort();
      return forever;
    },
    handler: () => new Response("not reached"),
  }),
  onError: (abort) => ({
    handler() {
      throw new Error("for onError");
    },
    onError() {
      abort();
      return forever;
    },
  }),
  "a stream's pull": (abort) => ({
    handler: () =>
      new Response(
        new ReadableStream({
          pull() {
            abort();
            return forever;
          },
        }, { highWaterMark: 0 }),
      ),
  }),
};

for (const [name, hooksOf] of Object.entries(CASES)) {
  Deno.test(`A server whose ${name} aborts its signal and never settles is finished`, async () => {
    for (const readers of [[], [{ see() {} }]]) {
      const stop = new AbortController();
      const { handler, ...hooks } = hooksOf(() => stop.abort());
      const quiet = { port: 0, hostname: "127.0.0.1", onListen() {} };
      const server = serve({ ...quiet, readers, signal: stop.signal, ...hooks }, handler);
      using client = await RawClient.connect(server.addr);
      await client.ask("GET", "/");
      await server.finished;
      assert.deepEqual((await client.rest()).filter(({ isWhole }) => isWhole), []);
    }
  });
}
