// The order in which many active connections read: none is forgotten, and none overtakes those that were put off.
// And which of their answers are written together.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { FULL_BATCH, GROUP_SIZE, PATIENCE_MS, QUICK_BATCH_MS, ReadOrder } from "../../src/connection/read_order.ts";
import { answer, connected } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { itemAt } from "../helpers/items.ts";

/**
 * A runtime with a budget, as tokio is: of the reads that are ready it completes so many a turn, those that became ready
 * last first.
 */
class Runtime {
  readonly clock = new FakeClock();
  readonly order = new ReadOrder(this.clock);
  /** How often each connection was answered. */
  readonly answers: number[];
  /** Connections that wait for a byte, and those whose byte is here. */
  #waiting = new Set<number>();
  #ready: number[] = [];
  #sent: boolean[];

  constructor(connections: number) {
    this.answers = Array(connections).fill(0);
    this.#sent = Array(connections).fill(false);
    for (let i = 0; i < connections; i++) this.#idle(i);
  }

  /** The client of a connection sends its next request. */
  send(i: number): void {
    this.#sent[i] = true;
    this.#wake(i);
  }

  /** One turn: a batch of reads, then the answers to it. */
  async turn(): Promise<number> {
    const batch = this.#ready.splice(-FULL_BATCH);
    for (const i of batch) {
      this.#sent[i] = false;
      this.order.came();
    }
    for (const i of batch) {
      this.answers[i]!++;
      this.#idle(i);
    }
    await settled();
    return batch.length;
  }

  get unread(): number {
    return this.#sent.filter(Boolean).length;
  }

  #idle(i: number): void {
    const pause = this.order.pause();
    const read = () => {
      this.#waiting.add(i);
      this.#wake(i);
    };
    if (pause === null) read();
    else pause.then(read);
  }

  #wake(i: number): void {
    if (this.#sent[i] && this.#waiting.delete(i)) this.#ready.push(i);
  }
}

Deno.test("A connection reads at once while few are active", () => {
  const order = new ReadOrder(new FakeClock());
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < FULL_BATCH - 1; i++) order.came();
    for (let i = 0; i < FULL_BATCH - 1; i++) assert.equal(order.pause(), null);
  }
});

Deno.test("With a thousand clients that ask again and again, each is answered as often as the others", async () => {
  const clients = 1_000;
  const runtime = new Runtime(clients);
  for (let i = 0; i < clients; i++) runtime.send(i);
  for (let turn = 0; turn < 400; turn++) {
    const before = [...runtime.answers];
    if (await runtime.turn() === 0) await runtime.clock.advance(PATIENCE_MS);
    // Each client that was answered sends its next request at once.
    runtime.answers.forEach((count, i) => count > itemAt(before, i) && runtime.send(i));
  }
  const fewest = Math.min(...runtime.answers);
  const most = Math.max(...runtime.answers);
  assert.ok(fewest >= 10, `the slowest got ${fewest} answers`);
  assert.ok(most - fewest <= 3, `from ${fewest} to ${most} answers`);
});

Deno.test("Connections in line start in the order in which they came, a group at a time", async () => {
  const clock = new FakeClock();
  const order = new ReadOrder(clock);
  for (let i = 0; i < FULL_BATCH; i++) order.came();
  const started: number[] = [];
  for (let i = 0; i < FULL_BATCH; i++) order.pause()!.then(() => started.push(i));
  await settled();
  assert.deepEqual(started, []);
  await clock.advance(PATIENCE_MS);
  assert.deepEqual(started, Array.from({ length: GROUP_SIZE }, (_, i) => i));
  await clock.advance(PATIENCE_MS);
  assert.deepEqual(started, Array.from({ length: FULL_BATCH }, (_, i) => i));
  assert.equal(order.pause(), null, "the line is empty");
  assert.equal(clock.timers, 0);
});

Deno.test("Whatever clients do, every request is read in the end, and no timer is left", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 400 }),
      fc.array(fc.record({ from: fc.nat(400), count: fc.nat(400), turns: fc.nat(3) }), { maxLength: 20 }),
      async (connections, steps) => {
        const runtime = new Runtime(connections);
        for (const { from, count, turns } of steps) {
          for (let i = 0; i < count; i++) runtime.send((from + i) % connections);
          for (let i = 0; i < turns; i++) await runtime.turn();
        }
        for (let quiet = 0; quiet < 12 && runtime.unread > 0;) {
          if (await runtime.turn() > 0) continue;
          quiet++;
          await runtime.clock.advance(PATIENCE_MS);
        }
        assert.equal(runtime.unread, 0);
        while (runtime.clock.timers > 0) await runtime.clock.advance(PATIENCE_MS);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("Requests that came together are answered before the answers are written, unless that takes long", async () => {
  const clock = new FakeClock();
  const readOrder = new ReadOrder(clock);
  const log: string[] = [];
  let handlerMs = 0;
  const walked = Array.from({ length: 4 }, (_, i) => {
    const { client, done } = connected({
      readOrder,
      handle: () => {
        log.push(`handle ${i}`);
        clock.block(handlerMs);
        return answer("ok");
      },
    });
    const { write } = client.socket;
    client.socket.write = (bytes) => {
      log.push(`write ${i}`);
      return write(bytes);
    };
    return { client, done };
  });
  const ask = async (...which: number[]) => {
    for (const i of which) itemAt(walked, i).client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await settled();
    return log.splice(0);
  };
  await settled();
  const oneByOne = [0, 1, 2, 3].flatMap((i) => [`handle ${i}`, `write ${i}`]);
  // The first one does not know of the others yet.
  const together = ["handle 0", "write 0", "handle 1", "handle 2", "handle 3", "write 1", "write 2", "write 3"];
  assert.deepEqual(await ask(0, 1, 2, 3), oneByOne, "nothing is known yet");
  assert.deepEqual(await ask(0, 1, 2, 3), together);
  assert.deepEqual(await ask(2), ["handle 2", "write 2"]);
  assert.deepEqual(await ask(0, 1, 2, 3), together, "one that is alone tells nothing");
  handlerMs = QUICK_BATCH_MS;
  assert.deepEqual(await ask(0, 1, 2, 3), together, "it takes long for the first time");
  assert.deepEqual(await ask(0, 1, 2, 3), oneByOne);
  handlerMs = 0;
  assert.deepEqual(await ask(0, 1, 2, 3), oneByOne, "it is quick for the first time");
  assert.deepEqual(await ask(0, 1, 2, 3), together);
  for (const { client } of walked) client.end();
  await Promise.all(walked.map(({ done }) => done));
});
