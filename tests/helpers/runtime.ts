// Which program the tests drive: on Deno this tree's or that of the package for JSR, or the installed npm package's on a version of
// Node. It is decided here and nowhere else. scripts/test_program.ts sets the two variables and runs the same test files.

import { fromFileUrl } from "./paths.ts";

/** The program as the tests start it. */
export interface Runtime {
  /** Such as "deno", "jsr" or "node 20". */
  readonly name: string;
  /** Node's major version; null on Deno. */
  readonly nodeMajor: number | null;
  /** What starts the program, without its arguments; null on Deno, whose flags depend on the test. */
  readonly command: readonly string[] | null;
  /** Path of the program's main module on Deno. */
  readonly program: string;
  /** What an application imports as this package. */
  readonly packageName: string;
  /** The ending of an application's file, without the dot: Node 20 does not run TypeScript. */
  readonly ending: "ts" | "mjs";
  /** The directory of the applications in tests/fixtures. */
  readonly fixtures: string;
}

/**
 * Path of Node beside a project that tests/helpers/npm_package.ts has made.
 *
 * @param project its directory
 * @param version of Node, such as "20"
 * @returns its path
 */
export function nodeBeside(project: string, version: string): string {
  return `${project}/../node-${version}/node_modules/node/bin/node`;
}

/** The runtime of this run. */
export const runtime: Runtime = read(Deno.env.get("WEFT_TEST_RUNTIME"), Deno.env.get("WEFT_TEST_PROJECT"));

/** @param name such as `node@20`; @param project in which the package and the fixtures are, with Node beside it */
function read(name: string | undefined, project: string | undefined): Runtime {
  if (name === undefined) {
    const module = new URL("../../mod.ts", import.meta.url);
    return {
      name: "deno",
      nodeMajor: null,
      command: null,
      program: fromFileUrl(module),
      packageName: module.href,
      ending: "ts",
      fixtures: fromFileUrl(new URL("../fixtures", import.meta.url)),
    };
  }
  if (name === "jsr" && project !== undefined) {
    return {
      name,
      nodeMajor: null,
      command: null,
      program: `${project}/jsr/mod.js`,
      packageName: `file://${project}/jsr/mod.js`,
      ending: "ts",
      fixtures: `${project}/fixtures`,
    };
  }
  const [, version] = /^node@(\d+)$/.exec(name) ?? [];
  if (version === undefined || project === undefined) {
    throw new Error(
      "expected WEFT_TEST_RUNTIME=node@20 or jsr, and WEFT_TEST_PROJECT; `deno task test:program` sets them",
    );
  }
  return {
    name: `node ${version}`,
    nodeMajor: Number(version),
    program: "",
    command: [nodeBeside(project, version), `${project}/node_modules/.bin/weft`],
    packageName: `file://${project}/node_modules/@weft/engine/esm/mod.js`,
    ending: "mjs",
    fixtures: `${project}/fixtures`,
  };
}

/**
 * The path of an application in tests/fixtures. On Node it is the same application as JavaScript.
 *
 * @param name without an ending, such as `app`
 * @returns its path
 */
export function fixture(name: string): string {
  return `${runtime.fixtures}/${name}.${runtime.ending}`;
}

/** Registers a test, as `Deno.test` does. */
export type Register = (name: string, fn: (test: Deno.TestContext) => Promise<void>) => void;

/**
 * Makes what registers tests of something that only Deno has, such as permissions. On Node they are skipped, with the reason.
 *
 * @param why what Node does not have
 * @param register how a test is registered on Deno
 * @returns what registers a test
 */
export function onDeno(why: string, register: Register = Deno.test): Register {
  if (runtime.nodeMajor === null) return register;
  return (name) => {
    console.log(`skipped on ${runtime.name}, ${why}: ${name}`);
    Deno.test({ name, ignore: true, fn() {} });
  };
}
