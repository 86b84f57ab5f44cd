// Real editors' saves of real files become changes, through the system's own watch.
// A test waits for what the system has seen, never for time; so nothing here depends on how fast it is.

import assert from "node:assert/strict";
import { platform } from "../../src/platform/runtime.ts";
import { watchForChanges } from "../../src/restart/watch_changes.ts";
import { denoTest, isOnNode } from "../helpers/deno_test.ts";
import { unixTest } from "../helpers/program.ts";
import { WatchedDirectory } from "../helpers/watched_directory.ts";

const APP = { "app.ts": "import './lib/a.ts'; export default () => new Response();", "lib/a.ts": "export {};" };

Deno.test("A save is told by the system's clock", async () => {
  await using directory = new WatchedDirectory(APP);
  const context = { ...platform, cwd: Deno.cwd(), log: () => {}, sources: await platform.loadSources() };
  await using changes = await watchForChanges({ app: `${directory.path}/app.ts`, delayMs: 10 }, context);
  const told = changes[Symbol.asyncIterator]().next();
  directory.write("lib/a.ts", "export const a = 1;");
  assert.deepEqual((await told).value, { paths: [`${directory.path}/lib/a.ts`] });
});

Deno.test("A file saved again as it was is no change, also the first time", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts" });
  directory.write("app.ts", APP["app.ts"]);
  directory.write("lib/a.ts", "export const a = 1;");
  await directory.untilSeen("app.ts", "lib/a.ts");
  assert.deepEqual(await directory.change(), ["lib/a.ts"]);
});

Deno.test("A save beside the file and over it is one change, every time", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts" });
  for (const text of ["export const a = 1;", "export const a = 2;"]) {
    directory.write("lib/a.ts.tmp.812", text);
    directory.rename("lib/a.ts.tmp.812", "lib/a.ts");
    await directory.untilSeen("lib/a.ts");
    assert.deepEqual(await directory.change(), ["lib/a.ts"]);
  }
});

Deno.test("An editor's backup is no change", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts" });
  directory.rename("lib/a.ts", "lib/a.ts~");
  directory.write("lib/a.ts", "export const a = 1;");
  await directory.untilSeen("lib/a.ts", "lib/a.ts~");
  assert.deepEqual(await directory.change(), ["lib/a.ts"]);
});

Deno.test("Two hundred files at once are one change", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts" });
  const names = Array.from({ length: 200 }, (_, nr) => `lib/${nr}.ts`);
  for (const name of names) directory.write(name, name);
  await directory.untilSeen(...names);
  assert.deepEqual(await directory.change(), names.sort());
  directory.write("app.ts", "");
  await directory.untilSeen("app.ts");
  assert.deepEqual(await directory.change(), ["app.ts"]);
});

Deno.test("A file in a fresh nested directory is seen at once, and every save of it after", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts", directories: [""] });
  directory.write("views/partial/head.html", "<h1>");
  await directory.untilSeen("views");
  assert.deepEqual(await directory.change(), ["views/partial/head.html"]);
  directory.write("views/partial/head.html", "<h2>");
  await directory.untilSeen("views/partial/head.html");
  assert.deepEqual(await directory.change(), ["views/partial/head.html"]);
});

Deno.test("Packages are not watched", async () => {
  await using directory = new WatchedDirectory({ ...APP, "node_modules/x/index.js": "" });
  const { directories } = await directory.watch({ app: "app.ts", directories: [""] });
  assert.deepEqual(directories, [directory.path, `${directory.path}/lib`]);
});

Deno.test("A file that is removed is a change", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts" });
  directory.remove("lib/a.ts");
  await directory.untilSeen("lib/a.ts");
  assert.deepEqual(await directory.change(), ["lib/a.ts"]);
});

// On Windows a watched directory cannot be removed while its watch is open.
unixTest("A directory that is removed and comes back is watched again", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts" });
  directory.remove("lib");
  directory.write("lib/a.ts", "export const a = 1;");
  await directory.untilSeen("lib");
  assert.deepEqual(await directory.change(), ["lib/a.ts"]);
  // The system may still be telling of the removal: only time brings the watch that sees this save, or finds it.
  directory.write("lib/a.ts", "export const a = 2;");
  assert.deepEqual(await directory.change(), ["lib/a.ts"]);
});

Deno.test("A file that is not asked for is ignored", async () => {
  await using directory = new WatchedDirectory(APP);
  await directory.watch({ app: "app.ts", pattern: /\.sql$/ });
  directory.write("lib/a.ts", "export const a = 1;");
  directory.write("lib/a.sql", "select 1");
  await directory.untilSeen("lib/a.ts", "lib/a.sql");
  assert.deepEqual(await directory.change(), ["lib/a.sql"]);
});

Deno.test("JSON that the application imports counts, wherever it is", async () => {
  await using directory = new WatchedDirectory({
    "src/app.ts": 'import words from "../data/words.json" with { type: "json" };',
    "data/words.json": "[]",
  });
  await directory.watch({ app: "src/app.ts" });
  directory.write("data/words.json", '["weft"]');
  await directory.untilSeen("data/words.json");
  assert.deepEqual(await directory.change(), ["data/words.json"]);
});

Deno.test("An application that cannot be parsed is watched, and so is all that it imports once it can", async () => {
  await using directory = new WatchedDirectory({ "src/app.ts": "export default (;", "data/words.json": "[]" });
  const changes = await directory.watch({ app: "src/app.ts" });
  directory.write("src/app.ts", 'import words from "../data/words.json" with { type: "json" };');
  await directory.untilSeen("src/app.ts");
  assert.deepEqual(await directory.change(), ["src/app.ts"]);
  assert.deepEqual(changes.directories, [`${directory.path}/data`, `${directory.path}/src`]);
  directory.write("data/words.json", '["weft"]');
  await directory.untilSeen("data/words.json");
  assert.deepEqual(await directory.change(), ["data/words.json"]);
});

Deno.test("A module that is missing with its directory is seen when it comes", async () => {
  await using directory = new WatchedDirectory({ "app.ts": 'import "./not/yet/there.ts";' });
  await directory.watch({ app: "app.ts" });
  directory.write("not/yet/there.ts", "export {};");
  await directory.untilSeen("not");
  assert.deepEqual(await directory.change(), ["not/yet/there.ts"]);
});

denoTest("Bare imports are resolved by the application's own deno.json", async () => {
  await using directory = new WatchedDirectory({
    "deno.json": '{ "imports": { "parts/": "./deep/parts/" }, "nodeModulesDir": "auto" }',
    "src/app.ts": 'import "parts/a.ts"; import "npm:hono@4"; import "jsr:@std/assert@1";',
    "deep/parts/a.ts": "export {};",
  });
  const { directories } = await directory.watch({ app: "src/app.ts" });
  assert.deepEqual(directories, [`${directory.path}/deep/parts`, `${directory.path}/src`]);
  const names = Array.from(Deno.readDirSync(directory.path), ({ name }) => name).sort();
  assert.deepEqual(names, ["deep", "deno.json", "src"], "looking leaves nothing behind");
});

// On Windows a link needs a privilege.
unixTest("A module that a link leads to counts where it really is", async () => {
  await using directory = new WatchedDirectory({ "shared/a.ts": "export {};", "src/app.ts": "import './a.ts';" });
  Deno.symlinkSync(`${directory.path}/shared/a.ts`, `${directory.path}/src/a.ts`);
  await directory.watch({ app: "src/app.ts" });
  directory.write("shared/a.ts", "export const a = 1;");
  await directory.untilSeen("shared/a.ts");
  assert.ok((await directory.change()).includes("shared/a.ts"));
});

Deno.test({
  name: "Where no program may be run, the log says so and the application's directory is watched",
  permissions: { read: true, write: true, run: false },
  ignore: isOnNode, // It has no such permissions.
  async fn() {
    await using directory = new WatchedDirectory(APP);
    const { directories } = await directory.watch({ app: "app.ts" });
    assert.deepEqual(directories, [directory.path]);
    assert.match(directory.logged.join("\n"), /^WARN cannot tell which modules .*only files in .*--allow-run=.*deno/);
  },
});
