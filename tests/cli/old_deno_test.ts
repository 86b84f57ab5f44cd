// What real old versions of Deno say at the start. 2.7 cannot load modules that import text.

import assert from "node:assert/strict";
import { fromFileUrl } from "../helpers/paths.ts";

const MOD = new URL("../../mod.ts", import.meta.url);
const LIBRARY = `
  import { serve } from ${JSON.stringify(MOD.href)};
  try {
    await serve({ port: 0 }, () => new Response()).shutdown();
  } catch (error) {
    console.log(error.constructor.name, error.message);
  }
`;

const isInCi = Deno.env.get("CI") === "true" && Deno.build.os !== "windows";
if (!isInCi) console.log("skipped, old versions of Deno are fetched only if CI=true, and not on Windows");

/** Runs Deno with these arguments, to its end. */
type Run = (...args: string[]) => Promise<{ code: number; stdout: string; stderr: string }>;

for (const version of ["2.7.1", "2.8.3"]) {
  const problem = `Deno 2.9 or later is needed, and this is Deno ${version}. ` +
    'Run "deno upgrade", or use "npx -y deno@2" instead of "deno".\n';

  oldDenoTest(version, "cannot run the program: one line, and exit code 2", async (run) => {
    for (const args of [[], ["--workers", "2"], ["ctl", "status"]]) {
      const { code, stdout, stderr } = await run(fromFileUrl(MOD), ...args);
      assert.deepEqual({ code, stdout, stderr }, { code: 2, stdout: "", stderr: `weft: ${problem}` });
    }
  });

  oldDenoTest(version, "can import the library, and serve() throws", async (run, directory) => {
    await Deno.writeTextFile(`${directory}/library.ts`, LIBRARY);
    const { code, stdout, stderr } = await run(`${directory}/library.ts`);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: `Error serve: ${problem}`, stderr: "" });
  });
}

/** Registers a test that calls with this version of Deno, and with a directory of its own. */
function oldDenoTest(version: string, what: string, call: (run: Run, directory: string) => Promise<void>): void {
  Deno.test({
    name: `Deno ${version} ${what}`,
    ignore: !isInCi,
    async fn() {
      // With a cache of its own: versions do not share one while tests run.
      const directory = await Deno.makeTempDir();
      const env = {
        NO_COLOR: "1",
        DENO_NO_UPDATE_CHECK: "1",
        DENO_DIR: `${directory}/cache`,
        npm_config_loglevel: "error",
      };
      try {
        await call(async (...args) => {
          const command = ["--update-notifier=false", "-y", `deno@${version}`, "run", "-A", "--quiet", ...args];
          const { code, stdout, stderr } = await new Deno.Command("npx", { args: command, env }).output();
          return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
        }, directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}
