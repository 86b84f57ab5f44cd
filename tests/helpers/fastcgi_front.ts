// Weft in front of a FastCGI application, for one test.

import { fastcgi, type FastCgiHandler } from "../../src/fastcgi/fastcgi.ts";
import type { FastCgiOptions } from "../../src/fastcgi/fastcgi_options.ts";
import type { Limits } from "../../src/engine/settings.ts";
import { type RealEngine, realEngine } from "./serving.ts";

/** An engine whose application is a FastCGI application. */
export interface Front extends RealEngine {
  readonly handler: FastCgiHandler;
  /** The lines about the backend; those of the engine are in `lines`. */
  readonly said: string[];
  /** Waits until a line matches. */
  heard(pattern: RegExp): Promise<string>;
}

/** Serves a FastCGI application on 127.0.0.1. */
export function front(options: FastCgiOptions, limits: Limits = {}): Front {
  const said: string[] = [];
  let changed = Promise.withResolvers<void>();
  const log: FastCgiOptions["log"] = (level, message) => {
    said.push(`${level} ${message}`);
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const handler = fastcgi({ log, ...options });
  const engine = realEngine(handler, limits);
  return Object.assign(Object.create(engine), {
    handler,
    said,
    async heard(pattern: RegExp) {
      for (;;) {
        const found = said.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await changed.promise;
      }
    },
    async [Symbol.asyncDispose]() {
      handler.close();
      await engine[Symbol.asyncDispose]();
    },
  });
}
