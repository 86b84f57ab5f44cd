// What becomes of an error that the application does not catch while it loads, in every kind of process.

import assert from "node:assert/strict";
import { start, unixTest } from "../helpers/program.ts";

/** The application fails twice without catching it, and is still loading when the runtime notices. */
const APP = `
Promise.reject(new Error("floating"));
setTimeout(() => { throw new Error("thrown in a timer"); });
await new Promise((resolve) => setTimeout(resolve, 20));
export default () => new Response("served");
`;

for (
  const [kind, args] of Object.entries({ "One process": [], "A worker": ["-w", "1"], "A restarting program": ["-r"] })
) {
  unixTest(`${kind} logs what the application does not catch while it loads, and serves`, async () => {
    const directory = await Deno.makeTempDir({ prefix: "weft" });
    await Deno.writeTextFile(`${directory}/app.js`, APP);
    await using program = start(["-p", "0", ...args, `${directory}/app.js`]);
    const url = await program.url();
    assert.equal(await (await fetch(url)).text(), "served");
    await program.waitFor(/\[ERROR\] uncaught error: Error: floating\n\s+at .*app\.js:2:\d+/);
    await program.waitFor(/\[ERROR\] uncaught error: Error: thrown in a timer\n\s+at .*app\.js:3:\d+/);
    program.kill("SIGTERM");
    assert.equal((await program.ended).code, 0);
    await Deno.remove(directory, { recursive: true });
  });
}
