// The tests that start no program, on Node, over the sources as the package has them.

import assert from "node:assert/strict";
import { ROOMS, runRoom, stageForNode } from "../../scripts/test_node.ts";
import { NODES, packageTest } from "../helpers/npm_package.ts";

/** How many rooms are tested at a time. */
const AT_A_TIME = 2;

/** On the oldest Node all rooms are tested. In newer ones these meet other streams, sockets, globals and events. */
const OF_RUNTIME: readonly string[] = ["message", "connection", "engine", "websocket", "platform"];

/** Registers the tests. */
export function unitTests(): void {
  packageTest("What is tested on Deno without a program holds on Node", async (own, context) => {
    const staged = new URL(`file://${own.directory}-staged/`);
    await Deno.mkdir(staged);
    await stageForNode(staged);
    for (const version of NODES) {
      await context.step(`on Node ${version}`, async () => {
        const rooms = [...version === NODES[0] ? ROOMS : OF_RUNTIME];
        const total = { passed: 0, failed: 0, skipped: 0 };
        const reasons = new Map<string, number>();
        const outputs: string[] = [];
        await Promise.all(Array.from({ length: AT_A_TIME }, async () => {
          for (let room = rooms.shift(); room !== undefined; room = rooms.shift()) {
            const result = await runRoom(staged, own.node(version), room);
            for (const what of ["passed", "failed", "skipped"] as const) total[what] += result[what];
            for (const [reason, count] of result.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
            if (!result.isGood) outputs.push(`${room}\n${result.output}`);
          }
        }));
        const { passed, failed, skipped } = total;
        console.log(`Node ${version}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
        for (const [reason, count] of reasons) console.log(`  ${count} skipped: ${reason}`);
        assert.deepEqual(outputs, [], outputs.join("\n"));
      });
    }
  });
}
