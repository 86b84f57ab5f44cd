// Builds the npm package with `@deno/dnt`, for a release. dnt comes from JSR:
//
//   deno run -A --import-map=scripts/npm/dnt.json scripts/build_npm.ts [directory]
//
// Without the import map a stand-in takes its place (scripts/npm/dnt_stand_in.ts), so that this file is checked and run on
// machines that do not reach JSR.

import { build, emptyDir } from "@deno/dnt";
import { ENTRIES, MANIFEST, TYPES } from "./npm/package.ts";
import { finish, outputOf, stageIn } from "./npm/steps.ts";

const out = outputOf(Deno.args, "npm");

/** What a bare name in the staged tree stands for. dnt writes the bare name again. */
const IMPORTS = {
  "multipasta/Search": `npm:multipasta@${MANIFEST.dependencies.multipasta}/Search`,
  "@redis/client": `npm:@redis/client@${MANIFEST.peerDependencies["@redis/client"]}`,
};

await stageIn(async (staged) => {
  const importMap = new URL("imports.json", staged);
  await Deno.writeTextFile(importMap, JSON.stringify({ imports: IMPORTS }));
  await emptyDir(out.pathname);
  await build({
    entryPoints: ENTRIES.map(({ kind, name, path }) => ({
      kind: kind === "bin" ? "bin" : "export",
      name,
      path: `${staged.pathname}${path}`,
    })),
    outDir: out.pathname,
    importMap: importMap.pathname,
    shims: {},
    test: false,
    esModule: true,
    scriptModule: false,
    declaration: "inline",
    declarationMap: false,
    skipSourceOutput: true,
    compilerOptions: { stripInternal: true, target: "ES2022", lib: ["ESNext", "DOM", "DOM.Iterable"] },
    package: {
      name: MANIFEST.name,
      version: MANIFEST.version,
      dependencies: MANIFEST.dependencies,
      peerDependencies: MANIFEST.peerDependencies,
      devDependencies: TYPES,
    },
  });
  await finish(staged, out);
  // What dnt has put beside the package.
  for (const name of ["node_modules", "package-lock.json", ".npmignore"]) await removeIfThere(new URL(name, out));
});
console.log(`built ${out.pathname}`);

async function removeIfThere(url: URL): Promise<void> {
  try {
    await Deno.remove(url, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
