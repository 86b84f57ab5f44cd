// The installed package on other runtimes than those that it is made for: Deno, Bun, and a Node that is too old.

import assert from "node:assert/strict";
import { install, type Installed, packageTest } from "../helpers/npm_package.ts";
import { start } from "../helpers/program.ts";
import { supervise } from "../helpers/supervised.ts";

/** Registers the tests. */
export function runtimesTests(): void {
  packageTest("The npm package serves and reloads on Deno, with workers and without", async (own) => {
    const deno = [Deno.execPath(), "run", "-A"];
    await serveAlone(own, deno);
    await serveWithWorkers(own, deno);
  });

  packageTest("The npm package serves and reloads on Bun, with workers and without", async (own) => {
    await install(own.directory, "bun@1.4.5");
    const bun = [`${own.directory}/node_modules/.bin/bun`];
    await serveAlone(own, bun);
    await serveWithWorkers(own, bun);
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

/** The link in .bin has no ending, by which Deno tells an ES module. */
function programOf(own: Installed): string {
  return `${own.directory}/node_modules/@weft/engine/esm/src/bin.js`;
}

/** More than the buffers of both ends hold. */
const LONG_BYTES = 16 * 1024 * 1024;

async function serveAlone(own: Installed, runtime: string[]): Promise<void> {
  own.write(
    "app.js",
    `export default async (request) => new Response(new Uint8Array(${LONG_BYTES}).fill((await request.bytes()).length));\n`,
  );
  await using running = start(["-p", "0", "app.js"], { cwd: own.directory, command: [...runtime, programOf(own)] });
  const response = await fetch(await running.url(), { method: "POST", body: "seven b" });
  const bytes = await response.bytes();
  assert.equal(bytes.length, LONG_BYTES);
  assert.ok(bytes.every((byte) => byte === 7));
  running.kill("SIGTERM");
  assert.equal((await running.ended).code, 0);
}

async function serveWithWorkers(own: Installed, runtime: string[]): Promise<void> {
  own.write("app.js", "export default () => new Response(`hello from ${process.pid}`);\n");
  const command = [...runtime, programOf(own)];
  await using running = await supervise(["-w", "2", "app.js"], { cwd: own.directory, command });
  await running.atStrength(2);
  const url = await running.url();
  assert.match(await (await fetch(url)).text(), /^hello from \d+$/);
  assert.ok((await running.ask({ ask: "reload" })).ok);
  await running.atStrength(2);
  assert.match(await (await fetch(url)).text(), /^hello from \d+$/);
  assert.equal((await running.stop()).code, 0);
}
