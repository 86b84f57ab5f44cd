// Progress kept in a real Redis, and what happens if it is away.

import assert from "node:assert/strict";
import { isFinal, type ProgressStore } from "../../src/progress/progress.ts";
import { redisStore } from "../../src/progress/redis_store.ts";
import { uploadProgress } from "../../src/progress/upload_progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { hasProgram } from "../helpers/program.ts";
import type { RawClient } from "../helpers/raw_client.ts";
import { freePort, Redis } from "../helpers/redis.ts";
import { bodyText } from "../helpers/responses.ts";
import { type Serving, serving } from "../helpers/serving.ts";
import { beginUpload, eventsIn, poll, pollUntil, readAndAnswer } from "../helpers/uploading.ts";

const ID = "holiday-film";
const ignore = !await hasProgram("redis-server");

/** A server as on a machine of its own: it shares nothing with another but the store. */
interface Machine extends AsyncDisposable {
  readonly server: Serving;
  readonly uploads: Uploads;
  readonly asking: RawClient;
  readonly store: ProgressStore;
  /** What its operator was told. */
  readonly lines: string[];
  /** Time as the store's warnings see it. */
  readonly clock: FakeClock;
}

async function machine(url: string): Promise<Machine> {
  const lines: string[] = [];
  const clock = new FakeClock();
  const store = redisStore(url, { clock, log: (level, message) => lines.push(`${level} ${message}`) });
  const uploads = new Uploads({ store });
  const server = serving(uploadProgress(readAndAnswer, { uploads }));
  const asking = await server.connect();
  return {
    server,
    uploads,
    asking,
    store,
    lines,
    clock,
    async [Symbol.asyncDispose]() {
      asking.close();
      await server[Symbol.asyncDispose]();
      uploads.close();
    },
  };
}

Deno.test({ name: "An upload to one machine is asked for on another", ignore }, async () => {
  await using redis = await Redis.start();
  await using here = await machine(redis.url);
  await using there = await machine(redis.url);
  using client = await beginUpload(here.server, `/201?progress_id=${ID}`, { size: 300_000 });
  await pollUntil(there.asking, ID, ({ state, size }) => state === "uploading" && size === 300_000);
  using watching = await there.server.connect();
  await watching.ask("GET", `/?progress_id=${ID}`, "accept: text/event-stream\r\n");
  for (let sent = 100_000; sent <= 200_000; sent += 100_000) {
    await client.send(new Uint8Array(100_000));
    await pollUntil(there.asking, ID, ({ received }) => received === sent);
  }
  const ttl = Number((await redis.ask(`PTTL weft:progress:${ID}`)).slice(1));
  assert.ok(ttl > 50_000 && ttl <= 60_000, `${ttl}`);
  await client.send(new Uint8Array(100_000));
  await client.responses(1);
  const { state, status, received } = await pollUntil(there.asking, ID, isFinal);
  assert.deepEqual([state, status, received], ["done", 201, 300_000]);
  const [events] = firstItems(await watching.responses(1), 1);
  assert.equal(eventsIn(bodyText(events)).at(-1)!.state, "done");
  assert.deepEqual([here.lines, there.lines], [[], []]);
});

Deno.test(
  { name: "Uploads go on where Redis is killed, and it is heard of again once it is back", ignore },
  async () => {
    await using redis = await Redis.start();
    await using here = await machine(redis.url);
    await using there = await machine(redis.url);
    using client = await beginUpload(here.server, `/?progress_id=${ID}`, { size: 300_000 });
    using other = await beginUpload(here.server, "/?progress_id=second-film", { size: 4 });
    await pollUntil(there.asking, ID, ({ state }) => state === "uploading");
    await redis.kill();
    await client.send(new Uint8Array(100_000));
    await pollUntil(here.asking, ID, ({ received }) => received === 100_000);
    await pollUntil(there.asking, ID, ({ state }) => state === "starting");
    const askedAt = performance.now();
    for (let asked = 0; asked < 20; asked++) assert.equal((await poll(there.asking, ID)).state, "starting");
    assert.ok(performance.now() - askedAt < 1_000);
    // One that ends meanwhile is not lost.
    await other.send("body");
    await other.responses(1);
    for (const { lines } of [here, there]) {
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.match(itemAt(lines, 0), /^WARN the progress store in Redis is away, uploads go on without it: .+/);
    }
    await redis.run();
    await pollUntil(there.asking, ID, ({ received }) => received === 100_000);
    assert.equal((await pollUntil(there.asking, "second-film", isFinal)).state, "done");
    await client.send(new Uint8Array(200_000));
    assert.equal(itemAt(await client.responses(1), 0).status, 200);
    assert.equal((await pollUntil(there.asking, ID, isFinal)).state, "done");
    assert.equal(here.lines.length, 1);
  },
);

Deno.test("Without Redis, uploads go on, and the operator hears of it once a minute", async () => {
  await using here = await machine(`redis://127.0.0.1:${freePort()}`);
  const { server, asking, lines, clock } = here;
  using client = await beginUpload(server, `/?progress_id=${ID}`, { size: 4 });
  await pollUntil(asking, ID, ({ state }) => state === "uploading");
  assert.equal((await poll(asking, "somebody-elses")).state, "starting");
  const untilLines = (count: number) => pollUntil(asking, ID, () => lines.length >= count);
  await untilLines(1);
  await clock.advance(59_000);
  assert.equal(lines.length, 1);
  await clock.advance(1_000);
  await untilLines(2);
  await client.send("body");
  assert.equal(itemAt(await client.responses(1), 0).status, 200);
  assert.equal((await poll(asking, ID)).state, "done");
});

Deno.test({ name: "A Redis that hangs keeps a poll waiting for half a second at most", ignore }, async () => {
  await using redis = await Redis.start();
  await using here = await machine(redis.url);
  using client = await beginUpload(here.server, `/?progress_id=${ID}`, { size: 4 });
  await pollUntil(here.asking, ID, ({ state }) => state === "uploading");
  while (await here.store.get(ID) === null) await here.asking.get("/");
  redis.freeze(true);
  const askedAt = performance.now();
  assert.equal((await poll(here.asking, "somebody-elses")).state, "starting");
  assert.ok(performance.now() - askedAt < 1_500);
  await client.send("body");
  assert.equal(itemAt(await client.responses(1), 0).status, 200);
  redis.freeze(false);
});

Deno.test("A store that is closed before it is connected lets go", async () => {
  const lines: string[] = [];
  const store = redisStore(`redis://127.0.0.1:${freePort()}`, { log: (_level, message) => lines.push(message) });
  store.put(ID, { state: "uploading", size: 1, received: 0, rate: 0, eta: -1, aborted: 0, status: 0 });
  await store.close();
  assert.equal(await store.get(ID), null);
  assert.deepEqual(lines, []);
});

Deno.test("What is no URL of Redis is refused, without its password", () => {
  for (const url of ["", "localhost:6379", "http://user:secret@host/", "redis://", "redis:secret"]) {
    assert.throws(() => redisStore(url), (error: Error) => {
      assert.ok(error instanceof TypeError);
      assert.match(error.message, /redis:\/\/host:6379/);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    }, url);
  }
});
