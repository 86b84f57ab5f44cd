// What becomes of streams without an end when their process leaves: at a stop, a reload, a restart and max-requests.

import assert from "node:assert/strict";
import { start, unixTest } from "../helpers/program.ts";
import { fixture, runtime } from "../helpers/runtime.ts";
import { supervise, type Supervised } from "../helpers/supervised.ts";

const APP = fixture("endless_app");

/** Asks for a stream, and waits for its beginning. */
async function begin(url: string): Promise<ReadableStreamDefaultReader<string>> {
  const { body } = await fetch(url);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal((await reader.read()).value, "begun ");
  return reader;
}

/** Reads a stream to its end; null if it was cut. */
async function restOf(reader: ReadableStreamDefaultReader<string>): Promise<string | null> {
  let text = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += value;
    }
  } catch (error) {
    assert.ok(error instanceof TypeError, "a stream that is cut fails with a TypeError");
    return null;
  }
}

/** Waits until the supervisor was told of so many connections. */
async function untilOpen(program: Supervised, count: number): Promise<void> {
  const openNow = async () => (await program.status()).workers.reduce((sum, { connections }) => sum + connections, 0);
  while (await openNow() !== count);
}

unixTest("At a stop of one process a stream that heeds the leaving signal ends in order", async () => {
  await using program = start(["-p", "0", APP]);
  const reader = await begin(`${await program.url()}/polite`);
  program.kill("SIGTERM");
  assert.equal(await restOf(reader), "ended");
  const { code, stderr } = await program.ended;
  assert.equal(code, 0);
  assert.match(stderr, /connections finished: 1, cut: 0, refused: 0\n$/);
});

unixTest("At a stop of workers such a stream ends in order, and the first line counts it", async () => {
  await using program = await supervise(["-w", "2", APP]);
  await program.atStrength(2);
  const url = await program.url();
  const readers = await Promise.all([begin(`${url}/polite`), begin(`${url}/polite`)]);
  await untilOpen(program, 2);
  program.kill("SIGTERM");
  await program.waitFor(/\[INFO\] SIGTERM: stopping; connections open: 2; send it again to stop now/);
  assert.deepEqual(await Promise.all(readers.map(restOf)), ["ended", "ended"]);
  assert.equal((await program.ended).code, 0);
});

unixTest(
  "A reload ends the streams of the old workers that heed the leaving signal, and leaves the others",
  async () => {
    await using program = await supervise(["-w", "1", APP]);
    await program.atStrength(1);
    const url = await program.url();
    const [polite, rude] = [await begin(`${url}/polite`), await begin(`${url}/rude`)];
    assert.ok((await program.ask({ ask: "reload" })).ok);
    assert.equal(await restOf(polite), "ended");
    const read = rude.read();
    read.catch(() => {});
    assert.equal((await program.status()).workers.length, 2, "the graceful timeout of 30 s is not over");
    program.kill("SIGTERM");
    await program.waitFor(/SIGTERM: stopping/);
    program.kill("SIGTERM");
    await program.ended;
  },
);

unixTest("A worker that has had its share of requests fires the leaving signal", async () => {
  await using program = await supervise(["-w", "1", "--max-requests", "1", APP]);
  await program.atStrength(1);
  assert.equal(await restOf(await begin(`${await program.url()}/polite`)), "ended");
});

unixTest("With --restart a stream of the old code is cut after one second, not after thirty", async () => {
  const directory = await Deno.makeTempDir();
  const app = `${directory}/app.${runtime.ending}`;
  const text = (await Deno.readTextFile(APP)).replace("../../mod.ts", runtime.packageName);
  await Deno.writeTextFile(app, text);
  {
    await using program = await supervise(["-r", app]);
    await program.atStrength(1);
    const url = await program.url();
    const [polite, rude] = [await begin(`${url}/polite`), await begin(`${url}/rude`)];
    await Deno.writeTextFile(app, `${text}// saved\n`);
    assert.equal(await restOf(polite), "ended");
    assert.equal(await restOf(rude), null);
    await program.waitFor(/the graceful timeout is over; connections cut: 1/);
    const reply = await program.ask({ ask: "dump" });
    assert.match(reply.ok && "text" in reply ? reply.text : "", /gracefulTimeoutMs=1000 /);
  }
  await Deno.remove(directory, { recursive: true });
});

unixTest("With --restart a graceful timeout that is given counts", async () => {
  await using program = await supervise(["-r", "--graceful-timeout", "7", APP]);
  await program.atStrength(1);
  const reply = await program.ask({ ask: "dump" });
  assert.match(reply.ok && "text" in reply ? reply.text : "", /gracefulTimeoutMs=7000 /);
});
