// How to serve the demo with everything that the program gives it.

import { makeDemo } from "../../src/demo/demo.ts";
import { factsOf } from "../../src/inspect/dump.ts";
import type { Handler } from "../../src/message/handler.ts";
import { denoPlatform } from "../../src/platform/deno.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { type RealEngine, realEngine } from "./serving.ts";

/** A served demo, with its uploads in sight. */
export interface ServingDemo extends RealEngine {
  readonly uploads: Uploads;
}

/** Serves the demo on 127.0.0.1. */
export function servingDemo(): ServingDemo {
  const { clock } = denoPlatform;
  const uploads = new Uploads();
  const served: RealEngine = realEngine((request, info) => handler(request, info));
  const { engine } = served;
  const handler: Handler = makeDemo({
    clock,
    uploads,
    connections: () => [...engine.live].map((connection) => factsOf(connection, connection.note, clock.now())),
    isStopping: () => engine.state !== "serving",
  });
  return {
    ...served,
    uploads,
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      uploads.close();
    },
  };
}
