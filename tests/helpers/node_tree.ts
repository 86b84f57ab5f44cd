// The sources and the tests as Node can run them: the platform is that of Node, and what tests use of Deno stands in
// deno_on_node.ts.

import { transpile } from "../../scripts/npm/emit.ts";
import { stage, withPackageNames } from "../../scripts/npm/stage.ts";
import { install } from "./npm_package.ts";

const root = new URL("../../", import.meta.url);

/** Packages from npm that the source and these tests import. */
const PACKAGES = ["multipasta@^0.2.8", "fast-check@^4", "ws@^8"];

/**
 * Makes the tree.
 *
 * @param directory an empty one
 * @param tests paths of the tests, such as `tests/wire/inbox_test.ts`
 * @returns arguments for Node that run these tests
 */
export async function makeNodeTree(directory: string, tests: readonly string[]): Promise<string[]> {
  const into = new URL(`file://${directory}/`);
  const staged = new URL("staged/", into);
  await stage(staged);
  for (const path of withImports(tests)) await copy(path, staged);
  for (const path of filesIn(staged, "")) {
    if (!path.endsWith(".ts") || path.endsWith(".d.ts")) continue;
    await write(new URL(path.replace(/\.ts$/, ".js"), into), transpile(await Deno.readTextFile(new URL(path, staged))));
  }
  await write(new URL("package.json", into), '{ "private": true, "type": "module" }\n');
  await install(directory, ...PACKAGES);
  return [
    `${directory}/tests/helpers/deno_on_node.js`,
    ...tests.map((path) => `${directory}/${path.replace(/\.ts$/, ".js")}`),
  ];
}

/** The tests, what replaces Deno, and what these import from tests/. */
function withImports(tests: readonly string[]): Set<string> {
  const paths = new Set([...tests, "tests/helpers/deno_on_node.ts"]);
  for (const path of paths) {
    const text = Deno.readTextFileSync(new URL(path, root));
    for (const [, specifier = ""] of text.matchAll(/\bfrom\s*"(\.[^"]+\.ts)"/g)) {
      const imported = new URL(specifier, new URL(path, root)).pathname.slice(root.pathname.length);
      if (imported.startsWith("tests/")) paths.add(imported);
    }
  }
  return paths;
}

async function copy(path: string, into: URL): Promise<void> {
  await write(new URL(path, into), withPackageNames(await Deno.readTextFile(new URL(path, root))));
}

function* filesIn(directory: URL, under: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(under, directory))) {
    if (isDirectory) yield* filesIn(directory, `${under}${name}/`);
    else yield under + name;
  }
}

async function write(url: URL, text: string): Promise<void> {
  await Deno.mkdir(new URL("./", url), { recursive: true });
  await Deno.writeTextFile(url, text);
}
