// Makes the project in which Node's servers run: one version of Node, the built npm package, its peers, and the applications.
// All of it stands in the benchmark's temporary directory, and is installed anew for each run.

import { outputOf } from "./process.ts";

/** The servers, besides Weft. */
const PEERS = ["@hono/node-server", "srvx"];

/** What is installed. */
export interface NodeProject {
  /** Path of the program. */
  node: string;
  /** Path of Weft's program. */
  weft: string;
  /** Path of an application's file, made from the one of the same name in apps/. */
  pathOf(app: string): string;
  /** The version of Node or of a package. */
  versionOf(name: string): string;
}

/**
 * Makes the project.
 *
 * @param version of Node, such as "20"
 * @param options the directory that it is made in, and Hono's version
 * @returns what is installed
 */
export async function makeNodeProject(
  version: string,
  { dir, hono }: { dir: string; hono: string },
): Promise<NodeProject> {
  const own = `${dir}/node`;
  await Deno.mkdir(`${own}/apps`, { recursive: true });
  const builder = decodeURIComponent(new URL("../npm/main.ts", import.meta.url).pathname);
  await outputOf(Deno.execPath(), ["run", "--allow-all", "--no-lock", "--quiet", builder, `${dir}/npm`]);
  const tarball = await outputOf("npm", ["pack", `${dir}/npm`, "--silent", "--pack-destination", own]);
  await Deno.writeTextFile(`${own}/package.json`, '{ "private": true, "type": "module" }\n');
  const packages = [`node@${version}`, `${own}/${tarball}`, `hono@${hono}`, ...PEERS];
  await outputOf("npm", ["install", "--prefix", own, "--no-audit", "--no-fund", ...packages]);
  const versions = new Map<string, string>();
  for (const name of ["node", "@weft/engine", ...PEERS]) {
    versions.set(name, JSON.parse(await Deno.readTextFile(`${own}/node_modules/${name}/package.json`)).version);
  }
  await copyApps(`${own}/apps`);
  return {
    node: `${own}/node_modules/node/bin/node`,
    weft: `${own}/node_modules/@weft/engine/esm/src/bin.js`,
    pathOf: (app) => `${own}/apps/${app}.js`,
    versionOf: (name) => versions.get(name) ?? "of unknown version",
  };
}

/** Not every Node runs TypeScript, and none knows `npm:`. */
async function copyApps(into: string): Promise<void> {
  // Only `--node` needs TypeScript.
  const [{ transpile }, { withPackageNames }] = await Promise.all([
    import("../npm/emit.ts"),
    import("../npm/stage.ts"),
  ]);
  const from = new URL("apps/", import.meta.url);
  for await (const { name } of Deno.readDir(from)) {
    const text = transpile(withPackageNames(await Deno.readTextFile(new URL(name, from))));
    await Deno.writeTextFile(`${into}/${name.replace(/\.ts$/, ".js")}`, text);
  }
}
