// The plan of the house: which room stands on which floor.
// An import goes to a lower floor or stays in its own room; only src/platform names a runtime.

import assert from "node:assert/strict";

const FLOORS: Readonly<Record<string, number>> = {
  copies: -1,
  wire: 0,
  platform: 0,
  connection: 1,
  message: 1,
  websocket: 1,
  engine: 2,
  inspect: 2,
  uploads: 2,
  fastcgi: 2,
  progress: 2,
  app: 3,
  prefork: 4,
  demo: 4,
  restart: 4,
  cli: 5,
};

/** Most lines of a file that does not say at its head why it is longer. */
const MAX_LINES = 300;

const root = new URL("../", import.meta.url);

interface Source {
  path: string;
  room: string;
  text: string;
}

async function* sources(directory: URL, room: string): AsyncGenerator<Source> {
  for await (const entry of Deno.readDir(directory)) {
    const url = new URL(entry.name + (entry.isDirectory ? "/" : ""), directory);
    if (entry.isDirectory) yield* sources(url, room || entry.name);
    else if (entry.name.endsWith(".ts")) {
      yield { path: url.pathname.slice(root.pathname.length), room, text: await Deno.readTextFile(url) };
    }
  }
}

const files = await Array.fromAsync(sources(new URL("src/", root), ""));

Deno.test("Every import goes to a lower floor or stays in its own room", () => {
  for (const { path, room, text } of files) {
    const floor = FLOORS[room];
    assert.ok(floor !== undefined, `${path}: the room "${room}" is not in the plan`);
    for (const [, specifier = ""] of text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)) {
      if (!specifier.startsWith(".")) continue;
      // worker_by_name.ts explains this circle.
      if (path === "src/cli/worker_by_name.ts" && specifier === "../../mod.ts") continue;
      const { pathname } = new URL(specifier, new URL(path, root));
      const [, other = ""] = pathname.slice(root.pathname.length).split("/");
      if (other === room) continue;
      const below = FLOORS[other];
      const isLower = below !== undefined && below < floor;
      assert.ok(isLower, `${path} (floor ${floor}) imports ${specifier} (floor ${below})`);
    }
  }
});

Deno.test("Only the platform room names Deno or node:", () => {
  for (const { path, room, text } of files) {
    if (room === "platform") continue;
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "").replace(
      /`[^`]*`|"[^"\n]*"/g,
      (quoted) => quoted.startsWith('"node:') ? quoted : "",
    );
    assert.doesNotMatch(code, /\bDeno\.|node:/, path);
  }
});

/** What gives the time of now, waits, or throws dice. A UUID is allowed: it is a name or a secret, and decides nothing. */
const TIME_AND_CHANCE =
  /Date\.now|\bDate\(\)|set(Timeout|Interval|Immediate)|Atomics\.wait|Math\.random|getRandomValues|performance\./;

Deno.test("Every room but the platform asks ports for time and chance", () => {
  for (const { path, room, text } of files) {
    if (room === "platform") continue;
    assert.doesNotMatch(text.replace(/^\s*(\*|\/\/).*$/gm, ""), TIME_AND_CHANCE, path);
  }
});

/** Globals and methods that Node 20 lacks. src/platform/resolvers.ts and src/restart/sets.ts have what is needed of them. */
const MISSING_ON_NODE_20 =
  /Promise(\.withResolvers|\.try|WithResolvers)|Array\.fromAsync|\.(isSubsetOf|isSupersetOf|isDisjointFrom|difference|union|intersection|symmetricDifference)\(|\b(Object|Map)\.groupBy|Iterator\.|URL\.parse\(|RegExp\.escape|\.(toHex|toBase64)\(/;

Deno.test("No file uses what the oldest Node lacks", () => {
  for (const { path, text } of files) {
    // The source names what it stands for.
    if (path === "src/platform/resolvers.ts") continue;
    assert.doesNotMatch(text.replace(/^\s*(\*|\/\/).*$/gm, ""), MISSING_ON_NODE_20, path);
  }
});

Deno.test("Only the program's room prints", () => {
  for (const { path, text } of files) {
    assert.doesNotMatch(text.replace(/^\s*\*.*$/gm, "").replace(/`[^`\n]*`/g, ""), /\bconsole\./, path);
  }
});

Deno.test("No import leads back to where it started, types included", () => {
  const imports = new Map(files.map(({ path, text }) => [
    path,
    [...text.matchAll(/^(?:import|export)[^;]*?from\s*"(\.[^"]+)"/gm)].map(([, specifier = ""]) =>
      new URL(specifier, new URL(path, root)).pathname.slice(root.pathname.length)
    ),
  ]));
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    assert.ok(!trail.includes(path), [...trail.slice(trail.indexOf(path)), path].join(" -> "));
    if (done.has(path)) return;
    for (const next of imports.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const { path } of files) visit(path, []);
});

Deno.test("What a file exports is used in another one", async () => {
  const others = await Promise.all(["mod.ts", "tests/", "scripts/", "examples/"].map(async (path) => {
    const url = new URL(path, root);
    return path.endsWith("/")
      ? await Array.fromAsync(sources(url, ""))
      : [{ path, text: await Deno.readTextFile(url) }];
  }));
  // Words instead of imports: an import may be dynamic, and a word in a comment is a reason to look too.
  const words = [...files, ...others.flat()].map(({ path, text }) => ({ path, words: new Set(text.match(/\w+/g)) }));
  for (const { path, text } of files) {
    for (const [, name = ""] of text.matchAll(/^export (?:abstract |async )*(?:function\*?|class|const|let) (\w+)/gm)) {
      assert.ok(words.some((other) => other.path !== path && other.words.has(name)), `${path}: nothing uses ${name}`);
    }
  }
});

Deno.test("Every file opens with its purpose, and a long one says why it is long", () => {
  for (const { path, text } of files) {
    assert.match(text, /^\/\/ [A-Z]/, path);
    const lines = text.split("\n").length;
    assert.ok(lines <= MAX_LINES || /^\/\/ Long: /m.test(text), `${path} has ${lines} lines`);
  }
});
