// The program `weft` of the npm package.
// It is staged as src/cli/bin.ts. What it imports at once is understood by every Node that knows modules: an older one gets a
// message instead of a syntax error.

import { process } from "../../src/platform/node_process.ts";
import { nodeProblem } from "../../src/platform/node_version.ts";

// Without a listener Node opens its debugger on this signal.
if (process.platform !== "win32") process.on("SIGUSR1", () => {});

const problem = nodeProblem(process.versions.node);
if (problem === null) {
  import("../../src/cli/main.ts").then(({ main }) => main());
} else {
  process.stderr.write(`weft: ${problem}\n`);
  process.exitCode = 2;
}
