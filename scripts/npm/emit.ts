// Makes JavaScript and declarations of the staged tree, with the TypeScript of npm. Its types are checked against those of Node.

import ts from "npm:typescript@5.9.3";
import { ENTRIES, MODULES } from "./package.ts";

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  lib: [
    "lib.es2023.d.ts",
    "lib.es2024.string.d.ts", // Node 20 has toWellFormed
    "lib.esnext.disposable.d.ts",
    "lib.dom.d.ts",
    "lib.dom.iterable.d.ts",
    "lib.dom.asynciterable.d.ts",
  ],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ["node"],
  strict: true,
  noImplicitOverride: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  isolatedModules: true,
  noEmitOnError: true,
  stripInternal: true,
  newLine: ts.NewLineKind.LineFeed,
};

/** `from "./x.ts"`, `import "./x.ts"` and `import("./x.ts")`. */
const TS_SPECIFIER = /(\bfrom\s*|\bimport\s*\(?\s*)"(\.{1,2}\/[^"]+)\.ts"/g;

/**
 * Compiles the staged tree.
 *
 * @param from the tree, with node_modules for the types; its URL ends with a slash
 * @param into the package
 * @throws {Error} with the errors of TypeScript, if there are any
 */
export async function emit(from: URL, into: URL): Promise<void> {
  const [directory, outDir] = [from.pathname, new URL(`${MODULES}/`, into).pathname];
  const roots = ENTRIES.map(({ path }) => `${directory}${path}`);
  const output = compile(roots, { ...OPTIONS, rootDir: directory, outDir, declaration: true }, directory);
  for (const [path, text] of output) {
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
}

/** The files that the compiler writes, by path. */
type Output = Map<string, string>;

function compile(roots: readonly string[], options: ts.CompilerOptions, directory: string): Output {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getCurrentDirectory = () => directory;
  host.getSourceFile = (path, version, onError) => {
    if (!path.startsWith(directory) || path.includes("/node_modules/")) return read(path, version, onError);
    const text = ts.sys.readFile(path);
    return text === undefined ? undefined : ts.createSourceFile(path, withEmittedNames(text), version, true);
  };
  const output: Output = new Map();
  const program = ts.createProgram(roots, options, host);
  const { diagnostics } = program.emit(undefined, (path, text) => output.set(path, text));
  const problems = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (problems.length > 0) throw new Error(ts.formatDiagnostics(problems, host));
  return output;
}

/** Node loads what the compiler writes, so imports have to name that. */
function withEmittedNames(text: string): string {
  return text.replace(TS_SPECIFIER, '$1"$2.js"');
}

/**
 * Makes JavaScript of one module, without a look at its types.
 *
 * @param text of the module
 * @returns what Node can run
 */
export function transpile(text: string): string {
  const compilerOptions = {
    ...OPTIONS,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
  };
  return ts.transpileModule(withEmittedNames(text), { compilerOptions }).outputText;
}
