// How to tell an application's author that what it exports cannot be served, and what to export instead.

import { EXIT, Failure } from "../platform/failure.ts";
import type { Advice } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import { isNodeHandler } from "./node_handler.ts";

type Module = Readonly<Record<string, unknown>>;

/**
 * Makes the error for a module without a handler that could ever answer a request.
 *
 * @param specifier the application as it was asked for
 * @param module its exports
 * @returns the error; its message is for the application's author
 */
export async function notServable(specifier: string, module: Module): Promise<Failure> {
  const advice = await platform.process.advice();
  const { default: main } = module;
  const bridge = bridgeFor(main);
  if (bridge !== null) {
    return new Failure(
      EXIT.appNotLoaded,
      `the default export of ${specifier} is ${bridge.what}: it takes (request, response) of node:http\n` +
        "Weft serves handlers that take a Request and give a Response. With srvx from npm " +
        `(${[...new Set([advice.add("srvx"), "npm install srvx"])].map((it) => `\`${it}\``).join(", or ")}) write:\n` +
        `    import { toFetchHandler } from "srvx/node";\n` +
        `    export default { fetch: toFetchHandler(${bridge.handler}) };`,
    );
  }
  if (typeof main === "function") {
    return new Failure(
      EXIT.appNotLoaded,
      `the default export of ${specifier} is a class; export an instance: \`new ...()\``,
    );
  }
  return new Failure(
    EXIT.appNotLoaded,
    `the application ${specifier} exports nothing that can be served\n` +
      `expected \`export default { fetch(request) { ... } }\`, a default function or a function named fetch; ` +
      showExports(module, advice),
  );
}

/** What a handler of node:http is, and how it is passed to the bridge; null if it is something else. */
function bridgeFor(main: unknown): { what: string; handler: string } | null {
  if (main === null || main === undefined) return null;
  const has = (...names: string[]) => names.every((name) => typeof (main as Module)[name] === "function");
  if (typeof main === "function") {
    // Not `app` itself: srvx passes a next() to a function of three parameters, and Express calls that instead of
    // answering 404 or an error.
    if (has("handle", "use")) {
      return { what: "an Express application", handler: "(request, response) => app(request, response)" };
    }
    return isNodeHandler(main) ? { what: "a handler of node:http", handler: "handler" } : null;
  }
  if (has("callback", "use", "listen")) return { what: "a Koa application", handler: "app.callback()" };
  if (has("routing", "ready", "inject")) {
    return { what: "a Fastify application", handler: "(await app.ready()).routing" };
  }
  if (has("listen", "listeners", "emit")) {
    return { what: "a server of node:http", handler: 'server.listeners("request")[0]' };
  }
  return null;
}

function showExports(module: Module, { serve }: Advice): string {
  // Node 23 and later add this name to the exports of a CommonJS module.
  const names = Object.keys(module).filter((name) => name !== "module.exports");
  if (names.length === 0) {
    return `it exports nothing and did not call ${serve}. What it does only if import.meta.main is true is not done here. ` +
      "If it starts a server of node:http, as Express does, export its handler through a bridge (docs/node.md)";
  }
  const main = module.default;
  if (names.length > 1 || main === undefined) return `it exports ${list(names)}`;
  if (typeof main !== "object" || main === null) {
    return `its default export is ${main === null ? "null" : `a ${typeof main}`}`;
  }
  return `its default export has ${list(Object.keys(main)) || "nothing"}`;
}

/** Most names in a message: an object of a framework has sixty. */
const MAX_NAMES = 8;

function list(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(", ");
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}
