// What becomes of a listening socket that the program is started with, and of the variables that tell of it.

import assert from "node:assert/strict";
import { canInherit, inheriting } from "../helpers/inherited.ts";
import { start } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";

const APP = fixture("app");

for (
  const [how, args] of [["One process", []], ["A worker", ["-w", "1"]], ["A process with --fd", ["--fd", "3"]]] as const
) {
  Deno.test({
    name: `${how} hides the variables of a handed-over socket from what the application starts`,
    ignore: !canInherit,
    async fn() {
      const directory = await Deno.makeTempDir();
      const control = args[0] === "-w" ? ["--control", `${directory}/control.sock`] : [];
      try {
        await using program = start([...args, ...control, APP], {
          wrapper: inheriting(true),
          env: { LISTEN_OTHER: "kept" },
        });
        const variables = await (await fetch(`${await program.url()}/child-environment`)).text();
        assert.deepEqual(variables.match(/^LISTEN_.*$/gm), ["LISTEN_OTHER=kept"]);
        program.kill("SIGTERM");
        assert.equal((await program.ended).code, 0);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}
