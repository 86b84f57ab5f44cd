// Which modules can be served, and what the author of one is told that cannot.

import assert from "node:assert/strict";
import { FakeClock } from "../helpers/fake_clock.ts";
import { firstItems } from "../helpers/items.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { type Ended, runToEnd, start, unixTest } from "../helpers/program.ts";
import { loadApp } from "../../src/app/load_app.ts";
import { EXIT, Failure } from "../../src/platform/failure.ts";
import { platform } from "../../src/platform/runtime.ts";

const PROGRAM = fromFileUrl(new URL("../../mod.ts", import.meta.url));

/** A directory with files in it, gone afterwards. */
async function withFiles(files: Record<string, string>, call: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.realPath(await Deno.makeTempDir());
  try {
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${directory}/${name}`, text);
    await call(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function load(
  specifier: string,
  module: Record<string, unknown> | Promise<Record<string, unknown>>,
  { clock, log }: { clock: FakeClock; log: (level: string, message: string) => void } = {
    clock: new FakeClock(),
    log() {},
  },
) {
  return loadApp(specifier, {
    cwd: "/",
    files: platform.files,
    program: "mod.ts",
    load: () => Promise.resolve(module),
    isConfigured: () => Promise.resolve(false),
    place: () => ({ transport: "tcp", hostname: "127.0.0.1", port: 3000 }),
    clock,
    log,
  });
}

const REQUEST = new Request("http://x/");
const INFO = {} as Parameters<Awaited<ReturnType<typeof load>>["handler"]>[1];

Deno.test("default.fetch goes before a default function, and that before a named fetch", async () => {
  const say = (word: string) => () => new Response(word);
  const text = async (module: Record<string, unknown>) =>
    await (await (await load("npm:x", module)).handler(REQUEST, INFO)).text();
  assert.equal(await text({ default: { fetch: say("object") }, fetch: say("named") }), "object");
  assert.equal(await text({ default: say("function"), fetch: say("named") }), "function");
  assert.equal(await text({ fetch: say("named") }), "named");
});

Deno.test("A fetch method keeps its object, also if it stands on a class, and its other methods are its own", async () => {
  class App {
    #word = "mine";
    fetch() {
      return new Response(this.#word);
    }
    onError() {
      throw new Error("a framework's method of this name is not ours to call");
    }
  }
  const app = await load("npm:x", { default: new App() });
  assert.equal(await (await app.handler(REQUEST, INFO)).text(), "mine");
  assert.equal(app.onError, undefined);
});

Deno.test("Hooks are named exports, or stand in a default export that is a plain object", async () => {
  const fetch = () => new Response();
  const beside = await load("npm:x", { default: { fetch }, shutdown: () => "beside" });
  assert.equal(beside.shutdown?.(), "beside");
  const main = { fetch, word: "in", shutdown: () => main.word };
  const inside = await load("npm:x", { default: main });
  assert.equal(inside.shutdown?.(), "in");
});

Deno.test("What could never answer a request is refused at once, and told why", async () => {
  const refuses = async (main: unknown, message: RegExp) => {
    await assert.rejects(load("npm:x", { default: main }), (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.code, EXIT.appNotLoaded);
      assert.match(error.message, message);
      return true;
    });
  };
  await refuses(class App {}, /is a class; export an instance/);
  await refuses(
    Object.assign(() => {}, { handle() {}, use() {} }),
    /is an Express application: [^]*\(request, response\) => app\(/,
  );
  for (
    const handler of [
      (_req: unknown, res: { end(): void }) => res.end(),
      function (_request: unknown, response: { end(): void }) {
        response.end();
      },
      async (_req: unknown, res: { end(): void }) => await res.end(),
    ]
  ) await refuses(handler, /is a handler of node:http: [\s\S]*toFetchHandler\(handler\)/);
  await refuses(42, /its default export is a number$/);
  await refuses({ handler() {} }, /its default export has handler$/);
  const many = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`name${i}`, i]));
  await refuses(many, /its default export has name0, name1, [^]*name7 and 52 more$/);
});

Deno.test("A module without anything to serve says what it exports instead", async () => {
  await assert.rejects(load("npm:x", { start() {}, port: 1 }), (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, EXIT.appNotLoaded);
    assert.match(
      error.message,
      /^the application npm:x exports nothing that can be served\nexpected .*it exports start, port$/,
    );
    return true;
  });
});

Deno.test("An application that is still loading after 5 s says so once, with its name", async () => {
  const clock = new FakeClock();
  const lines: string[] = [];
  const imported = Promise.withResolvers<Record<string, unknown>>();
  const loading = load("npm:slow", imported.promise, { clock, log: (...line) => lines.push(line.join(" ")) });
  await clock.advance(4_999);
  assert.deepEqual(lines, []);
  await clock.advance(60_000);
  assert.deepEqual(lines, ["WARN npm:slow is still loading after 5 s; it is served once its top level is done"]);
  imported.resolve({ default: () => new Response("at last") });
  assert.equal(await (await (await loading).handler(REQUEST, INFO)).text(), "at last");
  assert.equal(clock.timers, 0);
});

Deno.test("A script that has not called Deno.serve 5 s after it was loaded is refused", async () => {
  for (const script of [{}, { default: {} }]) {
    const clock = new FakeClock();
    const lines: string[] = [];
    const refused = load("npm:x", script, { clock, log: (...line) => lines.push(line.join(" ")) });
    const failed = assert.rejects(refused, /exports nothing that can be served\n/);
    await clock.advance(5_000);
    await failed;
    assert.deepEqual(lines, ["INFO npm:x exports nothing; it has 5 s to call Deno.serve"]);
    assert.equal(clock.timers, 0);
  }
});

const CANNOT_LOAD: [name: string, source: string, message: RegExp][] = [
  [
    "throws",
    'const word = "x";\n\nthrow new Error("no database");\n',
    /Error: no database\n {4}at file:.*app\.ts:3:7\n\n {4}throw new Error\("no database"\);\n {10}\^\n$/,
  ],
  ["cannot be parsed", "export default {\n  fetch( { }\n", /SyntaxError: Expected [\s\S]*app\.ts:\d+:\d+/],
  [
    "imports what is not there",
    'import x from "./gone.ts";\nexport default () => new Response(x);\n',
    /Module not found "file:.*gone\.ts"[\s\S]*app\.ts:1:15/,
  ],
  ["rejects", "await Promise.reject(new TypeError('late'));\n", /TypeError: late\n {4}at file:.*app\.ts:1:22/],
];

for (const [name, source, message] of CANNOT_LOAD) {
  Deno.test(`An application that ${name} ends the program with 4, its path, the cause and the source line`, async () => {
    await withFiles({ "app.ts": source }, async (directory) => {
      const ended: Ended = await runToEnd([`${directory}/app.ts`]);
      assert.equal(ended.code, 4);
      assert.equal(ended.stdout, "");
      assert.ok(ended.stderr.startsWith(`weft: cannot load the application ${directory}/app.ts\n`), ended.stderr);
      assert.match(ended.stderr, message);
    });
  });
}

Deno.test("A path that does not exist ends with 4 and the whole path", async () => {
  await withFiles({}, async (directory) => {
    for (const flags of [[], ["-w", "1"], ["--restart"]]) {
      const { code, stderr } = await runToEnd([...flags, "-p", "0", "gone.ts"], { cwd: directory });
      assert.equal(code, 4);
      assert.equal(stderr, `weft: cannot load the application gone.ts\nthere is no file ${directory}/gone.ts\n`);
    }
  });
});

Deno.test("A script in Perl is named as such, with what to type", async () => {
  await withFiles({ "myapp.pl": "print 1;\n" }, async (directory) => {
    for (const flags of [[], ["--restart"]]) {
      const { code, stderr } = await runToEnd([...flags, "-p", "0", "myapp.pl"], { cwd: directory });
      assert.equal(code, 4);
      assert.match(stderr, /\n\S+myapp\.pl is Perl\. Weft serves Perl from a \.psgi file: weft myapp\.psgi/);
    }
  });
});

Deno.test("A URL whose percent signs encode nothing names no file, with and without workers", async () => {
  for (const flags of [[], ["-w", "1"]]) {
    const { code, stderr } = await runToEnd([...flags, "file:///gone%zz.ts"]);
    assert.equal(code, 4, stderr);
    assert.match(stderr, /cannot load the application file:\/\/\/gone%zz\.ts\nthere is no file \/gone%zz\.ts\n/);
  }
});

unixTest("The source line is shown if the directory and the file have odd names", async () => {
  for (const name of ["a#b", "a?b", "a%20b", "%2e%2e", "a\\b"]) {
    await withFiles({}, async (directory) => {
      await Deno.mkdir(`${directory}/${name}`);
      await Deno.writeTextFile(`${directory}/${name}/${name}.ts`, '\n  throw new Error("stops");\n');
      const { code, stderr } = await runToEnd(["-p", "0", `./${name}.ts`], { cwd: `${directory}/${name}` });
      assert.equal(code, 4, stderr);
      assert.match(stderr, /Error: stops\n +at file:.+:2:9\n\n +throw new Error\("stops"\);\n +\^/);
    });
  }
});

Deno.test("Names with blanks and signs are paths like any other", async () => {
  await withFiles({ "my app #1?.ts": "export default () => new Response(import.meta.url)" }, async (directory) => {
    await using program = start(["-p", "0", "my app #1?.ts"], { cwd: directory });
    assert.match(await (await fetch(await program.url())).text(), /my%20app%20%231%3F\.ts$/);
  });
});

/** A process that is not permitted everything cannot see how it was started. */
const PARTIAL = ["--allow-read", "--allow-net", "--allow-env", "--allow-write", "--allow-run"];

Deno.test("An application beside its own deno.json is told what to type, and that works", async () => {
  const files = {
    "app.ts": 'import { word } from "words";\nexport default () => new Response(word);\n',
    "words.ts": 'export const word = "mapped";\n',
    "deno.json": '{ "imports": { "words": "./words.ts" } }',
  };
  await withFiles(files, async (directory) => {
    const { code, stderr } = await runToEnd(["app.ts"], { cwd: directory, deno: PARTIAL });
    assert.equal(code, 4);
    assert.match(stderr, /^weft: cannot load[\s\S]*app\.ts:1:22/);
    const [advice, config] = firstItems(/deno run -A --config (\S+) \S+mod\.ts \S+app\.ts\n$/.exec(stderr)!, 2);
    assert.equal(advice, `deno run -A --config ${directory}/deno.json ${PROGRAM} ${directory}/app.ts\n`);
    await using program = start(["-p", "0", `${directory}/app.ts`], { deno: ["-A", "--config", config] });
    assert.equal(await (await fetch(await program.url())).text(), "mapped");
  });
});

unixTest(
  "The advice can be typed as it stands, whatever the path has in it, and the source line is found",
  async () => {
    for (const name of ["it's a (test)", "a:1:2", "$x&y", "a#b?c"]) {
      const directory = `${await Deno.realPath(await Deno.makeTempDir())}/${name}`;
      await Deno.mkdir(directory);
      await Deno.writeTextFile(
        `${directory}/app.ts`,
        'import "words";\nexport default () => new Response("advised");\n',
      );
      await Deno.writeTextFile(`${directory}/words.ts`, "");
      await Deno.writeTextFile(`${directory}/deno.json`, '{ "imports": { "words": "./words.ts" } }');
      const { stderr } = await runToEnd([`${directory}/app.ts`], { cwd: directory, deno: PARTIAL });
      if (Deno.build.os === "linux") {
        await using program = start(["-p", "0", `${directory}/app.ts`]);
        assert.equal(await (await fetch(await program.url())).text(), "advised");
      }
      await Deno.writeTextFile(`${directory}/throws.ts`, "\n  throw new Error('on purpose');\n");
      const { stderr: shown } = await runToEnd([`${directory}/throws.ts`]);
      assert.match(shown, /throws\.ts:2:9\n\n {6}throw new Error\('on purpose'\);\n {12}\^\n$/, name);
      const [, advice] = /\n {4}deno run -A --config (.*)\n$/.exec(stderr)!;
      const shell = new Deno.Command("sh", { args: ["-c", `printf '%s\\n' ${advice}`] });
      assert.equal(
        new TextDecoder().decode((await shell.output()).stdout),
        [`${directory}/deno.json`, PROGRAM, `${directory}/app.ts`, ""].join("\n"),
      );
      await Deno.remove(directory.slice(0, -name.length), { recursive: true });
    }
  },
);

Deno.test("An application with a package.json alone, or with nothing, is told what to do", async () => {
  const app = { "app.ts": 'import "some-package";\nexport default () => new Response("x");\n' };
  await withFiles({ ...app, "package.json": "{}" }, async (directory) => {
    const { stderr } = await runToEnd([`${directory}/app.ts`]);
    assert.ok(stderr.endsWith(`\n    (cd ${directory} && npm install some-package)\n`), stderr);
    await Deno.mkdir(`${directory}/node_modules`);
    const { stderr: advised } = await runToEnd([`${directory}/app.ts`], { cwd: directory, deno: PARTIAL });
    const command = `deno run -A --no-config --node-modules-dir=manual ${PROGRAM} ${directory}/app.ts`;
    assert.ok(advised.endsWith(` Type:\n    ${command}\n`), advised);
  });
  await withFiles(app, async (directory) => {
    const { stderr } = await runToEnd([`${directory}/app.ts`]);
    assert.match(stderr, /Write npm:NAME or jsr:NAME in the import/);
  });
});

Deno.test("An application says its own port and limits, and a flag goes before them", async () => {
  const source = "export default { port: 0, maxBodyBytes: 4, fetch: () => new Response('x') };";
  await withFiles({ "app.ts": source }, async (directory) => {
    await using program = start([`${directory}/app.ts`]);
    const url = await program.url();
    assert.notEqual(new URL(url).port, "3000");
    assert.equal((await fetch(url, { method: "POST", body: "12345" })).status, 413);
    await using other = start(["--max-body-size", "5", `${directory}/app.ts`]);
    assert.equal((await fetch(await other.url(), { method: "POST", body: "12345" })).status, 200);
  });
});
