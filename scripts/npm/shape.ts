// Shapes what a builder has emitted into what is published: a few dozen modules instead of hundreds, so that a start reads few
// files, and one file of declarations. What is imported late stays a module of its own. The code keeps the names of its functions,
// classes and members, and a line for each statement, so that stack traces stay useful.

import { type OutputChunk, type Plugin, rollup } from "npm:rollup@4";
import { dts } from "npm:rollup-plugin-dts@6";
import ts from "npm:typescript@5.9.3";
import { compactModule } from "./compact.ts";
import { ENTRIES, MANIFEST, MODULES } from "./package.ts";
import { emptyDir } from "./steps.ts";

/** What stands at the head of a published module. */
export const HEAD =
  `// ${MANIFEST.name} ${MANIFEST.version}, made of its sources without their comments. A formatter makes it readable.\n`;

/** Packages are not part of this one. */
const isPackage = (id: string): boolean => !id.startsWith(".") && !id.startsWith("/");

/**
 * Replaces the emitted files of a package.
 *
 * @param into the package; its URL ends with a slash
 */
export async function shape(into: URL): Promise<void> {
  const modules = new URL(`${MODULES}/`, into);
  const input = ENTRIES.map(({ path, output }) => [output, modules.pathname + path.replace(/\.ts$/, ".js")]);
  const code = await bundle(Object.fromEntries(input));
  const types = await bundleTypes(modules.pathname);
  const original = await Deno.readTextFile(new URL("mod.d.ts", modules));
  await emptyDir(modules);
  await Deno.mkdir(new URL("src/", modules));
  const bins = new Set(ENTRIES.filter(({ kind }) => kind === "bin").map(({ output }) => output));
  for (const { fileName, code: text } of code) {
    const isBin = bins.has(fileName);
    const url = new URL(fileName, modules);
    await Deno.writeTextFile(url, (isBin ? "#!/usr/bin/env node\n" : "") + HEAD + await compactModule(text));
    if (isBin) await Deno.chmod(url, 0o755);
  }
  await Deno.writeTextFile(new URL("mod.d.ts", modules), withoutInnerComments(types, original));
}

/** How modules are put together. */
interface BundleOptions {
  plugins?: Plugin[];
  /**
   * What is imported late and has fewer bytes is put into another module, if it does nothing when it is loaded.
   * @default {0}
   */
  fewestBytes?: number;
}

/**
 * Puts modules together.
 *
 * @param entries what processes begin with and users import: from the name of a file in the package to a path
 * @param options how
 * @returns the modules, not compacted
 */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  { plugins = [], fewestBytes = 0 }: BundleOptions = {},
): Promise<OutputChunk[]> {
  const input = Object.fromEntries(
    Object.entries(entries).map(([name, path]) => [name.replace(/\.js$/, ""), path]),
  );
  const built = await rollup({ input, external: isPackage, plugins, onwarn: refuse });
  const { output } = await built.generate({
    format: "es",
    entryFileNames: "[name].js",
    chunkFileNames: "src/[name].js",
    experimentalMinChunkSize: fewestBytes,
    minifyInternalExports: false,
    hoistTransitiveImports: false,
  });
  return output.filter((file) => file.type === "chunk");
}

async function bundleTypes(directory: string): Promise<string> {
  const built = await rollup({
    input: `${directory}mod.d.ts`,
    external: isPackage,
    plugins: [dts()],
    onwarn: refuse,
  });
  const { output: [{ code }] } = await built.generate({ format: "es" });
  return code;
}

function refuse({ message }: { message: string }): never {
  throw new Error(message);
}

/**
 * Leaves out the comments of what users cannot import. What the sources export as a type only is exported
 * so again: the bundler takes classes for values.
 */
function withoutInnerComments(text: string, original: string): string {
  const source = ts.createSourceFile("mod.d.ts", text, ts.ScriptTarget.ES2022, true);
  const { values, types } = exportsOf(original);
  const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });
  const parts: string[] = [];
  for (const statement of source.statements) {
    if (ts.isExportDeclaration(statement)) continue;
    const isPublic = namesOf(statement).some((name) => values.has(name) || types.has(name));
    parts.push(
      isPublic ? statement.getFullText(source).trim() : printer.printNode(ts.EmitHint.Unspecified, statement, source),
    );
  }
  parts.push(`export { ${[...values].sort().join(", ")} };`, `export type { ${[...types].sort().join(", ")} };\n`);
  return parts.join("\n").replaceAll(/^(?: {4})+/gm, (spaces) => "\t".repeat(spaces.length / 4));
}

/** The names that a statement declares. */
function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text);
  }
  const { name } = statement as ts.Statement & { name?: ts.Identifier };
  return name === undefined ? [] : [name.text];
}

/** What a module exports, all of it from others by name. */
function exportsOf(text: string): { values: Set<string>; types: Set<string> } {
  const [values, types] = [new Set<string>(), new Set<string>()];
  for (const statement of ts.createSourceFile("mod.d.ts", text, ts.ScriptTarget.ES2022).statements) {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) continue;
    for (const { name, isTypeOnly } of (statement.exportClause as ts.NamedExports).elements) {
      (statement.isTypeOnly || isTypeOnly ? types : values).add((name as ts.Identifier).text);
    }
  }
  return { values, types };
}
