// When a client that waits for 100 (Continue) gets it, and what `accept` can say before the body.

import assert from "node:assert/strict";
import type { BodyPolicy } from "../../src/connection/options.ts";
import { answer, connected, openStream, readAll } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";

const EXPECT = "POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n";
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

Deno.test("100 (Continue) is sent when the application asks for the body, and not before", async () => {
  const go = Promise.withResolvers<void>();
  const { client, responses, done } = connected({
    async handle(exchange) {
      await go.promise;
      return answer(await readAll(exchange));
    },
  });
  client.send(EXPECT);
  await settled();
  assert.equal(client.text, "");
  go.resolve();
  await client.until(() => client.text === CONTINUE);
  client.send("hello");
  await client.until(() => responses().length === 2);
  assert.equal(bodyText(itemAt(responses(), 1)), "hello");
  // The connection goes on.
  client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await client.until(() => responses().length === 3);
  client.end();
  await done;
});

for (const body of ["auto", "whole"] as BodyPolicy[]) {
  Deno.test(`100 (Continue) is sent before the application runs under "${body}"`, async () => {
    const { client, responses, exchanges, done } = connected({
      body,
      handle: async (exchange) => answer(await readAll(exchange)),
    });
    client.send(EXPECT);
    await client.until(() => client.text === CONTINUE);
    assert.equal(exchanges.length, 0);
    client.send("hello");
    await client.until(() => responses().length === 2);
    assert.equal(bodyText(itemAt(responses(), 1)), "hello");
    client.end();
    await done;
  });
}

Deno.test("100 (Continue) is not sent to a client that did not wait for it", async () => {
  for (const body of ["auto", "whole", "stream"] as BodyPolicy[]) {
    const { client, responses, done } = connected({
      body,
      handle: async (exchange) => answer(await readAll(exchange)),
    });
    client.send(EXPECT + "hello");
    await client.until(() => responses().some(({ status }) => status === 200));
    client.end();
    await done;
    assert.deepEqual(responses().map(({ status }) => status), [200], body);
  }
});

Deno.test("100 (Continue) is not sent if the answer came first; the connection ends, its body is not taken for a request", async () => {
  const { client, responses, exchanges, done } = connected({ handle: () => answer("no", 403) });
  client.send(EXPECT);
  await client.until(() => client.ended);
  client.send("GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
  client.end();
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [403]);
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
  assert.equal(exchanges.length, 1);
});

Deno.test("100 (Continue) is not sent for an empty body, nor to HTTP/1.0", async () => {
  for (
    const head of ["POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n", "POST / HTTP/1.0\r\ncontent-length: 2\r\n"]
  ) {
    const { client, responses, done } = connected({ handle: async (exchange) => answer(await readAll(exchange)) });
    client.send(`${head}expect: 100-continue\r\n\r\n`);
    await settled();
    client.send(head.includes("1.0") ? "hi" : "");
    client.end();
    await done;
    assert.deepEqual(responses().map(({ status }) => status), [200], head);
  }
});

Deno.test("100 (Continue) that is not asked for again is sent once, however often the body is read", async () => {
  const { client, responses, done } = connected({ handle: async (exchange) => answer(await readAll(exchange)) });
  client.send(EXPECT);
  for (const letter of "hello") {
    await settled();
    client.send(letter);
  }
  await client.until(() => responses().length === 2);
  client.end();
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [100, 200]);
});

Deno.test("100 (Continue) goes out after the answers before it", async () => {
  const { client, responses, done } = connected({
    async handle(exchange) {
      await Promise.resolve();
      return answer(exchange.head.method === "GET" ? "first" : await readAll(exchange));
    },
  });
  client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n" + EXPECT);
  await client.until(() => responses().length === 2);
  client.send("hello");
  await client.until(() => responses().length === 3);
  assert.deepEqual(responses().map(({ status }) => status), [200, 100, 200]);
  client.end();
  await done;
});

Deno.test("100 (Continue) under way when the answer is there goes out before it, whole", async () => {
  const { client, responses, done } = connected({
    window: 10,
    handle(exchange) {
      exchange.readBody().catch(() => {});
      return Promise.resolve(answer("no", 403));
    },
  });
  client.send(EXPECT);
  await settled();
  assert.equal(client.text, CONTINUE.slice(0, 10));
  client.allow(1_000);
  await client.until(() => responses().length === 2);
  // It was told to send its body, so that is read away.
  client.send("hello" + EXPECT.replace("expect", "x-expect") + "hello");
  await client.until(() => responses().length === 3);
  client.end();
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [100, 403, 403]);
});

Deno.test("100 (Continue) is not sent if the application asks for the body while its answer is written", async () => {
  for (const head of [EXPECT, EXPECT.replace("POST", "HEAD")]) {
    for (const body of ["no", openStream().stream]) {
      if (head.startsWith("POST") && typeof body !== "string") continue; // Its head is held until the stream gives a piece.
      const { client, exchanges, done } = connected({ window: 10, handle: () => answer(body, 403) });
      client.send(head);
      await settled();
      const late = assert.rejects(itemAt(exchanges, 0).readBody());
      client.allow(1_000);
      await client.until(() => client.ended);
      client.end();
      assert.equal(await done, null);
      await late;
      assert.match(client.text, /^HTTP\/1\.1 403 /);
      assert.doesNotMatch(client.text, / 100 /);
    }
  }
});

Deno.test("An expectation that is not known is refused with 417", async () => {
  const { client, responses, done } = connected();
  client.send(EXPECT.replace("100-continue", "a-pony"));
  client.end();
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [417]);
});

Deno.test("accept() lets pass what it does not answer", async () => {
  for (const accept of [() => null, () => Promise.resolve(null)]) {
    const { client, responses, done } = connected({ accept });
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await client.until(() => responses().length === 1);
    client.end();
    await done;
    assert.equal(itemAt(responses(), 0).status, 200);
  }
});

Deno.test("accept() answers without a byte of the body read, whatever the policy", async () => {
  for (const body of ["auto", "whole", "stream"] as BodyPolicy[]) {
    const { client, responses, exchanges, phases, done } = connected({
      body,
      accept: () => Promise.resolve(answer("who are you?", 401)),
    });
    client.send(EXPECT);
    await client.until(() => client.ended);
    client.end();
    await done;
    assert.deepEqual(responses().map(({ status }) => status), [401], body);
    assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
    assert.equal(exchanges.length, 0, "the application has not run");
    assert.ok(!phases.includes("dispatch") && !phases.includes("body"));
    assert.equal(client.taken, EXPECT.length);
  }
});

Deno.test("accept() that refuses a large upload ends the connection after its answer", async () => {
  const { client, responses, done } = connected({ accept: () => answer("too much", 413) });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n");
  for (let i = 0; i < 100; i++) client.send(new Uint8Array(100_000));
  await client.closed;
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [413]);
  assert.ok(client.taken < 600_000, `${client.taken} bytes were read away`);
});

Deno.test("accept() that refuses a small body keeps the connection", async () => {
  const { client, responses, done } = connected({
    accept: ({ head }) => head.method === "POST" ? answer("", 401) : null,
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await client.until(() => responses().length === 2);
  client.end();
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [401, 200]);
});

Deno.test("accept() that throws is answered with 500", async () => {
  const { client, responses, failures, done } = connected({
    accept: () => {
      throw new Error("no");
    },
  });
  client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await client.until(() => responses().length === 1);
  client.end();
  await done;
  assert.equal(itemAt(responses(), 0).status, 500);
  assert.equal(failures.length, 1);
});
