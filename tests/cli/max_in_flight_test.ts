// --max-in-flight: in one process and in workers, and what the dump shows of it.

import assert from "node:assert/strict";
import { start, unixTest } from "../helpers/program.ts";
import { fixture } from "../helpers/runtime.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { supervise, WORKERS_APP } from "../helpers/supervised.ts";

const APP = fixture("app");

async function connectTo(url: string): Promise<RawClient> {
  return await RawClient.connect({ transport: "tcp", hostname: "127.0.0.1", port: Number(new URL(url).port) });
}

unixTest("Above the limit a request waits, the next one is refused, and the dump counts them", async () => {
  await using program = start(["-p", "0", "--max-in-flight", "1", "--debug", "--health", "/healthz", APP]);
  const url = await program.url();
  using running = await connectTo(url);
  using waiting = await connectTo(url);
  using refused = await connectTo(url);
  await running.ask("GET", "/never/1");
  await program.waitFor(/dispatch GET \/never\/1/);
  await waiting.ask("GET", "/never/2");
  await program.waitFor(/dispatch GET \/never\/2/);
  assert.equal((await refused.get("/3")).status, 503);
  assert.equal((await refused.get("/healthz")).status, 200);
  program.kill("SIGUSR1");
  await program.waitFor(/^in flight: 1 run, 1 wait, 1 were refused$/m);
  assert.match(program.stderr, / maxInFlight=1 /);
});

unixTest("The dump adds up what workers count", async () => {
  await using program = await supervise(["-w", "2", "--max-in-flight", "3", WORKERS_APP]);
  await program.atStrength(2);
  using client = await connectTo(await program.url());
  await client.ask("GET", "/never");
  for (let text = ""; !/^in flight: 1 run, 0 wait, 0 were refused$/m.test(text);) {
    const reply = await program.ask({ ask: "dump" });
    text = reply.ok && "text" in reply ? reply.text : "";
    assert.match(text, /^in flight: /m);
  }
  program.kill("SIGTERM");
  await program.waitFor(/SIGTERM: stopping/);
  program.kill("SIGTERM");
  await program.ended;
});

unixTest("Without a limit the dump has no line about it", async () => {
  await using program = start(["-p", "0", APP]);
  await program.url();
  program.kill("SIGUSR1");
  await program.waitFor(/^Active clients: 0$/m);
  assert.doesNotMatch(program.stderr, /in flight/);
});
