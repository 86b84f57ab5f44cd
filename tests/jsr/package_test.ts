// The package for JSR, as `deno task jsr` builds it: what can be published, its types, and the program.

import assert from "node:assert/strict";
import { projectForJsr, runProgramTests } from "../../scripts/test_program.ts";
import { run } from "../helpers/npm_package.ts";

/** Tests of what may change when modules are put together. `deno task test:program jsr` runs the other files too. */
const FILES: readonly string[] = [
  "calls_deno_serve",
  "own_project",
  "program",
  "reload",
  "restart",
  "typed_app",
  "uncaught",
  "workers",
  "workers_rights",
].map((name) => `tests/cli/${name}_test.ts`);

const isCi = Deno.env.get("CI") === "true";
const NAME = "The package for JSR can be published, has types, and passes the tests of the program";

if (!isCi) console.log(`skipped, it installs from npm; set CI=true to run it: ${NAME}`);
Deno.test({ name: NAME, ignore: !isCi || Deno.build.os !== "linux" }, async (context) => {
  await using own = await projectForJsr();
  const { directory } = own;
  await context.step("It can be published", async () => {
    await run(`${directory}/jsr`, Deno.execPath(), "publish", "--dry-run", "--allow-dirty", "--quiet");
  });
  await context.step("An application that misuses it does not pass the type checker", async () => {
    await Deno.writeTextFile(
      `${directory}/typed.ts`,
      `import { serve, type ServeOptions } from "./jsr/mod.js";
import "./jsr/src/preload.js";
const options: ServeOptions = { port: 0 };
serve(options, (request) => new Response(request.url));
// @ts-expect-error: a port is a number
serve({ port: "0" }, () => new Response());
`,
    );
    await run(directory, Deno.execPath(), "check", "typed.ts");
  });
  await context.step("What its README shows passes the type checker", async () => {
    const text = await Deno.readTextFile(`${directory}/jsr/README.md`);
    const shown = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => code);
    assert.equal(shown.length, 3);
    for (const [nr, code] of shown.entries()) {
      await Deno.writeTextFile(`${directory}/shown.ts`, code.replace('"@weft/engine"', '"./jsr/mod.js"'));
      const checked = run(directory, Deno.execPath(), "check", "shown.ts");
      await checked.catch((error) => assert.fail(`block ${nr + 1}: ${error}`));
    }
  });
  await context.step("The program passes its tests", async () => {
    const { isGood, output } = await runProgramTests(directory, "jsr", FILES);
    console.log(output);
    assert.ok(isGood, "the tests above fail");
  });
});
