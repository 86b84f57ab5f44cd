// The program serves an application in its author's own project, with the configuration and the packages of that project.

import assert from "node:assert/strict";
import { canInherit, inheriting } from "../helpers/inherited.ts";
import { fromFileUrl } from "../helpers/paths.ts";
import { linuxTest, runToEnd, start, type StartOptions } from "../helpers/program.ts";
import { type Project, project } from "../helpers/projects.ts";
import { supervise } from "../helpers/supervised.ts";

const ROOT = new URL("../../", import.meta.url);

/** An application that imports a package by its bare name. */
const APP = 'import word from "words";\nexport default () => new Response(`${word} ${Deno.args} ${Deno.pid}`);\n';
/** What a package manager has installed. */
const INSTALLED = {
  "node_modules/words/package.json": '{ "name": "words", "version": "1.0.0", "type": "module", "main": "words.js" }',
  "node_modules/words/words.js": 'export default "installed";',
};
const MANIFEST = '{ "type": "module", "dependencies": { "words": "1" } }';
const MAPPED = { "mapped.ts": 'export default "mapped";', "deno.json": '{ "imports": { "words": "./mapped.ts" } }' };

interface Shape {
  files: Record<string, string>;
  /** What the application answers with. */
  word: string;
  /** Flags that the line names. */
  flags: (own: Project) => string;
  app?: string;
}

const withConfig = (name = "deno.json") => (own: Project) => `--config=${own.path(name)}`;
const SHAPES: Record<string, Shape> = {
  "only a package.json": {
    files: { ...INSTALLED, "package.json": MANIFEST, "app.ts": APP },
    word: "installed",
    flags: () => "--no-config --node-modules-dir=manual",
  },
  "a deno.json": { files: { ...MAPPED, "app.ts": APP }, word: "mapped", flags: withConfig() },
  "both, the package named by package.json": {
    files: { ...INSTALLED, "package.json": MANIFEST, "deno.json": "{}", "app.ts": APP },
    word: "installed",
    flags: withConfig(),
  },
  "a workspace": {
    files: {
      "deno.jsonc": '{ "workspace": ["./site", "./words"] }',
      "words/deno.json": '{ "name": "words", "version": "1.0.0", "exports": "./mod.ts" }',
      "words/mod.ts": 'export default "a member";',
      "site/deno.json": "{}",
      "site/app.ts": APP,
    },
    word: "a member",
    flags: withConfig("site/deno.json"),
    app: "site/app.ts",
  },
  "a package.json below a deno.json, as Nitro's output has them": {
    files: Object.fromEntries([
      ["deno.json", "{}"],
      ...Object.entries({ ...INSTALLED, "package.json": MANIFEST, "app.ts": APP }).map((
        [name, text],
      ) => [`server/${name}`, text]),
    ]),
    word: "installed",
    flags: (own) => `--config=${own.path("deno.json")} --node-modules-dir=manual`,
    app: "server/app.ts",
  },
};

for (const [name, { files, word, flags, app = "app.ts" }] of Object.entries(SHAPES)) {
  linuxTest(`An application with ${name} is served, alone and by workers`, async () => {
    await using own = await project(files);
    await using program = start(["-p", "0", app, "--", "an argument"], { cwd: own.directory });
    assert.equal(await (await fetch(await program.url())).text(), `${word} an argument ${program.pid}`);
    const lines = program.stderr.split("\n").filter((line) => line.includes("starting again"));
    assert.equal(lines.length, 1, program.stderr);
    assert.ok(lines[0]!.includes(`starting again with ${flags(own)}: `), lines[0]);
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
    await using workers = await supervise(["-w", "1", app], { cwd: own.directory });
    assert.match(await (await fetch(await workers.url())).text(), new RegExp(`^${word} `));
    assert.doesNotMatch(workers.stderr, /starting again/);
  });
}

linuxTest("A program that starts again keeps the socket that systemd has handed over, and its process", async () => {
  if (!canInherit) return console.log("skipped, there is no perl on this machine");
  await using own = await project({ ...MAPPED, "app.ts": APP });
  await using program = start(["app.ts"], { cwd: own.directory, wrapper: inheriting(true) });
  const url = await program.url();
  assert.equal(await (await fetch(url)).text(), `mapped  ${program.pid}`);
  assert.match(program.stderr, /starting again/);
  program.kill("SIGTERM");
  assert.equal((await program.ended).code, 0);
});

/** Starts the program in a project with a deno.json, in another way; gives what it answers and prints. */
async function startedBy(options: StartOptions): Promise<string> {
  await using own = await project({ ...MAPPED, "app.ts": APP });
  await using program = start(["-p", "0", "app.ts"], { ...options, cwd: own.directory });
  assert.match(await (await fetch(await program.url())).text(), /^mapped /);
  await using workers = await supervise(["-w", "1", "app.ts"], { ...options, cwd: own.directory });
  assert.match(await (await fetch(await workers.url())).text(), /^mapped /);
  return program.stderr;
}

linuxTest("A program that runs from a URL uses the application's configuration", async () => {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async ({ url }) => {
    const path = new URL(new URL(url).pathname.slice(1), ROOT);
    const headers = { "content-type": path.href.endsWith(".ts") ? "application/typescript" : "text/javascript" };
    return new Response(await Deno.readTextFile(path), { headers });
  });
  const program = `http://127.0.0.1:${server.addr.port}/mod.ts`;
  assert.match(await startedBy({ program, deno: ["-A", "--no-lock"] }), /starting again with --config=/);
});

linuxTest("A program that was installed with `deno install -g` uses the application's configuration", async () => {
  await using root = await project({});
  const args = ["install", "-g", "-A", "-n", "weft", "--root", root.directory, fromFileUrl(new URL("mod.ts", ROOT))];
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  const bin = await Array.fromAsync(Deno.readDir(root.directory));
  const shim = bin.some(({ name, isFile }) => name === "weft" && isFile) ? root.path("weft") : root.path("bin/weft");
  const PATH = `${Deno.execPath().replace(/\/[^/]*$/, "")}:${Deno.env.get("PATH")}`;
  assert.match(await startedBy({ command: [shim], env: { PATH } }), /starting again with --config=/);
});

linuxTest("A program that was started with a configuration does not look for another", async () => {
  await using own = await project({
    ...MAPPED,
    "other.json": '{ "imports": { "words": "./other.ts" } }',
    "app.ts": APP,
  });
  await Deno.writeTextFile(own.path("other.ts"), 'export default "other";');
  const weft = JSON.stringify({ imports: { words: "./mapped.ts", "@weft/engine": new URL("mod.ts", ROOT).href } });
  const starts: [string, StartOptions][] = [
    ["other", { deno: ["-A", "--config", own.path("other.json")] }],
    ["mapped", { program: "@weft/engine" }],
  ];
  for (const [word, options] of starts) {
    if (word === "mapped") await Deno.writeTextFile(own.path("deno.json"), weft);
    await using program = start(["-p", "0", "app.ts"], { ...options, cwd: own.directory });
    assert.match(await (await fetch(await program.url())).text(), new RegExp(`^${word} `));
    assert.doesNotMatch(program.stderr, /starting again/);
  }
});

linuxTest(
  "A package that is not installed is to be added, and no configuration that is used already is advised",
  async () => {
    const other = { "app.ts": 'import "other-words";\nexport default () => new Response();\n' };
    const shapes: [Record<string, string>, string[], string | RegExp][] = [
      [{ ...MAPPED, ...other }, [], "    (cd DIRECTORY && deno add npm:other-words)\n"],
      [{ ...MAPPED, ...other }, ["--config", "deno.json"], "    (cd DIRECTORY && deno add npm:other-words)\n"],
      [{ ...INSTALLED, "package.json": MANIFEST, ...other }, [], "    (cd DIRECTORY && npm install other-words)\n"],
      [{ "package.json": MANIFEST, "app.ts": APP }, [], "    (cd DIRECTORY && npm install)\n"],
    ];
    for (const [files, flags, advice] of shapes) {
      await using own = await project(files);
      const { code, stderr } = await runToEnd(["-p", "0", "app.ts"], { cwd: own.directory, deno: ["-A", ...flags] });
      assert.equal(code, 4, stderr);
      assert.ok(stderr.endsWith(`\n${String(advice).replace("DIRECTORY", own.directory)}`), stderr);
      assert.doesNotMatch(stderr, /--config [^ ]+ \S*mod\.ts/);
    }
  },
);
