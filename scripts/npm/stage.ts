// Makes the tree of sources that the npm package is built from: what Deno alone has is replaced or left out.
// The result is TypeScript that both builders take as it is.

import { compactModule, compactStyles } from "./compact.ts";
import { DOCUMENTS, PLAIN_FILES } from "./package.ts";

const root = new URL("../../", import.meta.url);

/** Files that run in Deno only. The browser's modules are part of the package as text, or as they are. */
const LEFT_OUT =
  /(^|\/)deno_\w+\.ts$|^src\/platform\/deno\.ts$|^src\/engine\/preload\.ts$|^src\/cli\/worker_by_name\.ts$/;

/** Replaces what a line or a file says, if it is there; each of these must be found in the file. */
interface Change {
  readonly path: string;
  readonly from: string | RegExp;
  readonly to: string;
}

/** The line of mod.ts that makes it a program. */
export const PROGRAM_LINE = /\n\/\/ Not awaited here: [^\n]*\nif \(import\.meta\.main\)[^\n]*\n/;

const CHANGES: readonly Change[] = [
  // The program has a file of its own there.
  { path: "mod.ts", from: PROGRAM_LINE, to: "" },
  {
    path: "src/platform/runtime.ts",
    from: 'import { denoPlatform } from "./deno.ts";',
    to: 'import { nodePlatform } from "./node.ts";',
  },
  {
    path: "src/platform/runtime.ts",
    from: "platform: Platform = denoPlatform",
    to: "platform: Platform = nodePlatform",
  },
  // On Deno it is never needed, so it is not loaded there.
  {
    path: "src/engine/serve.ts",
    from: 'import("../message/fast_globals.ts").then(({ installFastGlobals }) => installFastGlobals());',
    to: "installFastGlobals();",
  },
  {
    path: "src/engine/serve.ts",
    from: 'import type { Handler } from "../message/handler.ts";',
    to:
      'import { installFastGlobals } from "../message/fast_globals.ts";\nimport type { Handler } from "../message/handler.ts";',
  },
  // What Deno keeps inside of a Response. Without it, the bundler leaves out what reads it.
  ...["innerPlace = findInner()", "fastPlaces = innerPlace === null ? null : findStatic(innerPlace)"].map((from) => ({
    path: "src/message/read_answer.ts",
    from: `const ${from};`,
    to: `const ${from.split(" ")[0]} = null as ${from.startsWith("inner") ? "symbol" : "StaticPlaces"} | null;`,
  })),
  // Node 20 has it, the types of TypeScript do not.
  ...["src/demo/lines.ts", "src/demo/state.ts"].map((path) => ({
    path,
    from: "ReadableStream.from(",
    to: "(ReadableStream as unknown as { from(items: AsyncIterable<string>): ReadableStream<string> }).from(",
  })),
  // Only permissions of Deno need that module.
  {
    path: "src/cli/run_supervisor.ts",
    from: /\/\*\* Never called\. It names[^\n]*\nexport const known = [^\n]*\n/,
    to: "",
  },
];

/** A version range belongs into package.json: `npm:name@^1.2/path` becomes `name/path`. */
const NPM_SPECIFIER = /(["'])npm:((?:@[^/"']+\/)?[^@/"']+)(?:@[^/"']+)?((?:\/[^"']+)?)\1/g;

/** `import css from "./page.css" with { type: "text" };` */
export const TEXT_IMPORT = /^import (\w+) from "([^"]+)" with \{ type: "text" \};$/gm;

/** The program of the package, and its place in the tree. */
const BIN = { from: "scripts/npm/bin.ts", to: "src/cli/bin.ts" } as const;

/**
 * Makes the tree.
 *
 * @param into an empty directory; its URL ends with a slash
 */
export async function stage(into: URL): Promise<void> {
  const open = new Set(CHANGES);
  for (const path of ["mod.ts", ...await sourcesIn("src/")]) {
    if (LEFT_OUT.test(path)) continue;
    let text = await Deno.readTextFile(new URL(path, root));
    for (const change of CHANGES) {
      if (change.path !== path) continue;
      const next = text.replace(change.from, change.to);
      if (next !== text) open.delete(change);
      text = next;
    }
    await write(new URL(path, into), await withTextModules(text, path, into));
  }
  const [lost] = open;
  if (lost !== undefined) throw new Error(`${lost.path} does not have what the npm package replaces: ${lost.from}`);
  const bin = await Deno.readTextFile(new URL(BIN.from, root));
  await write(new URL(BIN.to, into), bin.replaceAll('"../../src/', '"../'));
  for (const path of [...PLAIN_FILES, ...DOCUMENTS]) {
    await write(new URL(path, into), await compacted(new URL(path, root)));
  }
}

/** All modules in a directory, sorted, so that each build is the same. */
async function sourcesIn(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(directory, root))) {
    if (isDirectory) found.push(...await sourcesIn(`${directory}${name}/`));
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) found.push(`${directory}${name}`);
  }
  return found.sort();
}

/** Makes a module of each text that is imported: Node cannot import text. What the package has as a file is read from there. */
async function withTextModules(text: string, path: string, into: URL): Promise<string> {
  for (const [, , specifier = ""] of text.matchAll(TEXT_IMPORT)) {
    const from = new URL(specifier, new URL(path, root));
    const isFile = PLAIN_FILES.some((plain) => from.href === new URL(plain, root).href);
    await write(
      new URL(`${specifier}.text.ts`, new URL(path, into)),
      isFile
        ? 'import { readFileSync } from "node:fs";\n\n' +
          `export default readFileSync(new URL("./${nameOf(specifier)}", import.meta.url), "utf8");\n`
        : `export default ${JSON.stringify(await compacted(from))};\n`,
    );
  }
  return withPackageNames(text.replace(TEXT_IMPORT, 'import $1 from "$2.text.ts";'));
}

/**
 * Names packages as Node does: the ranges of their versions are left out.
 *
 * @param text of a module
 * @returns the module with other specifiers
 */
export function withPackageNames(text: string): string {
  return text.replace(NPM_SPECIFIER, '"$2$3"');
}

/**
 * Reads a file of the package. A browser does not need the comments.
 *
 * @param file its URL
 * @returns its text, without comments
 */
export async function compacted(file: URL): Promise<string> {
  const text = await Deno.readTextFile(file);
  if (file.pathname.endsWith(".js")) return await compactModule(text);
  return file.pathname.endsWith(".css") ? compactStyles(text) : text;
}

async function write(url: URL, text: string): Promise<void> {
  await Deno.mkdir(new URL("./", url), { recursive: true });
  await Deno.writeTextFile(url, text);
}

/**
 * The last part of a path.
 *
 * @param path of a file
 * @returns its name
 */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
