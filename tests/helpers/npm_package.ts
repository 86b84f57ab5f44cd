// The npm package: built once for a test file, installed as a user does, and run with several versions of Node.

import assert from "node:assert/strict";
import { fromFileUrl } from "./paths.ts";
import { start, type StartOptions } from "./program.ts";
import { nodeBeside } from "./runtime.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));

/** The versions of Node that are tested. */
export const NODES = ["20", "22", "24"] as const;
/** One of them. */
export type NodeVersion = typeof NODES[number];

/** The package where it was installed. */
export interface Installed extends AsyncDisposable {
  /** A project that has the package, and nothing else. */
  readonly directory: string;
  /** Path of the program `weft`. */
  readonly program: string;
  /** The packed package. */
  readonly tarball: string;
  /** Path of Node in a version. */
  node(version: NodeVersion): string;
  /** Writes a file of the project, and gives its path. */
  write(name: string, text: string): string;
}

/**
 * Builds the package, packs it and installs it in a new project, with versions of Node beside it.
 *
 * @param versions of Node
 * @returns the project; removed when it is disposed of
 */
export async function installed(versions: readonly NodeVersion[] = NODES): Promise<Installed> {
  const directory = await Deno.makeTempDir({ prefix: "weft-npm-test-" });
  const own = `${directory}/project`;
  Deno.mkdirSync(own);
  await run(ROOT, Deno.execPath(), "run", "-A", "scripts/npm/main.ts", `${directory}/npm/`);
  const packed = await run(`${directory}/npm`, "npm", "pack", "--silent", "--pack-destination", directory);
  const tarball = `${directory}/${packed.trim()}`;
  Deno.writeTextFileSync(`${own}/package.json`, '{ "private": true, "type": "module" }\n');
  await install(own, tarball);
  await Promise.all(versions.map(async (version) => {
    const place = `${directory}/node-${version}`;
    Deno.mkdirSync(place);
    Deno.writeTextFileSync(`${place}/package.json`, '{ "private": true }\n');
    await install(place, `node@${version}`);
  }));
  return {
    directory: own,
    program: `${own}/node_modules/.bin/weft`,
    tarball,
    node: (version) => nodeBeside(own, version),
    write(name, text) {
      const path = `${own}/${name}`;
      Deno.writeTextFileSync(path, text);
      return path;
    },
    [Symbol.asyncDispose]: async () => await Deno.remove(directory, { recursive: true }),
  };
}

/**
 * Installs packages in a project.
 *
 * @param directory of the project
 * @param packages their names or files
 */
export async function install(directory: string, ...packages: string[]): Promise<void> {
  await run(directory, "npm", "install", "--no-audit", "--no-fund", "--silent", ...packages);
}

/**
 * Runs a program to its end.
 *
 * @param cwd its working directory
 * @param command the program
 * @param args its arguments
 * @returns what it wrote to stdout
 */
export async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd, stdin: "null" }).output();
  const decoder = new TextDecoder();
  assert.ok(success, `${command} ${args.join(" ")}\n${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}

/**
 * Starts the installed program with a version of Node.
 *
 * @param own the project
 * @param version of Node
 * @param args of the program
 * @param options its surroundings
 * @returns the running program
 */
export function startOn(own: Installed, version: NodeVersion, args: string[], options: StartOptions = {}) {
  return start(args, { cwd: own.directory, ...options, command: [own.node(version), own.program] });
}

/** The project of this test file; made by the first test that runs. */
let shared: Promise<Installed> | null = null;

Deno.test.afterAll(async () => await (await shared)?.[Symbol.asyncDispose]());

/**
 * Registers a test of the installed package. It installs from npm, so it runs if CI=true.
 *
 * @param name of the test
 * @param fn gets the project, and the context of the test
 */
export function packageTest(name: string, fn: (own: Installed, context: Deno.TestContext) => Promise<void>): void {
  const isCi = Deno.env.get("CI") === "true";
  if (!isCi) console.log(`skipped, it installs from npm; set CI=true to run it: ${name}`);
  Deno.test({
    name,
    ignore: !isCi || Deno.build.os !== "linux",
    fn: async (context) => await fn(await (shared ??= installed()), context),
  });
}

/**
 * Registers a test of the installed package, with one part for each version of Node.
 *
 * @param name of the test
 * @param fn gets the project and the version
 */
export function nodeTest(name: string, fn: (own: Installed, version: NodeVersion) => Promise<void>): void {
  packageTest(name, async (own, context) => {
    for (const version of NODES) await context.step(`on Node ${version}`, () => fn(own, version));
  });
}
