// Stands in for `@deno/dnt` if JSR cannot be reached: the parts that build_npm.ts uses, with the types that dnt gives them.
// It checks what dnt would refuse, and emits with the TypeScript of npm.

import { emit } from "./emit.ts";
import { emptyDir as makeEmpty, installTypes } from "./steps.ts";

/** A module that is exported, or linked as a program. */
export interface EntryPoint {
  kind?: "bin" | "export";
  name: string;
  path: string;
}

/** What build_npm.ts gives. */
export interface BuildOptions {
  entryPoints: (string | EntryPoint)[];
  outDir: string;
  importMap?: string;
  shims: Record<string, never>;
  test?: boolean;
  esModule?: boolean;
  scriptModule?: "cjs" | "umd" | false;
  declaration?: "inline" | "separate" | false;
  declarationMap?: boolean;
  skipSourceOutput?: boolean;
  compilerOptions?: {
    stripInternal?: boolean;
    target?: "ES2021" | "ES2022" | "ES2023";
    lib?: ("ESNext" | "DOM" | "DOM.Iterable")[];
  };
  package: {
    name: string;
    version: string;
    dependencies?: Record<string, string>;
    peerDependencies?: Record<string, string>;
    devDependencies?: Record<string, string>;
  };
}

/**
 * Makes a directory that is empty.
 *
 * @param directory its path
 */
export async function emptyDir(directory: string): Promise<void> {
  await makeEmpty(directory);
}

/**
 * Builds a package.
 *
 * @param options as for dnt
 */
export async function build(options: BuildOptions): Promise<void> {
  const entries = options.entryPoints.map((entry) => typeof entry === "string" ? entry : entry.path);
  for (const path of entries) if (!(await Deno.stat(path)).isFile) throw new Error(`${path} is not a file`);
  const [main] = entries;
  if (main === undefined) throw new Error("there is no entry point");
  const staged = new URL("./", `file://${main}`);
  await checkImports(staged, options.importMap);
  await installTypes(staged);
  await emit(staged, new URL(`file://${options.outDir}`));
}

/** Throws if a module imports a package that the import map does not have: dnt could not resolve it. */
async function checkImports(directory: URL, importMap: string | undefined): Promise<void> {
  const { imports } = importMap === undefined ? { imports: {} } : JSON.parse(await Deno.readTextFile(importMap));
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const url = new URL(isDirectory ? `${name}/` : name, directory);
    if (isDirectory) await checkImports(url, importMap);
    if (!name.endsWith(".ts")) continue;
    const text = await Deno.readTextFile(url);
    for (const [, specifier = ""] of text.matchAll(/^(?:import|export)[^;"]*?from "([^".][^"]*)"/gm)) {
      const isKnown = specifier.startsWith("node:") || Object.hasOwn(imports, specifier);
      if (!isKnown) throw new Error(`${url.pathname} imports ${specifier}, which the import map does not have`);
    }
  }
}
