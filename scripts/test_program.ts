// Runs the tests that start the program, with a package as it is published in the place of this tree: the npm package on Node, or
// the package for JSR on Deno.
//
//   deno task test:program [version of Node, 20 by default, or jsr] [test files]
//
// The tests themselves run on Deno, and are those of `deno task test`: tests/helpers/runtime.ts tells them what to start.
// tests/npm/program.ts does the same in CI.

import { installed, NODES, type NodeVersion, run } from "../tests/helpers/npm_package.ts";
import { project } from "../tests/helpers/projects.ts";
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

/** Test files that the package for JSR is not tested with, and why. */
const OF_SOURCES: Readonly<Record<string, string>> = {
  "tests/cli/cached_test.ts": "it serves this tree from a URL",
  "tests/cli/old_deno_test.ts": "it looks into the sources",
  "tests/cli/own_lock_test.ts": "it copies this tree",
  "tests/cli/two_copies_test.ts": "its copies are of the sources",
  "tests/cli/worker_modules_test.ts": "it counts modules of the sources",
};

/** What a run tests: the npm package on a version of Node, or the package for JSR on Deno. */
export type Target = NodeVersion | "jsr";

/** The files of a run. */
export interface ProgramTests {
  readonly files: readonly string[];
  /** Each file that is left out, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
}

/**
 * The test files of tests/cli that start the program. Those elsewhere are about Deno, or about other programs.
 *
 * @param target what is tested
 * @returns their paths in this tree
 */
export function programTests(target: Target): ProgramTests {
  const all = Array.from(Deno.readDirSync(new URL("tests/cli/", ROOT)), ({ name }) => `tests/cli/${name}`).sort();
  const own = all.filter((path) => startsProcess(new URL(path, ROOT), Deno.readTextFileSync));
  const leftOut = target === "jsr" ? OF_SOURCES : OF_DENO;
  return { files: own.filter((path) => leftOut[path] === undefined), leftOut };
}

/**
 * Builds the package for JSR, with the applications of tests/fixtures beside it.
 *
 * @returns the project; removed when it is disposed of
 */
export async function projectForJsr(): Promise<AsyncDisposable & { readonly directory: string }> {
  const own = await project({});
  await run(ROOT.pathname, Deno.execPath(), "run", "-A", "scripts/jsr/main.ts", own.path("jsr"));
  await Deno.mkdir(own.path("fixtures"));
  for await (const { name, text } of fixtures()) {
    await Deno.writeTextFile(own.path(`fixtures/${name}`), text.replaceAll('"../../mod.ts"', '"../jsr/mod.js"'));
  }
  return own;
}

/**
 * Puts the applications of tests/fixtures into a project, as JavaScript that imports the package.
 *
 * @param project its directory
 */
export async function stageFixtures(project: string): Promise<void> {
  await Deno.mkdir(`${project}/fixtures`);
  for await (const { name, text } of fixtures()) {
    const own = transpile(text.replaceAll('"../../mod.ts"', '"@weft/engine"'));
    const path = `${project}/fixtures/${name.replace(/ts$/, "mjs")}`;
    await Deno.writeTextFile(path, own.replaceAll(/(from "\.\/\w+)\.js"/g, '$1.mjs"'));
  }
}

async function* fixtures(): AsyncGenerator<{ name: string; text: string }> {
  for await (const { name } of Deno.readDir(new URL("tests/fixtures/", ROOT))) {
    if (name.endsWith(".ts")) yield { name, text: await Deno.readTextFile(new URL(`tests/fixtures/${name}`, ROOT)) };
  }
}

/**
 * Runs test files with a package.
 *
 * @param project that has the package and the fixtures
 * @param target what is tested
 * @param files paths of tests in this tree
 * @returns how they ended, with what was printed
 */
export async function runProgramTests(
  project: string,
  target: Target,
  files: readonly string[],
): Promise<{ isGood: boolean; output: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--lock=deno.lock", "--no-check", "--parallel", ...files],
    cwd: ROOT,
    env: { NO_COLOR: "1", WEFT_TEST_RUNTIME: target === "jsr" ? target : `node@${target}`, WEFT_TEST_PROJECT: project },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { isGood: success, output: decoder.decode(stdout) + decoder.decode(stderr) };
}

async function main(): Promise<void> {
  const [target = "20", ...named] = Deno.args;
  const isKnown = (target: string): target is Target => target === "jsr" || NODES.some((known) => known === target);
  if (!isKnown(target)) throw new Error(`expected a version of Node out of ${NODES.join(", ")}, or jsr, got ${target}`);
  const { files, leftOut } = programTests(target);
  for (const [path, why] of Object.entries(leftOut)) console.log(`left out, ${why}: ${path}`);
  await using own = await projectFor(target);
  const { isGood, output } = await runProgramTests(own.directory, target, named.length > 0 ? named : files);
  console.log(output);
  Deno.exitCode = isGood ? 0 : 1;
}

async function projectFor(target: Target): Promise<AsyncDisposable & { readonly directory: string }> {
  if (target === "jsr") return await projectForJsr();
  const own = await installed([target]);
  await stageFixtures(own.directory);
  return own;
}

if (import.meta.main) await main();
