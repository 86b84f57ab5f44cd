// The tests that start the program, with the installed package on Node in the place of this tree on Deno.

import assert from "node:assert/strict";
import { programTests, runProgramTests, stageFixtures } from "../../scripts/test_program.ts";
import { NODES, packageTest } from "../helpers/npm_package.ts";

/** On the oldest Node all files run. In newer ones these meet other processes, sockets and signals. */
const OF_PROCESSES: readonly string[] = ["reload", "stopping", "stopping_workers", "workers"].map((name) =>
  `tests/cli/${name}_test.ts`
);

/** Registers the tests. */
export function programTestsOnNode(): void {
  packageTest("What is tested on Deno with the program holds on Node", async (own, context) => {
    await stageFixtures(own.directory);
    const { files, leftOut } = programTests(NODES[0]);
    for (const [path, why] of Object.entries(leftOut)) console.log(`left out, ${why}: ${path}`);
    for (const version of NODES) {
      await context.step(`on Node ${version}`, async () => {
        const { isGood, output } = await runProgramTests(
          own.directory,
          version,
          version === NODES[0] ? files : OF_PROCESSES,
        );
        console.log(output);
        assert.ok(isGood, `the tests above fail on Node ${version}`);
      });
    }
  });
}
