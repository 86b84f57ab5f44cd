// Settings that nothing reads, because their name is wrong.

import assert from "node:assert/strict";
import { warnOfOptions, warnOfVariables } from "../../src/cli/misspelt.ts";
import { start } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";

Deno.test("A name close to a known option or variable is warned of, and no other", () => {
  const lines: string[] = [];
  const log = (_level: string, line: string) => void lines.push(line);
  warnOfOptions(["fetch", "maxBodyByte", "onerror", "prot", "test", "queue", "scheduled", "maxBodyBytes"], log);
  warnOfVariables(["WEFT_PROT", "WEFT_PORT", "WEFT_WORKER", "WEFT_MAX_BODY_SIZ", "WEFT_SUITE_PASSED"], log);
  assert.deepEqual(lines, [
    "the application's options: maxBodyByte is not known; did you mean maxBodyBytes?",
    "the application's options: onerror is not known; did you mean onError?",
    "the application's options: prot is not known; did you mean port?",
    "the environment: WEFT_PROT is not known; did you mean WEFT_PORT?",
    "the environment: WEFT_MAX_BODY_SIZ is not known; did you mean WEFT_MAX_BODY_SIZE?",
  ]);
});

Deno.test("The methods of a router beside fetch() are not taken for options", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  try {
    const path = `${directory}/app.${runtime.ending}`;
    const own = "{ fetch: () => new Response(), post() {}, patch() {} }";
    Deno.writeTextFileSync(path, `export default ${own};\n`);
    await using program = start(["-p", "0", path]);
    await program.url();
    program.kill("SIGTERM");
    assert.doesNotMatch((await program.ended).stderr, /WARN/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("The program warns at the start of an option and a variable that it does not know", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  try {
    const path = `${directory}/app.${runtime.ending}`;
    Deno.writeTextFileSync(path, "export default { fetch: () => new Response(), maxBodyByte: 10 };\n");
    await using program = start(["-p", "0", "-w", "2", path], { env: { WEFT_HEALT: "/health" } });
    await program.waitFor(/\[WARN\] the environment: WEFT_HEALT is not known; did you mean WEFT_HEALTH\?\n/);
    await program.waitFor(
      /\[WARN\] the application's options: maxBodyByte is not known; did you mean maxBodyBytes\?\n/,
    );
    await program.waitForCount(/worker=\d gen=\d pid=\d+ ready/, 2);
    // Every worker reads the variables and loads the application, but one warning is enough.
    assert.equal(program.stderr.match(/\[WARN\]/g)?.length, 2, program.stderr);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
