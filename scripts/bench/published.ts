// Weft as it is published for Deno: JavaScript in a few dozen modules. It is built once for a run, into the benchmark's directory.

import { writeModules } from "../jsr/modules.ts";

/** The paths of the package. */
interface Published {
  /** The program, and what applications import. */
  readonly mod: string;
  /** The server of apps/weft.ts, with that import. */
  readonly server: string;
}

let building: Promise<Published> | null = null;

/**
 * Builds it, if that was not done before.
 *
 * @param dir the benchmark's directory
 * @returns paths
 */
export function published(dir: string): Promise<Published> {
  return building ??= build(dir);
}

async function build(dir: string): Promise<Published> {
  const into = new URL(`file://${dir}/jsr/`);
  await writeModules(into);
  const apps = new URL("apps/", import.meta.url);
  const text = await Deno.readTextFile(new URL("weft.ts", apps));
  const server = `${dir}/weft_published.ts`;
  await Deno.writeTextFile(
    server,
    text.replaceAll("../../../mod.ts", `${into}mod.js`).replaceAll(/"\.\/(\w+\.ts)"/g, `"${apps}$1"`),
  );
  return { mod: `${dir}/jsr/mod.js`, server };
}
