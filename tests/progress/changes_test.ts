// How an upload is watched, and how a store is fed and asked, on a clock that the test advances.

import assert from "node:assert/strict";
import type { Progress, ProgressStore } from "../../src/progress/progress.ts";
import { STARTING } from "../../src/progress/progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { answerExchange, exchangeOf } from "../helpers/uploading.ts";

const ID = "holiday-film";
const TARGET = `/?progress_id=${ID}`;

/** A store in memory, which remembers when it was told what. */
class FakeStore implements ProgressStore {
  readonly known = new Map<string, Progress>();
  readonly puts: { at: number; id: string; progress: Progress }[] = [];
  closed = 0;
  #clock: FakeClock;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  put(id: string, progress: Progress): void {
    this.puts.push({ at: this.#clock.now(), id, progress });
    this.known.set(id, progress);
  }

  get(id: string): Promise<Progress | null> {
    return Promise.resolve(this.known.get(id) ?? null);
  }

  close(): void {
    this.closed++;
  }
}

/** Watches in the background, and notes when what was told. */
function watch(uploads: Uploads, clock: FakeClock, signal?: AbortSignal) {
  const seen: { at: number; progress: Progress }[] = [];
  const done = (async () => {
    for await (const progress of uploads.progressChanges(ID, { signal })) seen.push({ at: clock.now(), progress });
  })();
  return { seen, done, states: () => seen.map(({ progress }) => progress.state) };
}

function mostInASecond(times: readonly number[]): number {
  return Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + 1_000).length));
}

Deno.test("A watcher is told at once, at every change, and at the end", async () => {
  const clock = new FakeClock();
  const uploads = new Uploads({ clock });
  const { seen, states, done } = watch(uploads, clock);
  await settled();
  assert.deepEqual(states(), ["starting"]);
  await clock.advance(5_000);
  assert.equal(seen.length, 1, "nothing has changed");
  const exchange = exchangeOf(TARGET, { size: 1_000 });
  uploads.follow(exchange);
  await clock.advance(125);
  assert.deepEqual(states(), ["starting", "uploading"]);
  exchange.received = 400;
  await clock.advance(125);
  assert.equal(seen.at(-1)!.progress.received, 400);
  answerExchange(exchange, 201);
  await clock.advance(125);
  await done;
  assert.deepEqual([seen.at(-1)!.progress.state, seen.at(-1)!.progress.status], ["done", 201]);
  await clock.advance(62_000);
  assert.equal(clock.timers, 0);
});

Deno.test("A watcher is told at most ten times a second", async () => {
  const clock = new FakeClock();
  const uploads = new Uploads({ clock });
  const exchange = exchangeOf(TARGET, { size: 100_000 });
  uploads.follow(exchange);
  const { seen, done } = watch(uploads, clock);
  for (let step = 0; step < 500; step++) {
    exchange.received += 100;
    await clock.advance(10);
  }
  answerExchange(exchange);
  await clock.advance(125);
  await done;
  const most = mostInASecond(seen.map(({ at }) => at));
  assert.ok(most <= 10 && most >= 7, `${most}`);
});

Deno.test("A hundred watchers share one timer, and it stops when they leave", async () => {
  const clock = new FakeClock();
  const uploads = new Uploads({ clock });
  const stop = new AbortController();
  const watches = Array.from({ length: 100 }, () => watch(uploads, clock, stop.signal));
  await clock.advance(1_000);
  assert.equal(clock.timers, 1);
  stop.abort();
  await clock.advance(250);
  await Promise.all(watches.map(({ done }) => done));
  assert.equal(clock.timers, 0);
});

Deno.test("A loop that is left leaves no timer", async () => {
  const clock = new FakeClock();
  const uploads = new Uploads({ clock });
  for await (const progress of uploads.progressChanges(ID)) {
    assert.deepEqual(progress, STARTING);
    break;
  }
  assert.equal(clock.timers, 0);
});

Deno.test("A watcher of an upload that is never heard of is sent away after 60 s", async () => {
  const clock = new FakeClock();
  const uploads = new Uploads({ clock });
  const { states, done } = watch(uploads, clock);
  await clock.advance(61_000);
  await done;
  assert.deepEqual([states(), clock.timers], [["starting"], 0]);
});

Deno.test("A store is told at the start, at most ten times a second as it changes, and at the end", async () => {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
  const uploads = new Uploads({ clock, store });
  assert.equal(clock.timers, 0, "nothing runs");
  const exchange = exchangeOf(TARGET, { size: 100_000 });
  uploads.follow(exchange);
  assert.deepEqual(store.puts.map(({ progress }) => progress.received), [0]);
  for (let step = 0; step < 100; step++) {
    exchange.received += 1_000;
    await clock.advance(10);
  }
  answerExchange(exchange, 200);
  await settled();
  const most = mostInASecond(store.puts.map(({ at }) => at));
  assert.ok(most <= 10 && most >= 7, `${most}`);
  assert.equal(store.known.get(ID)!.state, "done");
  const { length } = store.puts;
  await clock.advance(70_000);
  assert.deepEqual([store.puts.length, clock.timers], [length, 0], "what is over is not told again");
});

Deno.test("A store is told again of what stands still, before it forgets it", async () => {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
  const uploads = new Uploads({ clock, store });
  uploads.follow(exchangeOf(TARGET, { size: 100 }));
  await clock.advance(120_000);
  assert.ok(store.puts.length >= 6 && store.puts.length < 10, `${store.puts.length}`);
});

Deno.test("Ten thousand uploads make about a thousand puts a second", async () => {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
  const uploads = new Uploads({ clock, store });
  const exchanges = Array.from({ length: 10_000 }, (_, nr) => exchangeOf(`/?progress_id=upload-${nr}`, { size: 1e6 }));
  for (const exchange of exchanges) uploads.follow(exchange);
  store.puts.length = 0;
  for (let second = 0; second < 30; second++) {
    for (const exchange of exchanges) exchange.received++;
    await clock.advance(1_000);
  }
  assert.ok(store.puts.length >= 20_000 && store.puts.length <= 40_000, `${store.puts.length}`);
});

Deno.test("Another process's upload is asked of the store, and all processes say the same of it", async () => {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
  const [here, there] = [new Uploads({ clock, store }), new Uploads({ clock, store })];
  const exchange = exchangeOf(TARGET, { size: 100 });
  there.follow(exchange);
  exchange.received = 30;
  assert.equal((await there.progressOf(ID)).received, 0, "as it was put: a bar must not go back when another is asked");
  assert.equal((await here.progressOf(ID)).received, 0);
  await clock.advance(125);
  assert.equal((await there.progressOf(ID)).received, 30);
  assert.equal((await here.progressOf(ID)).received, 30);
  const { states, done, seen } = watch(here, clock);
  await clock.advance(250);
  assert.equal(seen.at(-1)!.progress.received, 30);
  answerExchange(exchange, 507);
  await clock.advance(125);
  await done;
  assert.deepEqual([states().at(-1), seen.at(-1)!.progress.status], ["error", 507]);
});

Deno.test("What a store loses stays as it was last seen, and its watching ends after 60 s", async () => {
  const clock = new FakeClock();
  const store = new FakeStore(clock);
  const uploads = new Uploads({ clock, store });
  store.known.set(ID, { ...STARTING, state: "uploading", size: 10, received: 5 });
  const { states, done } = watch(uploads, clock);
  await clock.advance(10_000);
  store.known.clear();
  await clock.advance(59_000);
  assert.equal(clock.timers, 1);
  await clock.advance(2_000);
  await done;
  assert.deepEqual(states(), ["uploading"]);
});

Deno.test("A store that fails or hangs stops neither uploads nor polls", async () => {
  const clock = new FakeClock();
  const broken = () => Promise.reject(new Error("no store"));
  const throwing = () => {
    throw new Error("no store");
  };
  for (const act of [broken, throwing]) {
    using uploads = new Uploads({ clock, store: { put: act, get: act, close: act } });
    const exchange = exchangeOf(TARGET, { size: 10 });
    uploads.follow(exchange);
    await clock.advance(1_000);
    answerExchange(exchange);
    await settled();
    assert.equal((await uploads.progressOf(ID)).state, "done");
    assert.deepEqual(await uploads.progressOf("another-one"), STARTING);
  }
  const hanging = () => new Promise<never>(() => {});
  using uploads = new Uploads({ clock, store: { put: hanging, get: hanging, close: hanging } });
  const progress = uploads.progressOf(ID);
  await clock.advance(500);
  assert.deepEqual([await progress, clock.timers], [STARTING, 0]);
});

Deno.test("A registry that is closed closes its store once", () => {
  const store = new FakeStore(new FakeClock());
  const uploads = new Uploads({ store });
  uploads.close();
  uploads.close();
  assert.equal(store.closed, 1);
});
