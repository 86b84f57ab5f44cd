// Streams that never wait leave time for other clients.

import assert from "node:assert/strict";
import { StreamBudget } from "../../src/connection/stream_budget.ts";
import { bodyText } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

Deno.test("Streams that never wait pause together, and a few pieces never do", async () => {
  const polls: (() => void)[] = [];
  let now = 1_000;
  const budget = new StreamBudget({
    now: () => now,
    afterPoll: (call) => void polls.push(call),
  });
  for (let i = 1; i < 16; i++) assert.equal(budget.take(), null);
  const first = budget.take();
  assert.notEqual(first, null);
  assert.equal(budget.take(), first);
  assert.equal(polls.length, 1, "one wait for all that wait");
  polls.pop()!();
  await first;
  for (let i = 0; i < 100; i++) assert.equal(budget.take(), null, "its time is not over");
  now += 30;
  assert.notEqual(budget.take(), null);
});

for (const size of [0, 1_000]) {
  Deno.test(`An endless stream of pieces of ${size} bytes that are always ready leaves time for others`, async () => {
    let pieces = 0;
    let isEnough = false;
    await using server = serving((request) => {
      if (new URL(request.url).pathname !== "/endless") return new Response("ok");
      return new Response(
        new ReadableStream({
          pull(controller) {
            // A piece takes about a millisecond to make. If the server does nothing else, the stream fails in the end.
            for (const until = performance.now() + 1; performance.now() < until;);
            if (++pieces >= 2_000 || isEnough) throw new Error("it was read for too long");
            controller.enqueue(new Uint8Array(size));
          },
        }),
      );
    }, { onError: () => new Response(null, { status: 500 }) });
    const reading = new AbortController();
    const reader = await Deno.connect({ hostname: "127.0.0.1", port: (server.server.addr as Deno.NetAddr).port });
    await reader.write(new TextEncoder().encode("GET /endless HTTP/1.1\r\nhost: a\r\n\r\n"));
    const read = (async () => {
      try {
        for (const room = new Uint8Array(65_536); !reading.signal.aborted && await reader.read(room) !== null;);
      } catch (error) {
        if (!reading.signal.aborted) throw error;
      }
    })();
    using client = await server.connect();
    const response = await client.get("/");
    assert.equal(bodyText(response), "ok");
    const before = pieces;
    isEnough = true;
    reading.abort();
    reader.close();
    await read;
    assert.ok(before < 600, `${before} pieces came before another client was answered`);
  });
}
