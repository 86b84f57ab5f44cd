// What frameworks build for Deno is served as it stands, with workers. Installs from npm, so it runs if CI=true.

import assert from "node:assert/strict";
import { project } from "./helpers/projects.ts";
import { hasProgram, unixTest } from "./helpers/program.ts";
import { supervise } from "./helpers/supervised.ts";

/** Registers a test that installs and builds for some 20 s. */
function buildTest(name: string, fn: () => Promise<void>): void {
  const isCi = Deno.env.get("CI") === "true";
  if (!isCi) console.log(`skipped, it installs from npm; set CI=true to run it: ${name}`);
  unixTest(name, async () => {
    if (isCi && await hasProgram("npm")) await fn();
  });
}

async function run(cwd: string, command: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args, cwd }).output();
  const text = new TextDecoder();
  assert.ok(success, `${command} ${args.join(" ")}\n${text.decode(stdout)}${text.decode(stderr)}`);
}

buildTest("Nitro's output for Deno (preset deno-server) is served, and reloaded", async () => {
  await using own = await project({
    "package.json": JSON.stringify({ private: true, type: "module", dependencies: { nitropack: "2.13.6" } }),
    "nitro.config.ts":
      'export default defineNitroConfig({ srcDir: "server", preset: "deno-server", compatibilityDate: "2025-06-01" });',
    "server/routes/index.ts": 'export default defineEventHandler(() => "hello from Nitro");',
    "server/routes/echo.post.ts": "export default defineEventHandler((event) => readBody(event));",
  });
  await run(own.directory, "npm", "install", "--no-audit", "--no-fund");
  await run(own.directory, "npx", "nitropack", "build");
  await using program = await supervise(["-w", "2", own.path(".output/server/index.mjs")]);
  await program.atStrength(2);
  const url = await program.url();
  assert.equal(await (await fetch(url)).text(), "hello from Nitro");
  const echo = { method: "POST", body: '{"warp":1}', headers: { "content-type": "application/json" } };
  assert.deepEqual(await (await fetch(`${url}/echo`, echo)).json(), { warp: 1 });
  assert.ok((await program.ask({ ask: "reload" })).ok);
  assert.equal(await (await fetch(url)).text(), "hello from Nitro");
  assert.equal((await program.stop()).code, 0);
});
