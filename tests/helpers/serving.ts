// How to serve on a free port for the length of a test.

import { Engine } from "../../src/engine/engine.ts";
import { type Limits, settle } from "../../src/engine/settings.ts";
import type { Handler } from "../../src/message/handler.ts";
import type { TemporaryFiles } from "../../src/platform/ports.ts";
import { platform } from "../../src/platform/runtime.ts";
import { serve, type Server } from "../../src/engine/serve.ts";
import type { ServeOptions } from "../../src/engine/serve_options.ts";
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

/** An engine on a real socket, with its insides in sight and its log kept. */
export interface RealEngine extends AsyncDisposable {
  readonly engine: Engine;
  readonly url: string;
  readonly lines: string[];
  connect(): Promise<RawClient>;
}

/** Runs an engine on 127.0.0.1. */
export function realEngine(
  handler: Handler,
  limits: Limits = {},
  parts: Pick<ServeOptions, "accept" | "onError"> & { temporaryFiles?: TemporaryFiles } = {},
): RealEngine {
  const { temporaryFiles, ...application } = parts;
  const { clock, decodeLatin1, listen } = platform;
  const listener = listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
  const lines: string[] = [];
  const engine = new Engine({
    listener,
    scheme: "http",
    settings: settle(limits),
    application: { handler, ...application },
    readers: [],
  }, { clock, log: (level, message) => lines.push(`${level} ${message}`), decode: decodeLatin1, temporaryFiles });
  const { addr } = listener;
  return {
    engine,
    url: addr.transport === "tcp" ? `http://127.0.0.1:${addr.port}` : "",
    lines,
    connect: () => RawClient.connect(addr),
    async [Symbol.asyncDispose]() {
      engine.abort();
      await engine.finished;
    },
  };
}
