// The modules of the package for JSR: the sources as JavaScript, put together. What is imported late stays a module of its own.

import type { Plugin } from "npm:rollup@4";
import { compactModule } from "../npm/compact.ts";
import { transpile } from "../npm/emit.ts";
import { bundle, HEAD } from "../npm/shape.ts";
import { compacted, PROGRAM_LINE, TEXT_IMPORT } from "../npm/stage.ts";

const ROOT = new URL("../../", import.meta.url);

/** What a process begins with, and what users import: from the name of a file in the package to that of the source. */
const ENTRIES: Readonly<Record<string, string>> = {
  "mod.js": "mod.ts",
  "src/main.js": "src/cli/main.ts",
  "src/worker.js": "src/cli/worker.ts",
  "src/worker_by_name.js": "src/cli/worker_by_name.ts",
  "src/preload.js": "src/engine/preload.ts",
};

/**
 * Deno reads every module that is named, also one that is imported late, before a process begins. Smaller ones are put into
 * others, which saves 5 % of the time to the first answer.
 */
const FEWEST_BYTES = 12_000;

/** A module that is the text of a file. */
const TEXT = "?text";

/** Stands at the end of mod.js. In a module that is put together, `import.meta.main` may be that of another one. */
const OWN_PROGRAM = 'if (import.meta.main) import("./src/main.js").then(({ main }) => main());\n';

/** How worker_by_name.ts names mod.ts for permissions. It must be named as it is, not what it is put together with. */
const NAMED = { from: 'import("../../mod.ts")', to: 'import("../mod.js")' } as const;

/**
 * Writes the modules.
 *
 * @param into the package; its URL ends with a slash
 * @throws {Error} if a source does not have what is replaced
 */
export async function writeModules(into: URL): Promise<void> {
  const entries = Object.entries(ENTRIES).map(([output, path]) => [output, new URL(path, ROOT).pathname]);
  const modules = await bundle(Object.fromEntries(entries), { plugins: [sources()], fewestBytes: FEWEST_BYTES });
  for (const { fileName, code } of modules) {
    const isMod = fileName === "mod.js";
    const text = HEAD + (isMod ? '// @ts-self-types="./mod.d.ts"\n' : "") + code + (isMod ? OWN_PROGRAM : "");
    const url = new URL(fileName, into);
    await Deno.mkdir(new URL("./", url), { recursive: true });
    await Deno.writeTextFile(url, await compactModule(text));
  }
}

/** Gives the bundler the sources as JavaScript, and texts that are imported as modules. */
function sources(): Plugin {
  return {
    name: "sources",
    resolveId(id, importer) {
      if (id === "../mod.js") return { id, external: true };
      if (importer === undefined || !id.startsWith(".")) return null;
      return new URL(id.endsWith(TEXT) ? id : id.replace(/\.js$/, ".ts"), `file://${importer}`).href.slice(
        "file://".length,
      );
    },
    async load(id) {
      if (id.endsWith(TEXT)) {
        return `export default ${JSON.stringify(await compacted(new URL(`file://${id.slice(0, -TEXT.length)}`)))};\n`;
      }
      return transpile(await read(new URL(`file://${id}`)));
    },
  };
}

async function read(source: URL): Promise<string> {
  const text = await Deno.readTextFile(source);
  if (source.href === new URL("mod.ts", ROOT).href) return replaced(text, PROGRAM_LINE, "");
  if (source.pathname.endsWith("/worker_by_name.ts")) return replaced(text, NAMED.from, NAMED.to);
  return text.replace(TEXT_IMPORT, `import $1 from "$2${TEXT}";`);
}

function replaced(text: string, from: string | RegExp, to: string): string {
  const next = text.replace(from, to);
  if (next === text) throw new Error(`expected ${from} in the source, it is not there; see scripts/jsr/modules.ts`);
  return next;
}
