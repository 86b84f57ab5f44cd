// Words that name Deno, for advice and messages. Loaded when there is something to say.

import type { Advice } from "./ports.ts";

/** Advice for users of Deno. */
export const denoAdvice: Advice = {
  start: (program, flags = []) => ["deno run -A", ...flags, program].join(" "),
  add: (name) => `deno add npm:${name}`,
  hasConfigurations: true,
  bareImport:
    "The application imports a package by its bare name, and no deno.json or package.json says which it is. " +
    'Write npm:NAME or jsr:NAME in the import, or put a deno.json with "imports" beside the application.',
  // Deno's errors tell the place.
  look: () => Promise.resolve({ place: null, advice: "" }),
  serve: "Deno.serve",
  specifiers: "a URL or an npm: or jsr: specifier",
};
