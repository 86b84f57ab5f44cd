// How programs of the system are started, told to end, and killed.

import assert from "node:assert/strict";
import { programs } from "../../src/platform/deno_programs.ts";
import { ProgramMissing } from "../../src/platform/errors.ts";
import { unixTest } from "../helpers/program.ts";

function shell(script: string): { program: ReturnType<typeof programs.start>; said: () => string } {
  const decoder = new TextDecoder();
  let text = "";
  const program = programs.start({
    command: "sh",
    args: ["-c", script],
    onStderr: (bytes) => text += decoder.decode(bytes, { stream: true }),
  });
  return { program, said: () => text };
}

unixTest("A program says what it says on stderr, and ends with its code", async () => {
  const { program, said } = shell("echo hidden; echo told >&2; exit 3");
  assert.deepEqual(await program.ended, { code: 3, signal: null });
  await program.silent;
  assert.equal(said(), "told\n");
  program.closeStdin();
});

unixTest("A program that reads its stdin learns that it has to end", async () => {
  const { program } = shell("cat >/dev/null; exit 4");
  program.closeStdin();
  program.closeStdin();
  assert.equal((await program.ended).code, 4);
  await program.silent;
});

unixTest("All processes of a group are killed at once, and a group without processes is left alone", async () => {
  const { program, said } = shell('perl -e "setpgrp 0, 0; fork; print STDERR qq(\\$\\$\\n); sleep 60" & wait');
  while ((said().match(/\n/g) ?? []).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  const pids = said().trim().split("\n").map(Number);
  const group = Math.min(...pids);
  programs.killGroup(group);
  await program.ended;
  await program.silent;
  programs.killGroup(2 ** 22 - 1);
  program.closeStdin();
});

unixTest("A program that is not there is told of as such", () => {
  assert.throws(
    () => programs.start({ command: "weft-has-no-such-program", args: [], onStderr() {} }),
    (error: unknown) => error instanceof ProgramMissing && /weft-has-no-such-program/.test(error.message),
  );
  return Promise.resolve();
});
