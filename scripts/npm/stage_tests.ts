// Stages the tests beside the staged sources, as JavaScript that Node runs: `Deno` becomes a stand-in that is imported, and what a
// test imports of Deno's platform becomes Node's. Types are not checked; `deno check` has done that.

import { transpile } from "./emit.ts";

const root = new URL("../../", import.meta.url);

/** What the tests find in the place of `Deno`, and of what Node 20 lacks. */
const STAND_INS = "tests/on_node/";

/** `from "npm:name@range/path"`: the parts are the name, the range and the path. */
const NPM_SPECIFIER = /(?<=\bfrom |\bimport\()"npm:((?:@[^/"]+\/)?[^@/"]+)(?:@([^/"]+))?((?:\/[^"]+)?)"/g;

/**
 * Makes JavaScript of the staged sources and of the tests.
 *
 * @param into the staged tree; its URL ends with a slash
 * @returns the packages that the tests import, with their ranges
 */
export async function stageTests(into: URL): Promise<Record<string, string>> {
  for (const path of ["mod.ts", ...await filesIn(into, "src/")]) {
    if (path.endsWith(".ts")) await write(into, path, transpile(await Deno.readTextFile(new URL(path, into))));
  }
  const packages: Record<string, string> = {};
  for (const path of await filesIn(root, "tests/")) {
    const from = new URL(path, root);
    if (!path.endsWith(".ts")) {
      await Deno.mkdir(new URL("./", new URL(path, into)), { recursive: true });
      await Deno.copyFile(from, new URL(path, into));
      continue;
    }
    const text = (await Deno.readTextFile(from)).replaceAll(NPM_SPECIFIER, (_, name, range = "*", rest = "") => {
      packages[name] = range;
      return `"${name}${rest}"`;
    });
    await write(into, path, onNode(path, transpile(text)));
  }
  return packages;
}

/** Replaces what a test's module uses of Deno, and what Node 20 lacks. */
function onNode(path: string, text: string): string {
  if (path.startsWith(STAND_INS)) return text;
  const own = text
    .replaceAll('/platform/deno.js"', '/platform/node.js"')
    .replaceAll('/platform/deno_temporary.js"', '/platform/node_temporary.js"')
    .replaceAll(/\bdeno(Platform|TemporaryFiles)\b/g, "node$1")
    .replaceAll(/\b(?:Promise|Array)\.(withResolvers|fromAsync)\(/g, "newer.$1(");
  const up = "../".repeat(path.split("/").length - 1);
  const imports = [["Deno", "deno"], ["newer", "newer"], ["AsyncDisposableStack", "newer"]] as const;
  return imports.filter(([name]) => new RegExp(`\\b${name}\\b`).test(own))
    .map(([name, file]) => `import { ${name} } from "${up}${STAND_INS}${file}.js";\n`).join("") + own;
}

async function filesIn(tree: URL, directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(directory, tree))) {
    if (isDirectory) found.push(...await filesIn(tree, `${directory}${name}/`));
    else found.push(`${directory}${name}`);
  }
  return found.sort();
}

async function write(into: URL, path: string, text: string): Promise<void> {
  const url = new URL(path.replace(/\.ts$/, ".js"), into);
  await Deno.mkdir(new URL("./", url), { recursive: true });
  await Deno.writeTextFile(url, text);
}
