// Where the control socket is if the directory for it is missing, belongs to another user or is open to others.

import { denoPlatform } from "../../src/platform/deno.ts";
import assert from "node:assert/strict";
import { itemAt } from "../helpers/items.ts";
import { type Running, runToEnd, start, type StartOptions, unixTest } from "../helpers/program.ts";
import { WORKERS_APP } from "../helpers/supervised.ts";

/** A number of no user here. */
const ANOTHER_USER = 54_321;

/** Runs with a directory for temporary files of its own, which is gone afterwards. */
async function withTemporary(call: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = await Deno.makeTempDir({ prefix: "weft" });
  try {
    await call(temporary);
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
}

/** The directory of the control socket that a program says it has. */
async function directoryOf(program: Running): Promise<string> {
  return itemAt(await program.waitFor(/; control: (.*)\/\d+\.sock\n/), 1);
}

async function assertFallback(options: StartOptions, expected: string): Promise<void> {
  await using program = start(["-w", "1", "-p", "0", WORKERS_APP], options);
  assert.equal(await directoryOf(program), expected);
  const { mode, uid } = await Deno.stat(expected);
  assert.deepEqual([mode! & 0o777, uid], [0o700, Deno.uid()]);
  const { code, stdout, stderr } = await runToEnd(["ctl", "status"], options);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^serving at /);
  program.kill("SIGTERM");
  assert.equal((await program.ended).code, 0);
}

/** What XDG_RUNTIME_DIR may name: made in a directory, or null for what cannot be made by this user. */
const UNUSABLE: Readonly<Record<string, (directory: string) => string | null>> = {
  "does not exist": (directory) => `${directory}/gone`,
  "is relative": () => ".",
  "is a file": (directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    return `${directory}/file`;
  },
  "is open to others": (directory) => {
    Deno.mkdirSync(`${directory}/open`);
    Deno.chmodSync(`${directory}/open`, 0o755);
    return `${directory}/open`;
  },
  "belongs to another user": (directory) => {
    if (Deno.uid() !== 0) return null;
    Deno.mkdirSync(`${directory}/other`, { mode: 0o700 });
    Deno.chownSync(`${directory}/other`, ANOTHER_USER, null);
    return `${directory}/other`;
  },
  "is too long for a socket": (directory) => {
    const path = `${directory}/${"long".repeat(25)}`;
    Deno.mkdirSync(path, { mode: 0o700 });
    return path;
  },
  "has a weft that others can enter": (directory) => {
    Deno.mkdirSync(`${directory}/run/weft`, { recursive: true, mode: 0o700 });
    Deno.chmodSync(`${directory}/run/weft`, 0o755);
    return `${directory}/run`;
  },
};

for (const [what, make] of Object.entries(UNUSABLE)) {
  unixTest(`An XDG_RUNTIME_DIR that ${what} is not used: the socket is in the temporary directory`, async () => {
    await withTemporary(async (temporary) => {
      const path = make(temporary);
      if (path === null) return console.log(`skipped, only root can make a directory that ${what}`);
      const env = { XDG_RUNTIME_DIR: path, TMPDIR: temporary };
      await assertFallback({ env, cwd: temporary }, `${temporary}/weft-${Deno.uid()}`);
      const names = Array.from(Deno.readDirSync(temporary), ({ name }) => name);
      assert.ok(!names.includes("gone") && !names.includes("weft"), "nothing is made in its place");
    });
  });
}

unixTest("Without XDG_RUNTIME_DIR the socket is in the temporary directory", async () => {
  await withTemporary(async (temporary) => {
    const options = { env: { TMPDIR: temporary }, wrapper: ["env", "-u", "XDG_RUNTIME_DIR"] };
    await assertFallback(options, `${temporary}/weft-${Deno.uid()}`);
  });
});

unixTest("A TMPDIR that does not exist is not made: the socket is in /tmp", async () => {
  await withTemporary(async (temporary) => {
    const env = { XDG_RUNTIME_DIR: "", TMPDIR: `${temporary}/gone` };
    await using program = start(["-w", "1", "-p", "0", WORKERS_APP], { env });
    assert.equal(await directoryOf(program), `/tmp/weft-${Deno.uid()}`);
    await assert.rejects(() => Deno.stat(`${temporary}/gone`), Deno.errors.NotFound);
  });
});

unixTest("An empty WEFT_CONTROL is as good as none for ctl", async () => {
  await withTemporary(async (temporary) => {
    const { stderr } = await runToEnd(["ctl", "status"], {
      env: { WEFT_CONTROL: "", XDG_RUNTIME_DIR: "", TMPDIR: temporary },
    });
    assert.match(stderr, /^weft: no supervisor runs \(looked in /);
  });
});

Deno.test("A socket that another supervisor clears at the same moment is no obstacle", () => {
  const path = `${Deno.makeTempDirSync()}/4711.sock`;
  Deno.writeTextFileSync(path, "");
  denoPlatform.removeFile(path);
  denoPlatform.removeFile(path);
  assert.equal(denoPlatform.files.kindOf(path), null);
});
