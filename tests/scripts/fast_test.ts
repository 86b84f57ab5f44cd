// Which tests `deno task fast` runs.

import assert from "node:assert/strict";
import { startsProcess } from "../../scripts/fast.ts";

/** In pieces, so that this file is not taken for one that starts a process. */
const COMMAND = ["Deno", "Command"].join(".");
const CHILD_PROCESS = ["node", "child_process"].join(":");

const TEST = new URL("file:///weft/tests/cli/a_test.ts");

/** Judges a test in a tree of files; a file that is read must be there. */
function judge(files: Record<string, string>): boolean {
  return startsProcess(TEST, ({ pathname }) => {
    const text = files[pathname.replace("/weft/tests/", "")];
    assert.notEqual(text, undefined, `${pathname} was read`);
    return text!;
  });
}

Deno.test("A test that starts a process is not fast", () => {
  assert.equal(judge({ "cli/a_test.ts": `new ${COMMAND}("true").spawn();` }), true);
  assert.equal(judge({ "cli/a_test.ts": `import { spawn } from "${CHILD_PROCESS}";` }), true);
});

Deno.test("A test is not fast if a helper of its helper starts a process", () => {
  const helper = 'import {\n  start,\n} from "./program.ts";\n';
  assert.equal(
    judge({
      "cli/a_test.ts": 'import { demo } from "../helpers/demo.ts";\n',
      "helpers/demo.ts": `// Its import needs two lines.\n${helper}`,
      "helpers/program.ts": `export const start = () => new ${COMMAND}("true").spawn();`,
    }),
    true,
  );
});

Deno.test("A test is fast if only a comment or the code under test names a process", () => {
  assert.equal(
    judge({
      "cli/a_test.ts":
        `// ${COMMAND} is not used.\nimport { a } from "../../src/a.ts";\nimport { b } from "../helpers/b.ts";\n`,
      "helpers/b.ts": 'import { a } from "../cli/a_test.ts";\nexport type { C } from "./c.ts";\n',
      "helpers/c.ts": `/* ${COMMAND} */ export type C = number;`,
    }),
    false,
  );
});

Deno.test("The tests of the wire are fast, and those that start the program or a browser are not", () => {
  const isSlow = (path: string) => startsProcess(new URL(`../${path}`, import.meta.url), Deno.readTextFileSync);
  assert.deepEqual(["wire/corpus_test.ts", "prefork/roster_start_test.ts"].filter(isSlow), []);
  const slow = ["cli/workers_test.ts", "demo/browser_test.ts", "examples_test.ts", "progress/redis_store_test.ts"];
  assert.deepEqual(slow.filter(isSlow), slow);
});
