// An application that is typed as ApplicationModule is served with each of its members.

import assert from "node:assert/strict";
import { start, unixTest } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";

const APP = fixture("typed_app");

unixTest("The program uses every member of a typed application", async () => {
  await using program = start([APP]);
  const url = await program.url();
  await program.waitFor(/listens on tcp/);
  const ask = async (path: string, headers: HeadersInit = {}) => {
    const response = await fetch(url + path, { headers });
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask("/"), [200, "hello tcp\n"]);
  assert.deepEqual(await ask("/", { "x-stop": "1" }), [401, "stopped\n"]);
  assert.deepEqual(await ask("/throws"), [503, "for onError\n"]);
  assert.equal((await ask("/", { "x-long": "a".repeat(12_000) }))[0], 431);
  program.kill("SIGTERM");
  await program.waitFor(/shut down/);
  assert.equal((await program.ended).code, 0);
});
