// Tests which directories are watched.

import assert from "node:assert/strict";
import { isCounted } from "../../src/restart/file_events.ts";
import {
  countedOf,
  DEFAULT_PATTERN,
  directoryOf,
  filesIn,
  LinkTracer,
  scopeOf,
  treesOf,
} from "../../src/restart/scope.ts";
import { FakeSources } from "../helpers/fake_sources.ts";

const sources = new FakeSources({
  "/app/app.ts": "",
  "/app/page.html": "",
  "/app/notes.txt": "",
  "/app/lib/a.ts": "",
  "/app/lib/deep/b.ts": "",
  "/app/node_modules/x/index.js": "",
  "/app/.git/config.json": "",
});

const tree = scopeOf(treesOf(["/app"], sources), sources);

Deno.test("A tree is every directory but packages and names that start with a dot", () => {
  assert.deepEqual(tree.counted, new Set(["/app", "/app/lib", "/app/lib/deep"]));
  assert.deepEqual(tree.watched, tree.counted);
});

Deno.test("Modules count with their directories, not with what is below", () => {
  const { directories } = countedOf(["/app/app.ts", "/app/lib/a.ts"], sources);
  assert.deepEqual(directories, new Set(["/app", "/app/lib"]));
});

Deno.test("For a directory that is not there the nearest above is watched, and the names that lead to it awaited", () => {
  const { counted, watched, awaited } = scopeOf({ directories: ["/nowhere/at/all"], files: [] }, sources);
  assert.deepEqual(counted, new Set(["/nowhere/at/all"]));
  assert.deepEqual(watched, new Set(["/"]));
  assert.deepEqual(awaited, new Set(["/nowhere", "/nowhere/at", "/nowhere/at/all"]));
});

Deno.test("The files of a directory count by their names", () => {
  assert.deepEqual(filesIn(["/app"], { pattern: DEFAULT_PATTERN, sources }), ["/app/app.ts", "/app/page.html"]);
});

Deno.test("The default pattern takes modules and what they usually read", () => {
  for (
    const name of [
      "a.ts",
      "a.mts",
      "a.tsx",
      "a.js",
      "a.mjs",
      "a.jsx",
      "a.json",
      "a.yml",
      "a.cjs",
      "a.cts",
      "a.jsonc",
      "a.yaml",
      "a.html",
      "a.css",
    ]
  ) {
    assert.match(name, DEFAULT_PATTERN);
  }
  for (const name of ["a.ts~", "a.ts.swp", "4913", "a.txt", "ts", "a.sqlite", "#a.ts#", "a.ts.tmp.812"]) {
    assert.doesNotMatch(name, DEFAULT_PATTERN);
  }
});

Deno.test("directoryOf() stops at a root", () => {
  assert.equal(directoryOf("/a/b"), "/a");
  assert.equal(directoryOf("/a"), "/");
  assert.equal(directoryOf("/"), "/");
  assert.equal(directoryOf("C:/a"), "C:/");
  assert.equal(directoryOf("C:/"), "C:/");
});

/** A release that links lead to. */
const linked = new FakeSources({ "/srv/releases/2/app.ts": "", "/srv/shared/lib/a.ts": "" });
linked.links.set("/srv/current", "releases/2");
linked.links.set("/srv/releases/2/lib", "../../shared/./lib");
linked.links.set("/www", "/srv/");
linked.links.set("/round", "/about");
linked.links.set("/about", "round/");

Deno.test("Every link on the way to a file counts, and is watched where it is", () => {
  const scope = scopeOf(countedOf(["/www/current/app.ts", "/www/current/lib/a.ts"], linked), linked);
  assert.deepEqual(scope.counted, new Set(["/srv/releases/2", "/srv/shared/lib"]));
  assert.deepEqual(scope.files, new Set(["/srv/releases/2/app.ts", "/srv/shared/lib/a.ts"]));
  assert.deepEqual(scope.links, new Set(["/www", "/srv/current", "/srv/releases/2/lib"]));
  assert.deepEqual(scope.watched, new Set(["/srv/releases/2", "/srv/shared/lib", "/", "/srv"]));
  for (const path of scope.links) {
    const rule = { pattern: DEFAULT_PATTERN, isStrict: true, isTree: false, isDirectory: () => false };
    assert.ok(isCounted(path, { scope, rule }), path);
  }
});

Deno.test("A tree has what the links in it lead to, and each directory once", () => {
  linked.links.set("/srv/shared/lib/back", "/srv/current");
  const { directories, files } = treesOf(["/srv/current"], linked);
  linked.links.delete("/srv/shared/lib/back");
  assert.deepEqual(directories, new Set(["/srv/releases/2"]));
  assert.deepEqual(files, new Set(["/srv/current"]));
});

Deno.test("Links that lead in a circle lead nowhere, and count", () => {
  const tracer = new LinkTracer(linked);
  assert.match(tracer.resolve("/round/app.ts"), /^\/(round|about)\/app\.ts$/);
  assert.deepEqual(tracer.links, new Set(["/round", "/about"]));
});

Deno.test("A link that leads nowhere is followed as far as there is something", () => {
  linked.links.set("/next", "/srv/releases/3/app.ts");
  const scope = scopeOf(countedOf(["/next"], linked), linked);
  assert.deepEqual(scope.files, new Set(["/srv/releases/3/app.ts"]));
  assert.deepEqual(scope.awaited, new Set(["/srv/releases/3"]));
});
