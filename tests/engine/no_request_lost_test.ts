// Every request that was sent whole is answered, in order and without a wait for a timer.
// The client leaves its side open, because an end of file would wake a server that has missed bytes.
// WEFT_PROPERTY_SECONDS sets how long each property runs.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { QUICK_BATCH_MS } from "../../src/connection/read_order.ts";
import {
  answersOf,
  continuesOf,
  type Conversation,
  expected,
  handlerOf,
  methodsOf,
  runsOf,
  type Scene,
  scenes,
} from "../helpers/conversations.ts";
import { type Client, settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, readResponses } from "../helpers/responses.ts";
import { type RealEngine, realEngine } from "../helpers/serving.ts";

const seconds = Number(Deno.env.get("WEFT_PROPERTY_SECONDS") ?? 3);
const limits = { interruptAfterTimeLimit: seconds * 1000, numRuns: 1_000_000, markInterruptAsFailure: false };

/** Turns of the event loop without progress after which a request counts as lost. No time passes on the fake clock. */
const PATIENCE_TURNS = 1_000;

let answered = 0;

// On Node, sockets make the array of a long body's piece themselves.
for (const [which, options] of [["", {}], [" that make arrays", { maxOwn: 64 * 1024 }]] as const) {
  Deno.test(`Every request that was sent whole is answered, over sockets in memory${which}`, async () => {
    answered = 0;
    await fc.assert(
      fc.asyncProperty(scenes(6), async (scene) => {
        await using fake = fakeEngine(handlerOf(settled), { body: scene.body });
        const { listener } = fake;
        await Promise.all(scene.conversations.map((one) => holdInMemory(listener.connect(options), one)));
        checkCounts(fake.engine.requests, scene);
        assert.deepEqual(fake.lines, []);
      }),
      limits,
    );
    console.log(`answered in memory: ${answered} requests in ${seconds} s`);
  });
}

Deno.test("Every request that was sent whole is answered, over the network", async () => {
  answered = 0;
  await fc.assert(
    fc.asyncProperty(scenes(24), async (scene) => {
      await using real = realEngine(handlerOf(settled), { body: scene.body });
      await Promise.all(scene.conversations.map((conversation) => holdOverTheNetwork(real, conversation)));
      checkCounts(real.engine.requests, scene);
      assert.deepEqual(real.lines, []);
    }),
    limits,
  );
  console.log(`answered over the network: ${answered} requests in ${seconds} s`);
});

/** What a handler does: at once, after a microtask, after a long computation, or not at all; it may find that a client has left. */
const deed = fc.record({
  how: fc.oneof(
    { weight: 12, arbitrary: fc.constant("now") },
    { weight: 3, arbitrary: fc.constantFrom("later", "slowly", "fails") },
  ),
  resets: fc.oneof({ weight: 60, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(5) }),
});
/** One turn: which connections send, and how many requests each. */
const turn = fc.array(fc.record({ from: fc.nat(5), deeds: fc.array(deed, { minLength: 1, maxLength: 3 }) }), {
  minLength: 1,
});

Deno.test("Requests that come together are all answered, whatever the others of their batch do", async () => {
  let requests = 0;
  let together = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 1 }), fc.option(fc.nat(20), { nil: null }), async (turns, short) => {
      /** Whose request was answered last, if nothing was written since. */
      let answered: string | null = null;
      await using fake = fakeEngine((request) => {
        const { pathname, searchParams } = new URL(request.url);
        const from = searchParams.get("from");
        const how = searchParams.get("how");
        if (answered !== null && answered !== from) together++;
        answered = how === "now" ? from : null;
        const resets = searchParams.get("resets");
        if (resets !== null) leave(itemAt(talks, Number(resets)));
        if (how === "fails") throw new Error("as it was asked to");
        if (how === "slowly") fake.clock.block(QUICK_BATCH_MS);
        const answer = new Response(pathname);
        return how === "later" ? Promise.resolve(answer) : answer;
      });
      const talks = Array.from({ length: 6 }, () => {
        const client = fake.listener.connect(short === null ? {} : { maxWrite: short + 1 });
        const { write } = client.socket;
        client.socket.write = (bytes) => {
          answered = null;
          return write(bytes);
        };
        return { client, expected: [] as string[], hasLeft: false };
      });
      const leave = (talk: typeof talks[number]) => {
        talk.hasLeft = true;
        talk.client.reset();
      };
      for (const asks of turns) {
        for (const { from, deeds } of asks) {
          const { client, expected, hasLeft } = itemAt(talks, from);
          if (hasLeft) continue;
          let text = "";
          for (const { how, resets } of deeds) {
            const path = `/${requests++}`;
            const query = `from=${from}&how=${how}${resets === null ? "" : `&resets=${resets}`}`;
            text += `GET ${path}?${query} HTTP/1.1\r\nhost: a\r\n\r\n`;
            expected.push(how === "fails" ? "500" : `200 ${path}`);
          }
          client.send(text);
        }
        const said = ({ client }: typeof talks[number]) => readResponses(client.bytes).responses;
        const isAnswered = () => talks.every((talk) => talk.hasLeft || said(talk).length >= talk.expected.length);
        await patiently(
          () => talks.reduce((sum, { client }) => sum + client.writes.length + client.taken, 0),
          isAnswered,
        );
        for (const talk of talks) {
          if (talk.hasLeft) continue;
          const got = said(talk).map((response) =>
            response.status === 200 ? `200 ${bodyText(response)}` : String(response.status)
          );
          assert.deepEqual(got, talk.expected);
        }
      }
    }),
    limits,
  );
  console.log(
    `answered: ${requests} requests in ${seconds} s, ${together} of them before an answer of their batch was written`,
  );
  assert.ok(together > 0);
});

function checkCounts(requests: number, { conversations }: Scene): void {
  assert.equal(requests, conversations.reduce((sum, { asks }) => sum + asks.length, 0));
  answered += requests;
}

/** The client that a conversation uses. */
interface Talker {
  send(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  /** Waits until this many 100 (Continue) have come. */
  continued(count: number): Promise<void>;
}

async function talk(conversation: Conversation, talker: Talker): Promise<void> {
  const { pauses, halfClose } = conversation;
  let waited = 0;
  let pieces = 0;
  for (const run of runsOf(conversation)) {
    if (waited > 0) await talker.continued(waited);
    waited++;
    for (const piece of run) {
      await talker.send(piece);
      for (let turns = itemAt(pauses, pieces++ % pauses.length); turns > 0; turns--) await settled();
    }
  }
  if (halfClose) await talker.end();
}

async function holdInMemory(client: Client, conversation: Conversation): Promise<void> {
  const methods = methodsOf(conversation);
  const responses = () => readResponses(client.bytes, { methods }).responses;
  const moved = () => client.writes.length + client.taken;
  await talk(conversation, {
    send: (bytes) => Promise.resolve(client.send(bytes)),
    end: () => Promise.resolve(client.end()),
    continued: (count) => patiently(moved, () => continuesOf(responses()) >= count),
  });
  await patiently(moved, () => answersOf(responses()).length >= methods.length);
  assert.deepEqual(answersOf(responses()), expected(conversation));
}

/** Waits until nothing moves any more. */
async function patiently(moved: () => number, isSo: () => boolean): Promise<void> {
  let last = -1;
  for (let quiet = 0; quiet < PATIENCE_TURNS; quiet++) {
    if (moved() !== last) {
      if (isSo()) return;
      last = moved();
      quiet = 0;
    }
    await settled();
  }
}

async function holdOverTheNetwork(real: RealEngine, conversation: Conversation): Promise<void> {
  using client = await real.connect();
  const methods = methodsOf(conversation);
  const responses = () => readResponses(client.bytes, { methods, ended: client.ended }).responses;
  let told = Promise.withResolvers<void>();
  const reading = (async () => {
    while (answersOf(responses()).length < methods.length && await client.read()) {
      told.resolve();
      told = Promise.withResolvers();
    }
    told.resolve();
  })();
  await talk(conversation, {
    send: (bytes) => client.send(bytes),
    end: () => client.end(),
    async continued(count) {
      while (continuesOf(responses()) < count && !client.ended) await told.promise;
    },
  });
  await reading;
  assert.deepEqual(answersOf(responses()), expected(conversation));
}
