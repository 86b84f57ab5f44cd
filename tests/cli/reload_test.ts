// How the program reloads its workers under load, and what it does if the new code is broken.

import assert from "node:assert/strict";
import { canInherit, inheriting } from "../helpers/inherited.ts";
import { Load } from "../helpers/load.ts";
import { linuxTest, unixTest } from "../helpers/program.ts";
import { runtime } from "../helpers/runtime.ts";
import { supervise, type Supervised, WORKERS_APP } from "../helpers/supervised.ts";

/** On Node there are fewer, because each takes longer there and the tests run a second time. */
const RELOADS = runtime.nodeMajor === null ? 20 : 6;

/** Reloads again and again while clients ask, some on connections that they keep, some on a new one each time. */
async function reloadUnderLoad(program: Supervised): Promise<{ kept: Load; fresh: Load }> {
  const port = await program.port();
  await program.atStrength(2);
  await using kept = new Load(port, { clients: 4, isKeptAlive: true });
  await using fresh = new Load(port, { clients: 2, isKeptAlive: false });
  for (let i = 2; i <= RELOADS + 1; i++) {
    await fresh.more(20);
    const reply = await program.ask({ ask: "reload" });
    assert.ok(reply.ok && "text" in reply, JSON.stringify(reply));
    assert.match(reply.text, new RegExp(`^reloaded: gen=${i} in \\d+ ms \\(ctl\\)$`));
  }
  await fresh.more(20);
  await Promise.all([kept.stop(), fresh.stop()]);
  return { kept, fresh };
}

linuxTest("Many reloads under load lose no request on a connection that is kept alive", async () => {
  await using program = await supervise(["-w", "2", WORKERS_APP]);
  const { kept, fresh } = await reloadUnderLoad(program);
  console.log(
    `${RELOADS} reloads of 2 workers on a shared port: kept alive ${kept.rate}, a connection each ${fresh.rate}`,
  );
  assert.deepEqual(kept.failed.filter(({ last }) => last !== null), []);
  // What comes to a listener just as it closes is reset by the system, if tcp_migrate_req is 0.
  assert.ok(fresh.failed.length < RELOADS * 2, fresh.rate);
  assert.doesNotMatch(program.stderr, /\[ERROR\]/);
});

for (const [how, isTold] of [["--fd", false], ["systemd", true]] as const) {
  Deno.test({
    name: `Many reloads lose nothing at all on a socket from ${how}`,
    ignore: !canInherit,
    async fn() {
      const port = isTold ? [] : ["--fd", "3"];
      await using program = await supervise(["-w", "2", WORKERS_APP], { port, wrapper: inheriting(isTold) });
      const { kept, fresh } = await reloadUnderLoad(program);
      assert.deepEqual([kept.failed, fresh.failed], [[], []]);
      assert.ok(fresh.answers.size >= 4, "several workers have answered");
      assert.equal((await program.stop()).code, 0);
    },
  });
}

unixTest("HUP reloads: the new code answers, and the old workers are gone", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const app = `${directory}/app.${runtime.ending}`;
  await Deno.writeTextFile(app, 'export default () => new Response("old");');
  await using program = await supervise(["-w", "2", app], { directory });
  const url = await program.url();
  await program.atStrength(2);
  assert.equal(await (await fetch(url)).text(), "old");
  await Deno.writeTextFile(app, 'export default () => new Response("new");');
  program.kill("SIGHUP");
  await program.waitFor(/\[INFO\] reloaded: gen=2 in \d+ ms \(HUP\)\n/);
  assert.equal(await (await fetch(url)).text(), "new");
  const workers = await program.atStrength(2);
  assert.deepEqual(workers.map(({ generation }) => generation), [2, 2]);
});

unixTest("A reload to code that does not work changes nothing, and says where it is broken", async () => {
  const directory = await Deno.makeTempDir({ prefix: "weft" });
  const app = `${directory}/app.${runtime.ending}`;
  const good = (options: string) => `export default { fetch: () => new Response("good"), ${options} };`;
  await Deno.writeTextFile(app, good(""));
  await using program = await supervise(["-w", "2", "--worker-timeout", "2", app], {
    directory,
    port: [],
    env: { PORT: "0" },
  });
  const url = (await program.url()).replace("0.0.0.0", "127.0.0.1");
  const pids = (await program.atStrength(2)).map(({ pid }) => pid);
  for (
    const [source, expected] of [
      ["export default {\n  fetch( {", /app\.m?[jt]s:2:\d+/],
      ['\n\nthrow new Error("no such table");', /Error: no such table\n\s+at file:\S+\/app\.m?[jt]s:3:7/],
      ["for (;;);", /ended before it was ready: timeout: not ready after 2 s/],
      [good('hostname: "203.0.113.1"'), /cannot listen on 203\.0\.113\.1:\d+: .*EADDRNOTAVAIL/],
      [good("port: 70000"), /the application's options: port: expected a number from 0 to 65535, got 70000/],
      [good("port: 81"), /the application's options: port 81, but this server listens on \d+/],
      ["export const nothing = 1;", /app\.m?[jt]s exports nothing that can be served/],
    ] as const
  ) {
    await Deno.writeTextFile(app, source);
    const reply = await program.ask({ ask: "reload" });
    assert.ok(!reply.ok, source);
    assert.equal(reply.code, 4);
    assert.match(reply.text, /^not reloaded: gen=1 goes on serving; /);
    assert.match(reply.text, expected);
    while (!program.stderr.includes(reply.text)) await program.more();
    assert.equal(await (await fetch(url)).text(), "good");
  }
  assert.deepEqual((await program.atStrength(2)).map(({ pid }) => pid), pids);
  const { code, stderr } = await program.ctl("reload");
  assert.equal(code, 4);
  assert.match(stderr, /^weft ctl: not reloaded: gen=1 goes on serving; /);
});

unixTest(
  "A variable that is not understood fails a reload with its name, and the old generation stays",
  async () => {
    const directory = await Deno.makeTempDir({ prefix: "weft" });
    const variables = `${directory}/variables`;
    await Deno.writeTextFile(variables, "WEFT_HEALTH=/healthz\n");
    await using program = await supervise(["-w", "1", WORKERS_APP], {
      directory,
      flags: [`--env-file=${variables}`],
    });
    await program.atStrength(1);
    await Deno.writeTextFile(variables, "WEFT_KEEP_ALIVE=soon\n");
    const { code, stderr } = await program.ctl("reload");
    assert.equal(code, 4);
    assert.match(stderr, /gen=1 goes on serving; WEFT_KEEP_ALIVE: expected seconds/);
    assert.equal((await program.status()).generation, 1);
    assert.equal((await program.stop()).code, 0);
  },
);
