// How Bun.serve is started. Does not know: what is measured.
// Defaults, but for two limits that would end a scenario (128 MiB a body, 10 s of silence), and for the word that
// a connection ends: Bun closes it without one, which wrk takes for an error.

import type { AppName } from "./answers.ts";
import { type Handler, handlerOf, type HonoModule } from "./handlers.ts";

interface BunServeOptions {
  hostname: string;
  port: number;
  maxRequestBodySize: number;
  idleTimeout: number;
  fetch: Handler;
}

declare const Bun: {
  argv: string[];
  env: Record<string, string | undefined>;
  serve(options: BunServeOptions): unknown;
};

const [app, port] = Bun.argv.slice(2);
const importHono = (): Promise<HonoModule> => import(Bun.env.BENCH_HONO ?? "hono");
const handler = await handlerOf(app as AppName, importHono);
const closing: Handler = async (request) => {
  const response = await handler(request);
  response.headers.set("connection", "close");
  return response;
};
const fetch = app === "closing" ? closing : handler;
Bun.serve({ hostname: "127.0.0.1", port: Number(port), maxRequestBodySize: 2 ** 31, idleTimeout: 0, fetch });
