// `info.leaving`: applications learn that their process drains, so that a stream without an end can end itself.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { firstItems } from "../helpers/items.ts";
import { bodyText, readResponses } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const encoder = new TextEncoder();

/** A stream that has no end until the signal fires. */
function endless(leaving: AbortSignal): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(encoder.encode("begun "));
        leaving.addEventListener("abort", () => {
          controller.enqueue(encoder.encode("ended"));
          controller.close();
        });
      },
    }),
  );
}

Deno.test("The leaving signal fires when a drain begins, so that an endless stream can end in order", async () => {
  await using fake = fakeEngine((_request, info) => endless(info.leaving));
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  assert.match(client.text, /begun /);
  fake.engine.drain();
  await settled();
  // The connection idles from here. The next sweep closes it.
  await fake.clock.advance(500);
  await fake.engine.finished;
  const [response] = firstItems(readResponses(client.bytes, { ended: true }).responses, 1);
  assert.equal(bodyText(response), "begun ended");
  assert.deepEqual(fake.engine.connectionCounts, { finished: 1, cut: 0, refused: 0 });
});

Deno.test("The leaving signal has fired already if it is first asked for during a drain", async () => {
  const seen: boolean[] = [];
  await using fake = fakeEngine((_request, info) => {
    seen.push(info.leaving.aborted);
    return new Response("hello");
  }, { drainDelayMs: 5_000 });
  const client = fake.listener.connect();
  await settled();
  fake.engine.drain();
  client.send(GET);
  await settled();
  assert.deepEqual(seen, [true]);
});

Deno.test("All requests of an engine have one leaving signal, and another engine's does not fire with it", async () => {
  const signals: AbortSignal[] = [];
  const handler = (_request: Request, { leaving }: { leaving: AbortSignal }) => {
    signals.push(leaving);
    return new Response("hello");
  };
  await using one = fakeEngine(handler);
  await using other = fakeEngine(handler);
  for (const fake of [one, one, other]) {
    fake.listener.connect().send(GET);
    await settled();
  }
  assert.equal(signals[0], signals[1]);
  assert.notEqual(signals[0], signals[2]);
  one.engine.drain();
  assert.deepEqual(signals.map(({ aborted }) => aborted), [true, true, false]);
  assert.equal((signals[0]!.reason as Error).name, "AbortError");
  assert.match((signals[0]!.reason as Error).message, /this server is stopping/);
});

Deno.test("shutdown() of the library fires the leaving signal", async () => {
  await using server = serving((_request, info) => endless(info.leaving));
  const response = await fetch(server.url);
  const stopped = server.server.shutdown();
  assert.equal(await response.text(), "begun ended");
  await stopped;
});
