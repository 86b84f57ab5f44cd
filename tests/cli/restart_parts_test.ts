// Tests that --restart serves the new code after a link, a configuration or a text of the application has changed, with
// real processes.

import assert from "node:assert/strict";
import { type Running, start, type StartOptions, unixTest } from "../helpers/program.ts";
import { onDeno, runtime } from "../helpers/runtime.ts";

/** A directory with files in it, gone afterwards. */
async function withFiles(files: Record<string, string>, call: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) await save(`${directory}/${name}`, text);
    await call(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function save(path: string, text: string): Promise<void> {
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeTextFile(path, text);
}

async function answerOf(program: Running): Promise<string> {
  const response = await fetch(await program.url(), { headers: { connection: "close" } });
  return await response.text();
}

function restarting(app: string, args: string[] = [], options: StartOptions = {}): Running {
  return start(["-r", "-p", "0", "--restart-delay", "50ms", ...args, app], options);
}

const APP = `app.${runtime.ending}`;
const answering = (text: string) => `export default () => new Response("${text}");\n`;
const configurationTest = onDeno("Node has no deno.json", unixTest);
const WITH_WORD = 'import { word } from "word";\nexport default () => new Response(word);\n';

const WAYS: Readonly<Record<string, { args: string[]; env: Record<string, string> }>> = {
  "": { args: [], env: {} },
  " by polling": { args: ["--restart-poll", "100ms"], env: {} },
  " by polling, asked for with the variable": { args: [], env: { WEFT_RESTART_POLL: "100ms" } },
};

for (const [way, { args, env }] of Object.entries(WAYS)) {
  unixTest(`A link that comes to point to another release is one restart${way}`, async () => {
    await withFiles(
      { [`releases/1/${APP}`]: answering("1"), [`releases/2/${APP}`]: answering("2") },
      async (directory) => {
        await Deno.symlink("releases/1", `${directory}/current`);
        await using program = restarting(`${directory}/current/${APP}`, args, { env });
        assert.equal(await answerOf(program), "1");
        await Deno.symlink("releases/2", `${directory}/next`);
        await Deno.rename(`${directory}/next`, `${directory}/current`);
        await program.waitFor(/restarted: gen=2 .*changed: \S*current/);
        assert.equal(await answerOf(program), "2");
        await save(`${directory}/releases/2/${APP}`, answering("3"));
        await program.waitFor(/restarted: gen=3 .*changed: \S*releases\/2\/app\.m?[jt]s/);
        assert.equal(await answerOf(program), "3");
      },
    );
  });
}

onDeno("Node imports no text", unixTest)("A text that the application imports is served as it is saved", async () => {
  const app = 'import text from "../texts/a.txt" with { type: "text" };\nexport default () => new Response(text);\n';
  await withFiles({ "src/app.ts": app, "texts/a.txt": "one" }, async (directory) => {
    await using program = restarting(`${directory}/src/app.ts`);
    assert.equal(await answerOf(program), "one");
    await save(`${directory}/texts/a.txt`, "two");
    await program.waitFor(/restarted: gen=2 .*a\.txt/);
    assert.equal(await answerOf(program), "two");
  });
});

configurationTest(
  "A configuration above the sources is used as it is saved, and so is a nearer one that comes",
  async () => {
    const imports = (path: string) => JSON.stringify({ imports: { word: path } });
    await withFiles({
      "deno.json": imports("./one.ts"),
      "one.ts": 'export const word = "one";',
      "two.ts": 'export const word = "two";',
      "src/deep/app.ts": WITH_WORD,
      "src/three.ts": 'export const word = "three";',
    }, async (directory) => {
      await using program = restarting(`${directory}/src/deep/app.ts`);
      assert.equal(await answerOf(program), "one");
      await save(`${directory}/deno.json`, imports("./two.ts"));
      await program.waitFor(/restarted: gen=2 .*deno\.json/);
      assert.equal(await answerOf(program), "two");
      await save(`${directory}/src/deno.json`, imports("./three.ts"));
      await program.waitFor(/restarted: gen=3 .*src\/deno\.json/);
      assert.equal(await answerOf(program), "three");
    });
  },
);

for (const flag of [["--config"], ["-c"]]) {
  configurationTest(`The configuration that was named with ${flag} counts, not the application's own`, async () => {
    const imports = (path: string) => JSON.stringify({ imports: { word: path } });
    await withFiles({
      "src/deno.json": imports("./none.ts"),
      "src/app.ts": WITH_WORD,
      "other/mine.json": imports("./one.ts"),
      "other/one.ts": 'export const word = "one";',
      "other/two.ts": 'export const word = "two";',
    }, async (directory) => {
      await using program = restarting(`${directory}/src/app.ts`, [], {
        deno: ["-A", ...flag, "other/mine.json"],
        cwd: directory,
      });
      assert.equal(await answerOf(program), "one");
      await save(`${directory}/other/mine.json`, imports("./two.ts"));
      await program.waitFor(/restarted: gen=2 .*mine\.json/);
      assert.equal(await answerOf(program), "two");
    });
  });
}
