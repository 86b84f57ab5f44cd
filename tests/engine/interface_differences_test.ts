// Rows of the tables "Deno.serve | Weft" in docs/library.md that are not about the wire: both are as they say.

import assert from "node:assert/strict";
import { serve } from "../../src/engine/serve.ts";
import { answered, sending, servedByBoth } from "../helpers/beside_deno.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const QUIET = { port: 0, hostname: "127.0.0.1", onListen() {} };

/** A stream without an end. */
function endless(): ReadableStream<Uint8Array> {
  return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) });
}

Deno.test("info.completed rejects for an answer that fails, and resolves under Deno.serve", async () => {
  for (
    const body of [endless, () =>
      ReadableStream.from((async function* () {
        yield new Uint8Array(3);
        throw new Error("for the test");
      })())]
  ) {
    const outcomes: Promise<string>[] = [];
    await using both = servedByBoth((_request, { completed }) => {
      outcomes.push(completed.then(() => "resolved", () => "rejected"));
      return new Response(body());
    }, { onError: () => new Response("it is told of the stream") });
    for (const port of [both.ports.deno, both.ports.weft]) {
      using client = await sending(port, GET);
      await client.until("\r\n\r\n");
    }
    assert.deepEqual(await Promise.all(outcomes), ["resolved", "rejected"]);
  }
});

Deno.test("An answer aborts no signal of its request, but under Deno.serve it does", async () => {
  const signals: AbortSignal[] = [];
  const answers: Promise<void>[] = [];
  await using both = servedByBoth(({ signal }, { completed }) => {
    signals.push(signal);
    answers.push(completed);
    return new Response("x");
  });
  await both.ask(GET);
  await Promise.all(answers);
  await both.ask(GET);
  assert.deepEqual(signals.slice(0, 2).map(({ aborted }) => aborted), [true, false]);
});

Deno.test("HEAD cancels a stream unread, of which Deno.serve reads what is ready", async () => {
  const ends: Promise<string>[] = [];
  await using both = servedByBoth(() => {
    const { promise, resolve } = Promise.withResolvers<string>();
    ends.push(promise);
    let pulls = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) => {
      if (++pulls < 5) return controller.enqueue(new Uint8Array(3));
      controller.close();
      resolve("read");
    };
    return new Response(new ReadableStream({ pull, cancel: () => resolve(`cancelled after ${pulls} pulls`) }));
  });
  await both.ask("HEAD / HTTP/1.1\r\nhost: a\r\n\r\n");
  assert.deepEqual(await Promise.all(ends), ["read", "cancelled after 0 pulls"]);
});

Deno.test("A signal that is aborted already stops the server at once, and Deno.serve looks only at its event", async () => {
  const signal = AbortSignal.abort();
  const deno = Deno.serve({ ...QUIET, signal }, () => new Response("served"));
  using client = await sending(deno.addr.port, GET);
  assert.equal((await answered(client))?.body, "served");
  await Promise.all([deno.shutdown(), serve({ ...QUIET, signal }, () => new Response("served")).finished]);
});
