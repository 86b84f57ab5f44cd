// An application is served, configured and reloaded whatever its path consists of.

import assert from "node:assert/strict";
import { start, type StartOptions, unixTest } from "../helpers/program.ts";

/** Names that a Unix file system allows, and that a URL, a shell, a command line or a log could misread. */
const NAMES = [
  "plain",
  "a b",
  " a ",
  "100%",
  "a%20b",
  "a%2Fb",
  "%2e%2e",
  "%zz",
  "a#b",
  "a?b=c",
  "a'b",
  'a"b',
  "a\nb",
  "a\tb\rc",
  "a\x01\x1b[31mb\x7f",
  "a\\b",
  "C:\\x",
  "C|",
  "ünï",
  "e\u0301 日本 🙂",
  "\u2028\ufeff",
  "-r",
  "--help",
  "a:b",
  "ab:c",
  "a:1:2",
  "a,b",
  "a=b",
  "@a",
  "~",
  "$HOME `x` ;&|<>*[]{}()!^+",
  "...",
];

/** Starts at once: as many as the smallest machine of the tests has processors. */
const AT_ONCE = 2;

function encode(name: string): string {
  return encodeURIComponent(name).replaceAll("'", "%27");
}

/** An application, its configuration and its module, all in directories of an odd name and with odd names. */
function makeProject(root: string, name: string): { directory: string; app: string; save(version: number): void } {
  const directory = `${root}/${name}`;
  Deno.mkdirSync(`${directory}/lib ${name}`, { recursive: true });
  const save = (version: number) =>
    Deno.writeTextFileSync(`${directory}/lib ${name}/${name}.ts`, `export const version = ${version};\n`);
  save(1);
  Deno.writeTextFileSync(
    `${directory}/deno.json`,
    JSON.stringify({ imports: { dep: `./${encode(`lib ${name}`)}/${encode(name)}.ts` } }),
  );
  Deno.writeTextFileSync(
    `${directory}/${name}.ts`,
    'import { version } from "dep";\nexport default () => Response.json([version, Deno.args]);\n',
  );
  return { directory, app: `${directory}/${name}.ts`, save };
}

async function withProject(name: string, call: (project: ReturnType<typeof makeProject>) => Promise<void>) {
  const root = await Deno.makeTempDir({ prefix: "weft" });
  try {
    await call(makeProject(root, name));
  } catch (error) {
    throw new Error(`with the name ${JSON.stringify(name)}`, { cause: error });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Tries every name, a few at a time. */
async function withEveryName(call: (project: ReturnType<typeof makeProject>, name: string) => Promise<void>) {
  const names = [...NAMES];
  const failed: unknown[] = [];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const own = name;
      await withProject(name, (project) => call(project, own)).catch((error) => failed.push(error));
    }
  }));
  if (failed.length > 0) throw new AggregateError(failed, failed.map((error) => Deno.inspect(error)).join("\n"));
}

async function assertServes(args: string[], options: StartOptions): Promise<void> {
  await using program = start(["-p", "0", ...args, "--", "--own"], options);
  assert.deepEqual(await (await fetch(await program.url())).json(), [1, ["--own"]]);
}

unixTest(
  "One process serves an application with any name, from its directory, with a configuration that is named",
  async () => {
    await withEveryName(async ({ directory }, name) => {
      await assertServes([`./${name}.ts`], { cwd: directory, deno: ["-A", "--config", `${directory}/deno.json`] });
    });
  },
);

unixTest("A URL of a file is as good as its path", async () => {
  await withEveryName(async ({ app, directory }) => {
    const url = `file://${app.split("/").map(encode).join("/")}`;
    await assertServes([url], { deno: ["-A", "--config", `${directory}/deno.json`] });
  });
});

unixTest("Workers find the configuration beside an application with any name, and -r restarts them", async () => {
  await withEveryName(async ({ app, save }) => {
    await using program = start(["-p", "0", "-r", "--restart-delay", "20ms", app]);
    const url = await program.url();
    const version = async () => (await (await fetch(url, { headers: { connection: "close" } })).json())[0];
    assert.equal(await version(), 1);
    save(2);
    // One line of the log is one line, whatever the name has in it.
    await program.waitFor(/\[INFO\] restarted: gen=2 in \d+ ms \(changed: \P{Cc}+\)\n/u);
    assert.equal(await version(), 2);
    program.kill("SIGHUP");
    await program.waitFor(/\[INFO\] reloaded: gen=3 in /);
    assert.doesNotMatch(program.stderr, /WARN|\p{Cc}(?<!\n)/u);
  });
});

unixTest("A directory that is watched may have any name", async () => {
  await withEveryName(async ({ app, directory }, name) => {
    await using program = start(["-p", "0", "-r", "--restart-delay", "20ms", "--restart-directory", directory, app]);
    await program.url();
    Deno.writeTextFileSync(`${directory}/lib ${name}/${name}.html`, "<p>");
    await program.waitFor(/\[INFO\] restarted: gen=2 in \d+ ms \(changed: \P{Cc}+\.html"?\)\n/u);
  });
});
