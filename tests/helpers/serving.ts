// Knows: how to serve on a free port for the length of a test.
// Does not know: what is served.

import type { Handler } from "../../src/message/handler.ts";
import { serve, type ServeOptions, type Server } from "../../src/engine/serve.ts";
import { RawClient } from "./raw_client.ts";

/** A server for one test. It is cut off at the end, so that no test waits for a client that idles. */
export interface Serving extends AsyncDisposable {
  readonly server: Server;
  /** Its root, without the last slash. */
  readonly url: string;
  connect(): Promise<RawClient>;
}

/** Serves on 127.0.0.1. */
export function serving(handler: Handler, options: ServeOptions = {}): Serving {
  const stop = new AbortController();
  const server = serve({ port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {}, ...options }, handler);
  const { addr } = server;
  return {
    server,
    url: addr.transport === "tcp" ? `http://127.0.0.1:${addr.port}` : "",
    connect: () => RawClient.connect(addr),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await server.finished;
    },
  };
}
