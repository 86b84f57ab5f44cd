// What the registry tells of an upload from its start to a minute after its end, on a clock that the test advances.

import assert from "node:assert/strict";
import { ConnectionCut, ResponseBroken } from "../../src/connection/endings.ts";
import { STARTING } from "../../src/progress/progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { answerExchange, exchangeOf, type FakeExchange } from "../helpers/uploading.ts";

const ID = "holiday-film";
const TARGET = `/?progress_id=${ID}`;

function registry(): { uploads: Uploads; clock: FakeClock } {
  const clock = new FakeClock();
  return { uploads: new Uploads({ clock }), clock };
}

function followed(uploads: Uploads, target = TARGET, options: { size?: number; fields?: string } = {}): FakeExchange {
  const exchange = exchangeOf(target, options);
  uploads.follow(exchange);
  return exchange;
}

Deno.test("An upload is starting, uploading and done, with the fields of the contract in their order", async () => {
  const { uploads, clock } = registry();
  const show = async () => JSON.stringify(await uploads.progressOf(ID));
  assert.equal(
    await show(),
    '{"state":"starting","size":-1,"received":0,"rate":0,"eta":-1,"aborted":0,"status":0}',
  );
  const exchange = followed(uploads, TARGET, { size: 10_000 });
  assert.equal(
    await show(),
    '{"state":"uploading","size":10000,"received":0,"rate":0,"eta":-1,"aborted":0,"status":0}',
  );
  await clock.advance(1_000);
  exchange.received = 1_000;
  assert.equal(
    await show(),
    '{"state":"uploading","size":10000,"received":1000,"rate":1000,"eta":9,"aborted":0,"status":0}',
  );
  await clock.advance(1_000);
  answerExchange(exchange, 201);
  await settled();
  assert.equal(
    await show(),
    '{"state":"done","size":10000,"received":10000,"rate":5000,"eta":0,"aborted":0,"status":201}',
  );
});

Deno.test("A body in chunks has no size and no time that is left", async () => {
  const { uploads, clock } = registry();
  const exchange = followed(uploads);
  exchange.received = 500;
  await clock.advance(1_000);
  const { state, size, received, rate, eta } = await uploads.progressOf(ID);
  assert.deepEqual({ state, size, received, rate, eta }, {
    state: "uploading",
    size: -1,
    received: 500,
    rate: 500,
    eta: -1,
  });
});

Deno.test("An answer is no status before it is out, and a body that is here has no time left", async () => {
  const { uploads } = registry();
  const exchange = followed(uploads, TARGET, { size: 10 });
  exchange.received = 10;
  exchange.isBodyRead = true;
  exchange.status = 200;
  const { state, status, eta } = await uploads.progressOf(ID);
  assert.deepEqual({ state, status, eta }, { state: "uploading", status: 0, eta: 0 });
});

Deno.test("The rate is that of the last few seconds, and forgets what was before", async () => {
  const { uploads, clock } = registry();
  const exchange = followed(uploads, TARGET, { size: 1e9 });
  const rateAfter = async (seconds: number, bytesASecond: number) => {
    for (let tenth = 0; tenth < seconds * 10; tenth++) {
      exchange.received += bytesASecond / 10;
      await clock.advance(100);
      await uploads.progressOf(ID);
    }
    return (await uploads.progressOf(ID)).rate;
  };
  assert.equal(await rateAfter(5, 1_000), 1_000);
  const rising = await rateAfter(2, 5_000);
  assert.ok(rising > 2_000 && rising < 4_500, `${rising}`);
  const risen = await rateAfter(15, 5_000);
  assert.ok(risen > 4_900 && risen <= 5_000, `${risen}`);
  // A line that broke down shows, and then there is no telling how long it will take.
  assert.ok(await rateAfter(10, 0) < 250);
  assert.equal(await rateAfter(40, 0), 0);
  assert.equal((await uploads.progressOf(ID)).eta, -1);
});

Deno.test("The rate is the same however often it is asked for", async () => {
  const { uploads, clock } = registry();
  const exchange = followed(uploads, TARGET, { size: 1e9 });
  await clock.advance(2_000);
  exchange.received = 4_000;
  for (let asked = 0; asked < 100; asked++) assert.equal((await uploads.progressOf(ID)).rate, 2_000);
});

Deno.test("How an upload ended is told by its answer, or by whose fault it was", async () => {
  const reset = new ConnectionCut("the connection broke");
  const cases: [what: string, end: (exchange: FakeExchange) => void, expected: [string, number, number]][] = [
    ["200", (exchange) => answerExchange(exchange, 200), ["done", 0, 200]],
    ["302", (exchange) => answerExchange(exchange, 302), ["done", 0, 302]],
    ["404", (exchange) => answerExchange(exchange, 404), ["error", 0, 404]],
    ["500", (exchange) => answerExchange(exchange, 500), ["error", 0, 500]],
    ["reset", (exchange) => exchange.cut(reset), ["aborted", 1, 0]],
    ["the socket's end", (exchange) => exchange.cut(null), ["aborted", 1, 0]],
    ["too large", (exchange) => exchange.cut(new ProtocolError("body-too-large", 413, "")), ["error", 0, 413]],
    ["too slow", (exchange) => exchange.cut(new ProtocolError("too-slow", 408, "")), ["error", 0, 408]],
    ["cut short", (exchange) => exchange.cut(new ProtocolError("cut-short", 400, "")), ["aborted", 1, 0]],
    ["answered though the client left in the body", (exchange) => {
      exchange.leave(reset);
      exchange.status = 400;
      exchange.finish();
    }, ["aborted", 1, 0]],
    ["answered though the client left behind the body", (exchange) => {
      exchange.isBodyRead = true;
      exchange.leave(reset);
      answerExchange(exchange, 200);
    }, ["done", 0, 200]],
    ["an answer that broke", (exchange) => {
      exchange.isBodyRead = true;
      exchange.status = 200;
      exchange.cut(new ResponseBroken("the stream failed"));
    }, ["error", 0, 200]],
  ];
  for (const [what, end, expected] of cases) {
    const { uploads } = registry();
    end(followed(uploads, TARGET, { size: 100 }));
    await settled();
    const { state, aborted, status } = await uploads.progressOf(ID);
    assert.deepEqual([state, aborted, status], expected, what);
  }
});

Deno.test("A client that left in the middle of its body is aborted at once, not when the application is through", async () => {
  const { uploads } = registry();
  const exchange = followed(uploads, TARGET, { size: 100 });
  exchange.received = 40;
  exchange.leave(new ConnectionCut("the client has ended the connection"));
  const { state, aborted, received } = await uploads.progressOf(ID);
  assert.deepEqual([state, aborted, received], ["aborted", 1, 40]);
});

Deno.test("A request is followed once, also if it is followed again", async () => {
  const { uploads } = registry();
  const first = followed(uploads, TARGET, { size: 1 });
  const second = followed(uploads, TARGET, { size: 2 });
  uploads.follow(first);
  assert.equal((await uploads.progressOf(ID)).size, 2, "the name is the later one's");
  answerExchange(first);
  await settled();
  assert.equal((await uploads.progressOf(ID)).state, "uploading", "the earlier one's end is not the later one's");
  answerExchange(second, 500);
  await settled();
  assert.equal((await uploads.progressOf(ID)).state, "error");
  followed(uploads, TARGET, { size: 3 });
  assert.deepEqual([(await uploads.progressOf(ID)).size, uploads.size], [3, 1], "what is over gives its name away");
});

Deno.test("A request without a name, or with one that does not fit, is not followed", () => {
  const { uploads } = registry();
  for (const target of ["/", "/?progress_id=short", `/?progress_id=${"x".repeat(65)}`, "/?progress_id=with%20space"]) {
    followed(uploads, target);
  }
  followed(uploads, "/", { fields: "x-progress-id: one-by-one\r\nx-progress-id: two-by-two\r\n" });
  uploads.follow(exchangeOf(TARGET, { method: "GET", size: 0 }));
  assert.equal(uploads.size, 0);
  followed(uploads, "/", { fields: "X-PROGRESS-id: from-the-header\r\n" });
  assert.equal(uploads.localProgressOf("from-the-header")?.state, "uploading");
});

Deno.test("What is over is told for 60 s, by one sweep for all that stops after the last", async () => {
  const { uploads, clock } = registry();
  for (let nr = 10; nr < 20; nr++) {
    answerExchange(followed(uploads, `/?progress_id=upload-${nr}`, { size: 1 }));
    await clock.advance(1_000);
  }
  const running = followed(uploads);
  assert.equal(clock.timers, 1);
  await clock.advance(49_000);
  assert.equal(uploads.localProgressOf("upload-10")?.state, "done");
  await clock.advance(2_000);
  assert.equal(uploads.localProgressOf("upload-10"), null);
  assert.equal(uploads.localProgressOf("upload-19")?.state, "done");
  await clock.advance(11_000);
  assert.deepEqual([uploads.size, clock.timers], [1, 0], "what runs needs no sweep");
  await clock.advance(3_600_000);
  assert.equal(uploads.localProgressOf(ID)?.state, "uploading");
  answerExchange(running);
  await clock.advance(62_000);
  assert.deepEqual([uploads.size, clock.timers], [0, 0]);
});

Deno.test("At most 10000 entries are kept: the oldest that are over go first, what runs never", async () => {
  const { uploads } = registry();
  const running = Array.from(
    { length: 4_000 },
    (_, nr) => followed(uploads, `/?progress_id=running-${nr}`, { size: 1 }),
  );
  for (let nr = 0; nr < 6_500; nr++) {
    answerExchange(followed(uploads, `/?progress_id=finished-${nr}`, { size: 1 }));
    await Promise.resolve();
  }
  await settled();
  assert.equal(uploads.size, 10_000);
  assert.equal(uploads.localProgressOf("finished-499"), null);
  assert.equal(uploads.localProgressOf("finished-500")?.state, "done");
  for (let nr = 0; nr < running.length; nr++) {
    assert.equal(uploads.localProgressOf(`running-${nr}`)?.state, "uploading");
  }
});

Deno.test("Uploads alone set no timer", async () => {
  const { uploads, clock } = registry();
  for (let nr = 100; nr < 200; nr++) followed(uploads, `/?progress_id=upload-${nr}`, { size: 1 });
  await uploads.progressOf("upload-100");
  assert.equal(clock.timers, 0);
});

Deno.test("An id that cannot be one is the caller's mistake", async () => {
  const { uploads } = registry();
  await assert.rejects(uploads.progressOf("short"), /TypeError: progressOf: expected an id .* got "short"/);
  assert.throws(() => uploads.progressChanges("short"), /TypeError: progressChanges: expected an id/);
});

Deno.test("A registry that is closed knows nothing, follows nothing and leaves no timer", async () => {
  const { uploads, clock } = registry();
  answerExchange(followed(uploads));
  const watch = uploads.progressChanges("waited-for");
  assert.deepEqual((await watch.next()).value, STARTING);
  const next = watch.next();
  await settled();
  uploads.close();
  assert.deepEqual(await next, { done: true, value: undefined });
  followed(uploads);
  assert.deepEqual([uploads.size, clock.timers, await uploads.progressOf(ID)], [0, 0, STARTING]);
});
