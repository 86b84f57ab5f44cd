// Words that name Node, for advice and messages. Loaded when there is something to say.

import type { Advice } from "./ports.ts";

/** Advice for users of Node. */
export const nodeAdvice: Advice = {
  start: (program, flags = []) => [program, ...flags].join(" "),
  add: (name) => `npm install ${name}`,
  hasConfigurations: false,
  bareImport:
    "The application imports a package by its bare name, and there is no package.json beside it or above. Type " +
    "`npm init -y` and `npm install NAME` there.",
  look: async (error, path) => await (await import("./node_load_hint.ts")).loadHint(error, path),
  serve: "serve() of @weft/engine",
  specifiers: "or a file: or data: URL,",
};
