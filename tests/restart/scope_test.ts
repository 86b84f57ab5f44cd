// Tests which directories are watched, and what a file event in them means.

import assert from "node:assert/strict";
import { LinkTracer } from "../../src/restart/links.ts";
import { directoryOf } from "../../src/restart/paths.ts";
import { countedOf, DEFAULT_PATTERN, filesIn, judge, scopeOf, treesOf } from "../../src/restart/scope.ts";
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

const tree = {
  scope: scopeOf(treesOf(["/app"], sources), sources),
  rule: {
    pattern: DEFAULT_PATTERN,
    isStrict: false,
    isTree: true,
    isDirectory: (path: string) => path.endsWith("fresh"),
  },
};
const modules = {
  scope: scopeOf(countedOf(["/app/app.ts", "/app/gone/in/x.ts"], sources), sources),
  rule: { ...tree.rule, isTree: false },
};

Deno.test("A tree is every directory but packages and names that start with a dot", () => {
  assert.deepEqual(tree.scope.counted, new Set(["/app", "/app/lib", "/app/lib/deep"]));
  assert.deepEqual(tree.scope.watched, tree.scope.counted);
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

Deno.test("A file counts by its directory and its name", () => {
  const paths = [
    "/app/app.ts",
    "/app/page.html",
    "/app/notes.txt",
    "/app/app.ts~",
    "/app/.app.ts.swp",
    "/app/lib/a.ts",
  ];
  const seen = judge({ kind: "modified", paths }, modules);
  assert.deepEqual(seen, { files: ["/app/app.ts", "/app/page.html"], isAll: false, isMoved: false });
  assert.deepEqual(judge({ kind: "modified", paths: ["/app/lib/a.ts"] }, tree).files, ["/app/lib/a.ts"]);
  assert.deepEqual(filesIn(["/app"], { pattern: DEFAULT_PATTERN, sources }), ["/app/app.ts", "/app/page.html"]);
});

Deno.test("A pattern with the flag g matches every time", () => {
  const rule = { ...modules.rule, pattern: /\.ts$/g };
  const fileEvent = { kind: "modified" as const, paths: ["/app/app.ts", "/app/bpp.ts"] };
  assert.deepEqual(judge(fileEvent, { ...modules, rule }).files, fileEvent.paths);
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

Deno.test("Lost fileEvents may have been anything", () => {
  assert.deepEqual(judge({ kind: "lost", paths: [] }, modules), { files: [], isAll: true, isMoved: true });
});

Deno.test("A new directory in a tree has to be watched; beside modules, in packages and under a dot it has not", () => {
  const isMoved = (path: string, where = tree) => judge({ kind: "named", paths: [path] }, where).isMoved;
  assert.equal(isMoved("/app/lib/fresh"), true);
  assert.equal(isMoved("/app/lib/new.ts"), false);
  assert.equal(isMoved("/app/.fresh"), false);
  assert.equal(isMoved("/app/node_modules/fresh"), false);
  assert.equal(isMoved("/app/fresh", modules), false);
});

Deno.test("A watched directory that goes, and an awaited one that comes, have to be watched anew", () => {
  const isMoved = (path: string, kind: "named" | "modified" = "named") =>
    judge({ kind, paths: [path] }, modules).isMoved;
  assert.equal(isMoved("/app"), true);
  assert.equal(isMoved("/app/gone"), true);
  assert.equal(isMoved("/app/gone/in"), true);
  assert.equal(isMoved("/app/gone/in/x.ts"), false);
  assert.equal(isMoved("/app", "modified"), false, "its rights or its time, not its name");
});

Deno.test("directoryOf() stops at a root", () => {
  assert.equal(directoryOf("/a/b"), "/a");
  assert.equal(directoryOf("/a"), "/");
  assert.equal(directoryOf("/"), "/");
  assert.equal(directoryOf("C:/a"), "C:/");
  assert.equal(directoryOf("C:/"), "C:/");
});

Deno.test("A file of the application counts whatever it is called, unless a pattern was asked for", () => {
  const scope = scopeOf(countedOf(["/app/app.ts", "/app/notes.txt"], sources), sources);
  const fileEvent = { kind: "modified" as const, paths: ["/app/notes.txt", "/app/other.txt"] };
  assert.deepEqual(judge(fileEvent, { scope, rule: modules.rule }).files, ["/app/notes.txt"]);
  const strict = { ...modules.rule, isStrict: true };
  assert.deepEqual(judge(fileEvent, { scope, rule: strict }).files, []);
  assert.deepEqual(judge({ kind: "modified", paths: ["/app/app.ts"] }, { scope, rule: strict }).files, ["/app/app.ts"]);
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
    const fileEvent = { kind: "named" as const, paths: [path] };
    assert.deepEqual(judge(fileEvent, { scope, rule: { ...modules.rule, isStrict: true } }).files, [path]);
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
