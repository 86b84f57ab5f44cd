// Whom the control socket lets in, and for how long.

import assert from "node:assert/strict";
import { Control } from "../../src/prefork/control.ts";
import type { Platform, Socket } from "../../src/platform/ports.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { FakeListener } from "../helpers/fake_engine.ts";
import { itemAt } from "../helpers/items.ts";

/** A control socket of a supervisor that knows one token and answers with what it was asked. */
async function open() {
  const listener = new FakeListener();
  const clock = new FakeClock();
  const lines: string[] = [];
  const heard: unknown[] = [];
  const made: string[] = [];
  const platform = {
    clock,
    files: { kindOf: () => null, makePrivate: (path: string) => made.push(path) },
    listen: () => listener,
  } as unknown as Platform;
  const control = await Control.open("/control.sock", {
    platform,
    log: (level, message) => lines.push(`${level} ${message}`),
    host: {
      welcome: (token) => token === "known" ? (message) => heard.push(message) : null,
      answer(question) {
        if (question.ask === "stop") throw new Error("out of order");
        return Promise.resolve({ ok: true, text: question.ask });
      },
    },
  });
  assert.deepEqual(made, ["/control.sock"]);
  return { listener, clock, lines, heard, control };
}

Deno.test("A question is answered, and that was that", async () => {
  const { listener, control, clock } = await open();
  const client = listener.connect();
  client.send('{"ask":"status"}\n');
  await client.closed;
  assert.equal(client.text, '{"ok":true,"text":"status"}\n');
  assert.equal(clock.timers, 0);
  control.close();
});

Deno.test("A worker that is known stays, and may say much; one that is not is shown out", async () => {
  const { listener, heard, clock } = await open();
  const worker = listener.connect();
  worker.send('{"kind":"hello","token":"known"}\n');
  await settled();
  const report = { kind: "report", text: "x".repeat(50_000) };
  worker.send(`${JSON.stringify(report)}\n`);
  await clock.advance(60_000);
  assert.deepEqual(heard, [report]);
  assert.equal(worker.isClosed, false);
  const stranger = listener.connect();
  stranger.send('{"kind":"hello","token":"guessed"}\n');
  await stranger.closed;
  assert.equal(stranger.text, "");
  worker.end();
  await worker.closed;
});

Deno.test("A client that says nothing has five seconds, and so has one that does not read", async () => {
  const { listener, clock } = await open();
  const silent = listener.connect();
  const deaf = listener.connect({ window: 0 });
  deaf.send('{"ask":"dump"}\n');
  await clock.advance(4_999);
  assert.deepEqual([silent.isClosed, deaf.isClosed], [false, false]);
  await clock.advance(1);
  assert.deepEqual([silent.isClosed, deaf.isClosed], [true, true]);
  assert.equal(clock.timers, 0);
});

Deno.test("Of too many silent clients the oldest makes room, and a worker comes in at any time", async () => {
  const { listener, clock, heard } = await open();
  const worker = listener.connect();
  worker.send('{"kind":"hello","token":"known"}\n');
  await settled();
  const silent = Array.from({ length: 600 }, () => listener.connect());
  await settled();
  await settled();
  assert.equal(silent.filter(({ isClosed }) => isClosed).length, 88);
  assert.deepEqual([0, 87, 88].map((i) => itemAt(silent, i).isClosed), [true, true, false]);
  worker.send('{"kind":"quiet"}\n');
  await settled();
  assert.deepEqual(heard, [{ kind: "quiet" }]);
  await clock.advance(5_000);
  worker.end();
  await worker.closed;
});

Deno.test("An answer that fails is logged, and costs its connection only", async () => {
  const { listener, lines } = await open();
  const client = listener.connect();
  client.send('{"ask":"stop"}\n');
  await client.closed;
  await settled();
  assert.match(itemAt(lines, 0), /^ERROR control socket: Error: out of order/);
  const next = listener.connect();
  next.send('{"ask":"dump"}\n');
  await next.closed;
  assert.match(next.text, /dump/);
});

Deno.test("An accept that fails is tried again", async () => {
  const { listener, clock, lines } = await open();
  listener.put(new Error("Too many open files") as Error & Socket);
  await settled();
  assert.deepEqual(lines, ["WARN control socket: Too many open files"]);
  await clock.advance(500);
  const client = listener.connect();
  client.send('{"ask":"status"}\n');
  await client.closed;
  assert.match(client.text, /status/);
});
