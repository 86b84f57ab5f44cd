// What --restart does when files are saved, with real files and real processes.

import assert from "node:assert/strict";
import { type Running, runToEnd, start, unixTest } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";

/** Saves in a row; each waits for the restart before it, as fast as that comes. On Node there are fewer, because each takes longer. */
const SAVES = runtime.nodeMajor === null ? 30 : 10;
const FILES = 200;
const VERSION = `version.${runtime.ending}`;

/** An application in a directory of its own, whose answer is the number in one of its modules. */
class Project implements AsyncDisposable {
  readonly app: string;
  #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.app = `${directory}/app.${runtime.ending}`;
    this.save(VERSION, "export const version = 0;\n");
    this.save(
      `app.${runtime.ending}`,
      `import { version } from "./${VERSION}";\nexport default { fetch: () => new Response(String(version)) };\n`,
    );
  }

  static async make(): Promise<Project> {
    return new Project(await Deno.makeTempDir());
  }

  save(name: string, text: string): void {
    Deno.writeTextFileSync(`${this.#directory}/${name}`, text);
  }

  /** As many editors do: the new text under another name, which then takes the file's. */
  saveAtomically(name: string, text: string): void {
    this.save(`.${name}.tmp`, text);
    Deno.renameSync(`${this.#directory}/.${name}.tmp`, `${this.#directory}/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function startRestarting({ app }: Project, args: string[] = []): Running {
  return start(["-r", "-p", "0", "--restart-delay", "50ms", ...args, app]);
}

/** Lines that tell of a restart that came about. */
function restartsOf(program: Running): number {
  return program.stderr.match(/\[INFO\] restarted: gen=\d+ /g)?.length ?? 0;
}

/** Asks on a connection of its own; null if that was reset while it waited in the queue of a socket that closed. */
async function answerOrReset(url: string): Promise<number | null> {
  try {
    const response = await fetch(url, { headers: { connection: "close" } });
    return Number(await response.text());
  } catch (error) {
    if (/reset by peer|Connection reset/.test(String((error as Error).cause))) return null;
    throw error;
  }
}

async function answerOf(url: string): Promise<number> {
  for (;;) {
    const answer = await answerOrReset(url);
    if (answer !== null) return answer;
  }
}

unixTest("One save is one restart, no connection is refused, and no old code answers after the line", async () => {
  await using project = await Project.make();
  await using program = startRestarting(project);
  const url = await program.url();
  let isOver = false;
  let asked = 0;
  let reset = 0;
  const asking = (async () => {
    while (!isOver) {
      const least = restartsOf(program);
      const version = await answerOrReset(url);
      if (version === null) {
        reset++;
        continue;
      }
      assert.ok(version >= least, `version ${version} answered after ${least} restarts`);
      asked++;
    }
  })();
  for (let version = 1; version <= SAVES; version++) {
    const text = `export const version = ${version};\n`;
    if (version % 2 === 0) project.save(VERSION, text);
    else project.saveAtomically(VERSION, text);
    await Promise.race([program.waitFor(new RegExp(`restarted: gen=${version + 1} `)), asking]);
  }
  isOver = true;
  await asking;
  assert.equal(await answerOf(url), SAVES);
  assert.equal(restartsOf(program), SAVES);
  console.log(`${SAVES} restarts: ${asked} requests were answered on new connections, ${reset} connections were reset`);
  assert.ok(asked > SAVES && reset < asked / 20);
});

unixTest("Many files that are written at once are one restart", async () => {
  await using project = await Project.make();
  await using program = startRestarting(project, ["--restart-delay", "300ms"]);
  await program.url();
  for (let i = 0; i < FILES; i++) project.save(`part_${i}.${runtime.ending}`, `export const part = ${i};\n`);
  project.save(VERSION, "export const version = 1;\n");
  await program.waitFor(/restarted: gen=2 .*and \d+ more\)/);
  // Had there been another one, it would stand before this.
  project.save(VERSION, "export const version = 2;\n");
  await program.waitFor(/restarted: gen=3 .*version\.m?[jt]s\)/);
  assert.equal(restartsOf(program), 2);
});

unixTest(
  "Code that does not load is shown with its line, the old code goes on, and the next save tries again",
  async () => {
    await using project = await Project.make();
    await using program = startRestarting(project);
    const url = await program.url();
    project.save(VERSION, "export const version = nothing;\n");
    await program.waitFor(/\[ERROR\] not restarted: gen=1 goes on serving; cannot load the application/);
    await program.waitFor(/ReferenceError: nothing is not defined[\s\S]*version\.m?[jt]s:1:24[\s\S]*\^/);
    assert.equal(await answerOf(url), 0);
    project.save(VERSION, "export const version = 1;\n");
    await program.waitFor(/restarted: gen=3 /);
    assert.equal(await answerOf(url), 1);
  },
);

unixTest("A directory that is named is watched with all below it, for the files that were named", async () => {
  await using project = await Project.make();
  const directory = project.app.slice(0, -`/app.${runtime.ending}`.length);
  Deno.mkdirSync(`${directory}/texts/deep`, { recursive: true });
  await using program = startRestarting(project, [
    "--restart-directory",
    `${directory}/texts`,
    "--restart-regex",
    "\\.txt$",
  ]);
  await program.url();
  project.save(VERSION, "export const version = 1;\n");
  project.save("texts/deep/one.md", "not watched");
  project.save("texts/deep/one.txt", "watched");
  await program.waitFor(/restarted: gen=2 in \d+ ms \(changed: .*texts\/deep\/one\.txt\)/);
});

Deno.test("There is nothing to watch without an application, and a pattern that is none is refused", async () => {
  const nothing = await runToEnd(["-r", "-p", "0"]);
  assert.equal(nothing.code, 2);
  assert.match(nothing.stderr, /^weft: --restart: there is nothing to watch/);
  await using project = await Project.make();
  const pattern = await runToEnd(["-r", "-p", "0", "--restart-regex", "(", project.app]);
  assert.equal(pattern.code, 2);
  assert.match(pattern.stderr, /^weft: --restart-regex: /);
});
