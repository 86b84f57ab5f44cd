// The tests that start the program, with the installed package on Node in the place of this tree on Deno.

import assert from "node:assert/strict";
import { programTests, runOnNode, stageFixtures } from "../../scripts/test_program.ts";
import { packageTest } from "../helpers/npm_package.ts";

/** Versions of Node differ in processes, sockets and signals. `deno task test:program 20` runs the other files too. */
const OF_PROCESSES: readonly string[] = ["reload", "stopping", "stopping_workers", "workers"].map((name) =>
  `tests/cli/${name}_test.ts`
);

/** Registers the tests. */
export function programTestsOnNode(): void {
  packageTest("What is tested on Deno with the program holds on Node", async (own, context) => {
    await stageFixtures(own.directory);
    const { files, leftOut } = programTests();
    for (const [path, why] of Object.entries(leftOut)) console.log(`left out, ${why}: ${path}`);
    for (const path of files.filter((path) => !OF_PROCESSES.includes(path))) {
      console.log(`left to \`deno task test:program\`, not steady on a machine with other work: ${path}`);
    }
    for (const version of ["20", "22", "24"] as const) {
      await context.step(`on Node ${version}`, async () => {
        const { isGood, output } = await runOnNode(own.directory, version, OF_PROCESSES);
        console.log(output);
        assert.ok(isGood, `the tests above fail on Node ${version}`);
      });
    }
  });
}
