// `deno task jsr [directory]`: builds the package for JSR, by default into jsr/. It is JavaScript in a few dozen modules, which
// Deno loads sooner than the sources. The declarations are those of the npm package.

import configuration from "../../deno.json" with { type: "json" };
import { emit } from "../npm/emit.ts";
import { DOCUMENTS, MODULES, PLAIN_FILES } from "../npm/package.ts";
import { copy, emptyDir, finish, installTypes, outputOf, stageIn, writeJson } from "../npm/steps.ts";
import { nameOf } from "../npm/stage.ts";
import { writeModules } from "./modules.ts";

const out = outputOf(Deno.args, "jsr");

await emptyDir(out);
await writeModules(out);
await stageIn(async (staged) => {
  const npm = new URL("npm/", staged);
  await installTypes(staged);
  await emptyDir(npm);
  await emit(staged, npm);
  await finish(staged, npm);
  const modules = new URL(`${MODULES}/`, npm);
  await copy(new URL("mod.d.ts", modules), new URL("mod.d.ts", out));
  for (const path of PLAIN_FILES) await copy(new URL(path, staged), new URL(`src/${nameOf(path)}`, out));
  for (const path of DOCUMENTS) await copy(new URL(path, staged), new URL(path, out));
});
await copy(new URL("README.md", import.meta.url), new URL("README.md", out));
const { name, version, license } = configuration;
await writeJson(new URL("deno.json", out), {
  name,
  version,
  license,
  exports: {
    ".": "./mod.js",
    "./preload": "./src/preload.js",
    "./progress-client": "./src/progress_client.js",
  },
  // What git ignores would be left out otherwise.
  publish: { exclude: ["!**"] },
});
console.log(`built ${out.pathname}; \`deno publish\` in it publishes it`);
