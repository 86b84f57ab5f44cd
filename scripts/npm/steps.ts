// The steps that both builders of the npm package share.

import { DOCUMENTS, MANIFEST, MODULES, PLAIN_FILES, README, TYPES } from "./package.ts";
import { shape } from "./shape.ts";
import { nameOf, stage } from "./stage.ts";

/**
 * The directory that a builder writes.
 *
 * @param args of its command line: a directory, or nothing for the usual one
 * @param usual the name of that, in the root of the sources
 * @returns its URL, with a slash at the end
 */
export function outputOf([directory]: readonly string[], usual: "npm" | "jsr"): URL {
  if (directory === undefined) return new URL(`../../${usual}/`, import.meta.url);
  return new URL(`${directory.replace(/\/$/, "")}/`, `file://${Deno.cwd()}/`);
}

/**
 * Makes a directory that is empty.
 *
 * @param directory what is in it is removed
 */
export async function emptyDir(directory: URL | string): Promise<void> {
  try {
    await Deno.remove(directory, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  await Deno.mkdir(directory, { recursive: true });
}

/**
 * Makes the staged tree in a temporary directory, which is removed afterwards.
 *
 * @param build what is done with it; gets its URL
 */
export async function stageIn(build: (staged: URL) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "weft-npm-" });
  try {
    const staged = new URL(`file://${directory}/`);
    await stage(staged);
    await build(staged);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/**
 * Installs the packages whose types the sources need.
 *
 * @param directory in which node_modules is made
 */
export async function installTypes(directory: URL): Promise<void> {
  const dependencies = { ...MANIFEST.dependencies, ...MANIFEST.peerDependencies, ...TYPES };
  await writeJson(new URL("package.json", directory), { private: true, type: "module", dependencies });
  await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"], directory);
}

/**
 * Shapes what a builder has emitted, and adds what neither builder makes: the manifest, documents, and files that are copied as they are.
 *
 * @param staged the staged tree
 * @param into the package
 */
export async function finish(staged: URL, into: URL): Promise<void> {
  await shape(into);
  for (const path of PLAIN_FILES) await copy(new URL(path, staged), new URL(`${MODULES}/src/${nameOf(path)}`, into));
  for (const path of DOCUMENTS) await copy(new URL(path, staged), new URL(path, into));
  await copy(README, new URL("README.md", into));
  await writeJson(new URL("package.json", into), MANIFEST);
}

/**
 * Copies a file.
 *
 * @param from the file
 * @param to the URL of its copy; the directory may be missing
 */
export async function copy(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(new URL("./", to), { recursive: true });
  await Deno.copyFile(from, to);
}

/**
 * Writes a file of JSON.
 *
 * @param url the file
 * @param value its content
 */
export async function writeJson(url: URL, value: unknown): Promise<void> {
  await Deno.writeTextFile(url, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Runs a program to its end.
 *
 * @param command its name
 * @param args its arguments
 * @param cwd its working directory
 * @throws {Error} with what it wrote to stderr and stdout, if it fails
 */
export async function run(command: string, args: readonly string[], cwd: URL): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], cwd, stdin: "null" }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(`${command} ${args.join(" ")} failed\n${decoder.decode(stderr)}${decoder.decode(stdout)}`);
}
