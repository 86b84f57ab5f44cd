// Requests that an earlier version lost, each with the smallest conversation that showed it. The client's side stays open.

import assert from "node:assert/strict";
import type { Handler } from "../../src/message/handler.ts";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { itemAt } from "../helpers/items.ts";
import { type RawResponse, readResponses } from "../helpers/responses.ts";
import { realEngine } from "../helpers/serving.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const length: Handler = async (request) => new Response(`${(await request.bytes()).length}`);

function post(bytes: number): string {
  return `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${bytes}\r\n\r\n${"x".repeat(bytes)}`;
}

function bodies(responses: readonly RawResponse[]): string[] {
  return responses.map(({ status, body }) => `${status} ${new TextDecoder().decode(body)}`);
}

for (const body of ["auto", "whole", "stream"] as const) {
  Deno.test(`Pipelined requests that came in one write are all answered, under "${body}"`, async () => {
    await using real = realEngine(length, { body, headerTimeoutMs: 2_000 });
    for (const sizes of [[1000, 1000, 1000], [0, 4, 3000], [2000, 0, 70_000, 1]]) {
      for (let round = 0; round < 20; round++) {
        using client = await real.connect();
        await client.send(sizes.map((size) => size === 0 ? GET : post(size)).join(""));
        assert.deepEqual(bodies(await client.responses(sizes.length)), sizes.map((size) => `200 ${size}`));
      }
    }
  });
}

Deno.test("Many clients with bodies over the first buffer are answered, again and again", async () => {
  await using real = realEngine(length);
  const clients = await Promise.all(Array.from({ length: 32 }, () => real.connect()));
  for (let round = 0; round < 20; round++) {
    await Promise.all(clients.map((client) => client.send(post(4000))));
    const answers = await Promise.all(clients.map((client) => client.responses(1)));
    assert.deepEqual(answers.map((responses) => itemAt(responses, 0).status), clients.map(() => 200));
  }
  for (const client of clients) client.close();
});

Deno.test("An empty line after the last request does not cost an answer", async () => {
  for (const halfClose of [true, false]) {
    await using fake = fakeEngine(async () => (await settled(), new Response("here")));
    const client = fake.listener.connect();
    client.send(`${GET}\r\n`);
    if (halfClose) client.end();
    for (let turn = 0; turn < 10; turn++) await settled();
    assert.deepEqual(bodies(readResponses(client.bytes).responses), ["200 here"]);
  }
});

Deno.test("A connection that has sent only empty lines is idle, and closes without an answer", async () => {
  await using fake = fakeEngine(() => new Response("here"), { headerTimeoutMs: 5_000, keepAliveMs: 30_000 });
  const client = fake.listener.connect();
  client.send("\r\n");
  await fake.clock.advance(20_000);
  assert.equal(client.isClosed, false);
  client.send("\r\n\r\n" + GET);
  await settled();
  assert.deepEqual(bodies(readResponses(client.bytes).responses), ["200 here"]);
  client.send("\r\n");
  await fake.clock.advance(32_000);
  assert.equal(client.isClosed, true);
  assert.equal(readResponses(client.bytes).responses.length, 1);
});

/** Three pipelined requests that are answered together, to a client that takes no byte yet. */
async function answerBatch() {
  const infos: { completed: Promise<void> }[] = [];
  const fake = fakeEngine((_request, info) => {
    infos.push(info);
    return new Response("x".repeat(100));
  });
  const client = fake.listener.connect({ window: 0 });
  client.send(GET + GET + GET);
  await settled();
  return { infos, client, fake };
}

Deno.test("An answer counts as complete when the system has taken its last byte, also in a batch", async () => {
  const completed: string[] = [];
  const { infos, client, fake } = await answerBatch();
  await using _engine = fake;
  for (const [i, info] of infos.entries()) info.completed.then(() => completed.push(`${i}`));
  await settled();
  assert.equal(infos.length, 3);
  assert.deepEqual(completed, []);
  client.allow(10_000);
  await settled();
  assert.deepEqual(completed, ["0", "1", "2"]);
});

Deno.test("Answers in a batch that cannot be sent are not complete", async () => {
  const { infos, client, fake } = await answerBatch();
  await using _engine = fake;
  client.reset();
  for (const info of infos) await assert.rejects(info.completed);
  assert.equal(infos.length, 3);
});

Deno.test("A process that was blocked reads what has arrived before it judges its clients", async () => {
  for (const blockedMs of [1_500, 60_000]) {
    await using fake = fakeEngine(length, { headerTimeoutMs: 1_000, keepAliveMs: 1_200 });
    const clients = Array.from({ length: 10 }, () => fake.listener.connect());
    for (const [i, client] of clients.entries()) client.send(i % 2 === 0 ? "GET / HT" : "");
    await fake.clock.advance(600);
    // The rest of the heads, and the first requests, arrive while the process is blocked.
    for (const [i, client] of clients.entries()) client.send(i % 2 === 0 ? "TP/1.1\r\nhost: a\r\n\r\n" : GET);
    fake.clock.block(blockedMs);
    await settled();
    for (const client of clients) assert.deepEqual(bodies(readResponses(client.bytes).responses), ["200 0"]);
  }
});

Deno.test("Bytes that arrive just before a deadline are read before the client is judged", async () => {
  await using fake = fakeEngine(length, { headerTimeoutMs: 10_000 });
  const client = fake.listener.connect();
  client.send("GET / HT");
  await fake.clock.advance(10_500);
  assert.equal(client.isClosed, false, "it is overdue, and gets a second look");
  client.send("TP/1.1\r\nhost: a\r\n\r\n");
  await fake.clock.advance(1_000);
  assert.deepEqual(bodies(readResponses(client.bytes).responses), ["200 0"]);
});

Deno.test("A client that ends its side and still reads gets its answer, however late and long", async () => {
  await using fake = fakeEngine(async (request) => {
    if (request.url.endsWith("/late")) await new Promise<void>((resolve) => void fake.clock.after(20_000, resolve));
    return new Response("x".repeat(1_000_000));
  }, { writeTimeoutMs: 30_000 });
  for (const target of ["/late", "/long"]) {
    const client = fake.listener.connect({ window: 100_000 });
    client.send(`GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`);
    client.end();
    await fake.clock.advance(21_000);
    for (let piece = 0; piece < 10; piece++) {
      client.allow(100_000);
      await fake.clock.advance(5_000);
    }
    const [response] = readResponses(client.bytes, { ended: client.ended }).responses;
    assert.equal(response?.body.length, 1_000_000, target);
  }
});
