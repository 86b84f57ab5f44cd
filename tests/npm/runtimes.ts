// The installed package on other runtimes than those that it is made for: Deno, Bun, and a Node that is too old.

import assert from "node:assert/strict";
import { install, type Installed, packageTest } from "../helpers/npm_package.ts";
import { start } from "../helpers/program.ts";
import { supervise } from "../helpers/supervised.ts";

/** Registers the tests. */
export function runtimesTests(): void {
  packageTest("Workers of the npm package serve and reload on Deno", async (own) => {
    await serveWithWorkers(own, [Deno.execPath(), "run", "-A"]);
  });

  packageTest("Workers of the npm package serve and reload on Bun", async (own) => {
    await install(own.directory, "bun@1.4.5");
    await serveWithWorkers(own, [`${own.directory}/node_modules/.bin/bun`]);
  });

  packageTest("A Node that is too old ends the program with 2 and one line", async (own) => {
    await install(own.directory, "node@18");
    own.write("app.js", 'export default () => new Response("not reached");\n');
    const command = [`${own.directory}/node_modules/node/bin/node`, own.program];
    await using program = start(["app.js"], { cwd: own.directory, command });
    const { code, stderr } = await program.ended;
    assert.match(stderr, /^weft: Node 20 or later is needed, and this is Node 18\.[^\n]*\n$/);
    assert.equal(code, 2);
  });
}

async function serveWithWorkers(own: Installed, runtime: string[]): Promise<void> {
  own.write("app.js", "export default () => new Response(`hello from ${process.pid}`);\n");
  // The link in .bin has no ending, by which Deno tells an ES module.
  const program = `${own.directory}/node_modules/@weft/engine/esm/src/bin.js`;
  await using running = await supervise(["-w", "2", "app.js"], { cwd: own.directory, command: [...runtime, program] });
  await running.atStrength(2);
  const url = await running.url();
  assert.match(await (await fetch(url)).text(), /^hello from \d+$/);
  assert.ok((await running.ask({ ask: "reload" })).ok);
  await running.atStrength(2);
  assert.match(await (await fetch(url)).text(), /^hello from \d+$/);
  assert.equal((await running.stop()).code, 0);
}
