// Tests that run on Deno and on Node: here they run on each version of Node, over the source as the package has it.

import assert from "node:assert/strict";
import { makeNodeTree } from "../helpers/node_tree.ts";
import { NODES, packageTest, runThrough } from "../helpers/npm_package.ts";

const TESTS = [
  "tests/platform/node_close_write_test.ts",
  "tests/websocket/behaviour_test.ts",
  "tests/websocket/echo_test.ts",
  "tests/websocket/engine_test.ts",
  "tests/websocket/handshake_test.ts",
  "tests/wire/permessage_deflate_test.ts",
  "tests/wire/websocket_property_test.ts",
  "tests/wire/websocket_reader_test.ts",
];

/** Registers the tests. */
export function bothRuntimesTests(): void {
  packageTest("What is tested on Deno holds on Node: WebSockets", async (own, context) => {
    const tree = `${own.directory}/tree`;
    const [first = "", ...files] = await makeNodeTree(tree, TESTS);
    for (const version of NODES) {
      for (const [i, file] of files.entries()) {
        await context.step(`on Node ${version}: ${TESTS[i]}`, async () => {
          const { code, stdout, stderr } = await runThrough(tree, own.node(version), first, file);
          assert.equal(code, 0, `${stdout}${stderr}`);
          assert.match(stdout, /^(#|ℹ) pass [1-9]/m);
          for (const [line] of stdout.matchAll(/^skipped, .*$/gm)) console.log(line);
        });
      }
    }
  });
}
