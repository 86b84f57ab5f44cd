// Tests that every part of an application counts, whatever it is called and whatever links lead to it: with the system's
// own events, and with polling.

import assert from "node:assert/strict";
import { polledSources } from "../../src/restart/polling.ts";
import type { WatchOptions } from "../../src/restart/watch_changes.ts";
import { platform } from "../../src/platform/runtime.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeSources } from "../helpers/fake_sources.ts";
import { WatchedDirectory } from "../helpers/watched_directory.ts";

/** A part of an application, and what is done to it. */
interface Part {
  files: Record<string, string>;
  options: WatchOptions;
  /** Made before the watch begins: targets by the paths of links. */
  links?: Record<string, string>;
  act(directory: WatchedDirectory): void;
  /** Path that is told; it is the one that something happens to. */
  told: string;
}

/** As `ln -sfn` does. */
function relink(directory: WatchedDirectory, path: string, target: string): void {
  directory.remove(path);
  Deno.symlinkSync(target, `${directory.path}/${path}`);
}

/** As a deployment does it that never has a moment without a link. */
function relinkAtomically(directory: WatchedDirectory, path: string, target: string): void {
  Deno.symlinkSync(target, `${directory.path}/${path}.new`);
  directory.rename(`${path}.new`, path);
}

const APP = "export default () => new Response();";
const SAVED = "\n";
/** A file that is saved. */
const saved = (told: string, files: Record<string, string>, app = "src/app.ts"): Part => ({
  files: { [app]: APP, ...files },
  options: { app },
  act: (directory) => directory.write(told, files[told] + SAVED),
  told,
});
const RELEASES = { "releases/1/app.ts": APP, "releases/2/app.ts": APP };

const PARTS: Readonly<Record<string, Part>> = {
  "a .cjs module": saved("lib/old.cjs", { "src/app.ts": 'import "../lib/old.cjs";', "lib/old.cjs": "" }),
  "a .cjs module that is only required": saved("src/old.cjs", { "src/old.cjs": "" }),
  "a module without an extension": saved("lib/tool", { "src/app.ts": 'import "../lib/tool";', "lib/tool": "" }),
  "a module that is imported as text": saved("texts/hello.txt", {
    "src/app.ts": 'import text from "../texts/hello.txt" with { type: "text" }; console.log(text);',
    "texts/hello.txt": "hello",
  }),
  "a module that is imported as bytes": saved("images/dot.gif", {
    "src/app.ts": 'import dot from "../images/dot.gif" with { type: "bytes" }; console.log(dot);',
    "images/dot.gif": "GIF",
  }),
  "a deno.json above the sources": saved("deno.json", { "deno.json": "{}" }, "src/deep/app.ts"),
  "a deno.jsonc above the sources": saved("deno.jsonc", { "deno.jsonc": "{}" }, "src/deep/app.ts"),
  "a deno.jsonc beside the sources": saved("src/deno.jsonc", { "src/deno.jsonc": "{}" }),
  "a nearer deno.json that comes": {
    files: { "src/deep/app.ts": APP, "deno.json": "{}" },
    options: { app: "src/deep/app.ts" },
    act: (directory) => directory.write("src/deno.json", "{}"),
    told: "src/deno.json",
  },
  "a package.json beside the configuration": saved("package.json", { "package.json": "{}", "deno.json": "{}" }),
  "a package.json above the sources": saved("package.json", { "package.json": "{}" }),
  "an import map": saved("maps/imports.map", {
    "deno.json": '{ "importMap": "./maps/imports.map" }',
    "maps/imports.map": '{ "imports": {} }',
  }),
  "the configuration of a workspace": saved("deno.json", {
    "deno.json": '{ "workspace": ["./member"] }',
    "member/deno.json": "{}",
  }, "member/src/app.ts"),
  "a configuration that was named": {
    files: { "src/app.ts": APP, "settings/mine.conf": "{}" },
    options: { app: "src/app.ts", config: (app) => app.replace("src/app.ts", "settings/mine.conf") },
    act: (directory) => directory.write("settings/mine.conf", "{ }"),
    told: "settings/mine.conf",
  },
  "a link to the release": {
    files: RELEASES,
    links: { current: "releases/1" },
    options: { app: "current/app.ts" },
    act: (directory) => relink(directory, "current", "releases/2"),
    told: "current",
  },
  "a link to the release that is replaced in one step": {
    files: RELEASES,
    links: { current: "releases/1" },
    options: { app: "current/app.ts" },
    act: (directory) => relinkAtomically(directory, "current", "releases/2"),
    told: "current",
  },
  "a link that a link leads to": {
    files: RELEASES,
    links: { stable: "releases/1", current: "stable" },
    options: { app: "current/app.ts" },
    act: (directory) => relinkAtomically(directory, "stable", "releases/2"),
    told: "stable",
  },
  "a link to the application's own file": {
    files: { ...RELEASES, "bin/x": "" },
    links: { "bin/app.ts": "../releases/1/app.ts" },
    options: { app: "bin/app.ts" },
    act: (directory) => relinkAtomically(directory, "bin/app.ts", "../releases/2/app.ts"),
    told: "bin/app.ts",
  },
  "a link to a directory of modules": {
    files: { "src/app.ts": 'import "./lib/a.ts";', "lib1/a.ts": "export {};", "lib2/a.ts": "export {};" },
    links: { "src/lib": "../lib1" },
    options: { app: "src/app.ts" },
    act: (directory) => relinkAtomically(directory, "src/lib", "../lib2"),
    told: "src/lib",
  },
  "a link that comes to lead somewhere": {
    files: { "src/app.ts": 'import "./lib/a.ts";' },
    links: { "src/lib": "../lib1" },
    options: { app: "src/app.ts" },
    act: (directory) => directory.write("lib1/a.ts", "export {};"),
    told: "lib1/a.ts",
  },
  "a link to a directory that was named": {
    files: { "app.ts": APP, "views1/a.html": "1", "views2/a.html": "1" },
    links: { views: "views1" },
    options: { app: "app.ts", directories: ["views"] },
    act: (directory) => relinkAtomically(directory, "views", "views2"),
    told: "views",
  },
  "a file behind a link in a directory that was named": {
    files: { "app.ts": APP, "views/a.html": "1", "shared/deep/b.html": "1" },
    links: { "views/shared": "../shared" },
    options: { app: "app.ts", directories: ["views"] },
    act: (directory) => directory.write("shared/deep/b.html", "another"),
    told: "shared/deep/b.html",
  },
};

const isWindows = Deno.build.os === "windows";

for (const [name, { files, options, links = {}, act, told }] of Object.entries(PARTS)) {
  for (const pollMs of [0, 1_000]) {
    const ignore = isWindows && Object.keys(links).length + (told === "current" ? 1 : 0) > 0;
    if (ignore) console.log(`skipped, on Windows a link needs a privilege: ${name}`);
    Deno.test({
      name: `A change of ${name} is told${pollMs === 0 ? "" : " by polling"}`,
      ignore,
      async fn() {
        await using directory = new WatchedDirectory(files);
        for (const [path, target] of Object.entries(links)) Deno.symlinkSync(target, `${directory.path}/${path}`);
        await directory.watch({ ...options, pollMs });
        act(directory);
        // What comes with its directory is first seen by that.
        if (pollMs === 0) await directory.untilSeen(told === "lib1/a.ts" ? "lib1" : told);
        assert.ok((await directory.change()).includes(told));
        assert.deepEqual(directory.logged, []);
      },
    });
  }
}

Deno.test("After a link has come to point elsewhere the files there are watched", async () => {
  if (isWindows) return console.log("skipped, on Windows a link needs a privilege");
  await using directory = new WatchedDirectory(RELEASES);
  Deno.symlinkSync("releases/1", `${directory.path}/current`);
  const changes = await directory.watch({ app: "current/app.ts" });
  assert.deepEqual(changes.directories, [`${directory.path}/releases/1`]);
  relinkAtomically(directory, "current", "releases/2");
  await directory.untilSeen("current");
  assert.deepEqual(await directory.change(), ["current"]);
  assert.deepEqual(changes.directories, [`${directory.path}/releases/2`]);
  directory.write("releases/2/app.ts", `${APP}\n`);
  await directory.untilSeen("releases/2/app.ts");
  assert.deepEqual(await directory.change(), ["releases/2/app.ts"]);
});

Deno.test("What is not part of the application does not count", async () => {
  await using directory = new WatchedDirectory({
    "src/app.ts": APP,
    "deno.json": "{}",
    "notes.txt": "",
    "other.ts": "",
  });
  await directory.watch({ app: "src/app.ts" });
  // Beside the configuration only that counts, and beside modules no file of an unknown kind.
  for (const name of ["notes.txt", "other.ts", "deno.lock", "src/app.log"]) directory.write(name, "x");
  directory.write("src/app.ts", `${APP}\n`);
  await directory.untilSeen("other.ts", "deno.lock", "src/app.log", "src/app.ts");
  assert.deepEqual(await directory.change(), ["src/app.ts"]);
});

Deno.test("Polling looks again until a save is over, and tells of it once", async () => {
  const sources = new FakeSources({ "/app/app.ts": "1" });
  const clock = new FakeClock();
  const polled = polledSources(sources, { clock, pace: { everyMs: 1_000, settleMs: 200 } });
  const watcher = polled.watch(["/app"]);
  const told: string[][] = [];
  const reading = (async () => {
    for await (const { paths } of watcher) told.push([...paths]);
  })();
  const pass = async (ms: number) => {
    await clock.advance(ms);
    await settled();
  };
  await settled();
  sources.put("/app/app.ts", "a half");
  await pass(1_000);
  sources.put("/app/app.ts", "the whole");
  sources.put("/app/new.ts", "1");
  await pass(200);
  assert.deepEqual(told, []);
  await pass(200);
  assert.deepEqual(told, [["/app/app.ts", "/app/new.ts"]]);
  sources.put("/app/new.ts", null);
  await pass(1_200);
  assert.deepEqual(told.slice(1), [["/app/new.ts"]]);
  await pass(5_000);
  assert.equal(told.length, 2);
  watcher.close();
  await reading;
  assert.equal(clock.timers, 0);
});

Deno.test("A file that was saved again within the resolution of its time gets another stamp later", async () => {
  await using directory = new WatchedDirectory({ "a.ts": "1" });
  const path = `${directory.path}/a.ts`;
  const { stamp } = await platform.loadSources();
  const long = new Date(Date.now() - 60_000);
  const first = stamp(path);
  assert.match(first!, / recent$/);
  Deno.utimeSync(path, long, long);
  const old = stamp(path);
  assert.doesNotMatch(old!, /recent/);
  assert.equal(stamp(path), old);
  directory.write("a.ts", "22");
  Deno.utimeSync(path, long, long);
  assert.notEqual(stamp(path), old);
  directory.remove("a.ts");
  assert.equal(stamp(path), null);
});
