// What the npm package is: its manifest and its files. Both builders use it (emit.ts and ../build_npm.ts).

import configuration from "../../deno.json" with { type: "json" };

/** A module that something begins with. Paths are those of the staged tree. */
export interface Entry {
  /** Whether a user imports it, npm links it as a program, or the package itself starts a process with it. */
  readonly kind: "export" | "bin" | "process";
  /** The name in "exports" or "bin", or a name for the builder. */
  readonly name: string;
  readonly path: string;
  /** Its module in the package. */
  readonly output: string;
}

/** All of them. What none of these imports is not part of the package. */
export const ENTRIES: readonly Entry[] = [
  { kind: "export", name: ".", path: "mod.ts", output: "mod.js" },
  { kind: "bin", name: "weft", path: "src/cli/bin.ts", output: "src/bin.js" },
  { kind: "process", name: "worker", path: "src/cli/worker.ts", output: "src/worker.js" },
];

const CLIENT = "src/progress/client/progress_client";

/** Files that no builder takes, because they are JavaScript for browsers, with their types. They stand beside the modules. */
export const PLAIN_FILES: readonly string[] = [`${CLIENT}.js`, `${CLIENT}.d.ts`];

/** Documents of the repository that the package has too, beside package.json. */
export const DOCUMENTS: readonly string[] = ["LICENSE", "CHANGELOG.md"];

/** The package has a README of its own: commands and links of the repository's hold only in a clone. */
export const README: URL = new URL("README.md", import.meta.url);

/** The directory of the modules in the package. `@deno/dnt` has no other. */
export const MODULES = "esm";

/** The oldest Node that the package runs on. Its types are checked against this version. */
export const OLDEST_NODE = 20;

/** package.json, without what a builder would add. */
export const MANIFEST = {
  name: configuration.name,
  version: configuration.version,
  description:
    "An HTTP/1.1 application server for fetch-style handlers: workers, reloads without a lost request, uploads.",
  keywords: ["http", "server", "fetch", "hono", "prefork", "cluster", "upload", "progress", "reload"],
  license: configuration.license,
  type: "module",
  exports: {
    ".": { types: `./${MODULES}/mod.d.ts`, default: `./${MODULES}/mod.js` },
    "./progress-client": {
      types: `./${MODULES}/src/progress_client.d.ts`,
      default: `./${MODULES}/src/progress_client.js`,
    },
    "./package.json": "./package.json",
  },
  types: `./${MODULES}/mod.d.ts`,
  bin: { weft: `${MODULES}/src/bin.js` },
  files: [MODULES, "README.md", ...DOCUMENTS],
  engines: { node: `>=${OLDEST_NODE}` },
  dependencies: { multipasta: "^0.2.8" },
  peerDependencies: { "@redis/client": "^6.0.0" },
  peerDependenciesMeta: { "@redis/client": { optional: true } },
} as const;

/** Packages that the types of the source need, besides the dependencies. */
export const TYPES: Readonly<Record<string, string>> = { "@types/node": `^${OLDEST_NODE}.17.0` };
