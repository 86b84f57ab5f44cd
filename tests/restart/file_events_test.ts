// Tests what a file event means, and when a burst of file events is over.

import assert from "node:assert/strict";
import { Debounce, judge, type Seen } from "../../src/restart/file_events.ts";
import { countedOf, DEFAULT_PATTERN, scopeOf, treesOf } from "../../src/restart/scope.ts";
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
});

Deno.test("A pattern with the flag g matches every time", () => {
  const rule = { ...modules.rule, pattern: /\.ts$/g };
  const fileEvent = { kind: "modified" as const, paths: ["/app/app.ts", "/app/bpp.ts"] };
  assert.deepEqual(judge(fileEvent, { ...modules, rule }).files, fileEvent.paths);
});

Deno.test("Lost file events may have been anything", () => {
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

Deno.test("A file of the application counts whatever it is called, unless a pattern was asked for", () => {
  const scope = scopeOf(countedOf(["/app/app.ts", "/app/notes.txt"], sources), sources);
  const fileEvent = { kind: "modified" as const, paths: ["/app/notes.txt", "/app/other.txt"] };
  assert.deepEqual(judge(fileEvent, { scope, rule: modules.rule }).files, ["/app/notes.txt"]);
  const strict = { ...modules.rule, isStrict: true };
  assert.deepEqual(judge(fileEvent, { scope, rule: strict }).files, []);
  assert.deepEqual(judge({ kind: "modified", paths: ["/app/app.ts"] }, { scope, rule: strict }).files, ["/app/app.ts"]);
});

const NOTHING: Seen = { files: [], isAll: false, isMoved: false };

function saw(...files: string[]): Seen {
  return { ...NOTHING, files };
}

Deno.test("Debounce rests until something that counts is seen", () => {
  const debounce = new Debounce(200);
  assert.deepEqual(debounce.decide(0), { do: "rest" });
  debounce.note(NOTHING, 0);
  assert.deepEqual(debounce.decide(500), { do: "rest" });
});

Deno.test("File events less than the delay apart are one burst, and a file that was seen twice is compared once", () => {
  const debounce = new Debounce(200);
  debounce.note(saw("/a.ts"), 0);
  assert.deepEqual(debounce.decide(0), { do: "wait", ms: 200 });
  debounce.note(saw("/a.ts", "/b.ts"), 150);
  assert.deepEqual(debounce.decide(200), { do: "wait", ms: 150 });
  assert.deepEqual(debounce.decide(350), { do: "compare", files: ["/a.ts", "/b.ts"] });
  assert.deepEqual(debounce.decide(350), { do: "rest" });
});

Deno.test("A burst that never falls quiet is cut after ten delays, and the rest is another burst", () => {
  const debounce = new Debounce(500);
  for (let now = 0; now < 5000; now += 100) {
    debounce.note(saw("/a.ts"), now);
    assert.equal(debounce.decide(now).do, "wait", `at ${now}`);
  }
  assert.deepEqual(debounce.decide(5000), { do: "compare", files: ["/a.ts"] });
  debounce.note(saw("/a.ts"), 5000);
  assert.deepEqual(debounce.decide(5000), { do: "wait", ms: 500 });
});

Deno.test("With a short delay it is cut after two seconds", () => {
  const debounce = new Debounce(10);
  for (let now = 0; now < 2000; now += 5) debounce.note(saw("/a.ts"), now);
  assert.deepEqual(debounce.decide(1999), { do: "wait", ms: 1 });
  assert.deepEqual(debounce.decide(2000), { do: "compare", files: ["/a.ts"] });
});

Deno.test("Lost file events mean that everything is compared", () => {
  const debounce = new Debounce(200);
  debounce.note(saw("/a.ts"), 0);
  debounce.note({ ...NOTHING, isAll: true }, 10);
  assert.deepEqual(debounce.decide(210), { do: "compare", files: "all" });
  debounce.note(saw("/a.ts"), 300);
  assert.deepEqual(debounce.decide(500), { do: "compare", files: ["/a.ts"] });
});

Deno.test("A new directory is watched once the burst is quiet, and everything compared after another delay", () => {
  const debounce = new Debounce(200);
  debounce.note({ ...NOTHING, isMoved: true }, 0);
  assert.deepEqual(debounce.decide(100), { do: "wait", ms: 100 });
  assert.deepEqual(debounce.decide(200), { do: "rewatch" });
  assert.deepEqual(debounce.decide(200), { do: "wait", ms: 200 });
  assert.deepEqual(debounce.decide(400), { do: "compare", files: "all" });
});

Deno.test("If directories come all the time, the burst is cut all the same", () => {
  const debounce = new Debounce(200);
  for (let now = 0; now < 2000; now += 100) debounce.note({ ...NOTHING, isMoved: true }, now);
  assert.deepEqual(debounce.decide(2000), { do: "rewatch" });
  assert.deepEqual(debounce.decide(2000), { do: "compare", files: "all" });
});
