// Runs the tests that start the program on Node, with the npm package as a user installs it:
//
//   deno task test:program [version of Node, 20 by default] [test files]
//
// The tests themselves run on Deno, and are those of `deno task test`: tests/helpers/runtime.ts tells them what to start.
// tests/npm/program.ts does the same in CI.

import { installed, NODES, type NodeVersion } from "../tests/helpers/npm_package.ts";
import { transpile } from "./npm/emit.ts";
import { startsProcess } from "./fast.ts";

const ROOT = new URL("../", import.meta.url);

/** Test files that are about Deno alone, and why. */
const OF_DENO: Readonly<Record<string, string>> = {
  "tests/cli/cached_test.ts": "Node runs nothing from a URL",
  "tests/cli/calls_deno_serve_test.ts": "Node has no Deno.serve",
  "tests/cli/old_deno_test.ts": "it is about versions of Deno",
  "tests/cli/own_lock_test.ts": "Node has no deno.lock",
  "tests/cli/own_project_test.ts": "Node has no deno.json",
  "tests/cli/odd_names_test.ts": "its applications are found through deno.json",
  "tests/cli/two_copies_test.ts": "its copies are of the sources",
  "tests/cli/replaced_response_test.ts": "its applications import npm: specifiers",
  "tests/cli/worker_modules_test.ts": "it counts modules of Deno",
  "tests/cli/workers_rights_test.ts": "Node has no such permissions",
};

/** The files of a run. */
export interface ProgramTests {
  readonly files: readonly string[];
  /** Each file that is left out, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
}

/**
 * The test files of tests/cli that start the program. Those elsewhere are about Deno, or about other programs.
 *
 * @returns their paths in this tree
 */
export function programTests(): ProgramTests {
  const all = Array.from(Deno.readDirSync(new URL("tests/cli/", ROOT)), ({ name }) => `tests/cli/${name}`).sort();
  const own = all.filter((path) => startsProcess(new URL(path, ROOT), Deno.readTextFileSync));
  return { files: own.filter((path) => OF_DENO[path] === undefined), leftOut: OF_DENO };
}

/**
 * Puts the applications of tests/fixtures into a project, as JavaScript that imports the package.
 *
 * @param project its directory
 */
export async function stageFixtures(project: string): Promise<void> {
  await Deno.mkdir(`${project}/fixtures`);
  for await (const { name } of Deno.readDir(new URL("tests/fixtures/", ROOT))) {
    if (!name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(new URL(`tests/fixtures/${name}`, ROOT));
    const own = transpile(text.replaceAll('"../../mod.ts"', '"@weft/engine"'));
    const path = `${project}/fixtures/${name.replace(/ts$/, "mjs")}`;
    await Deno.writeTextFile(path, own.replaceAll(/(from "\.\/\w+)\.js"/g, '$1.mjs"'));
  }
}

/**
 * Runs test files with the installed program.
 *
 * @param project that has the package and the fixtures
 * @param version of Node
 * @param files paths of tests in this tree
 * @returns how they ended, with what was printed
 */
export async function runOnNode(
  project: string,
  version: NodeVersion,
  files: readonly string[],
): Promise<{ isGood: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--lock=deno.lock", "--no-check", "--parallel", ...files],
    cwd: ROOT,
    env: { NO_COLOR: "1", WEFT_TEST_RUNTIME: `node@${version}`, WEFT_TEST_PROJECT: project },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { isGood: success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function main(): Promise<void> {
  const [version = "20", ...files] = Deno.args;
  const isKnown = (version: string): version is NodeVersion => NODES.some((known) => known === version);
  if (!isKnown(version)) throw new Error(`expected a version of Node out of ${NODES.join(", ")}, got ${version}`);
  const { files: all, leftOut } = programTests();
  await using own = await installed([version]);
  await stageFixtures(own.directory);
  for (const [path, why] of Object.entries(leftOut)) console.log(`left out, ${why}: ${path}`);
  const { isGood, output } = await runOnNode(own.directory, version, files.length > 0 ? files : all);
  console.log(output);
  Deno.exitCode = isGood ? 0 : 1;
}

if (import.meta.main) await main();
