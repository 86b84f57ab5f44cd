// What the application learns of a client that leaves, and what it never learns of one that was answered.

import assert from "node:assert/strict";
import type { Exchange } from "../../src/connection/exchange.ts";
import { answer, connected, readAll } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText } from "../helpers/responses.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const never = () => new Promise<never>(() => {});

Deno.test("A client that leaves while the application runs aborts the request's signal", async () => {
  for (const end of ["end", "reset"] as const) {
    const aborted = Promise.withResolvers<unknown>();
    const { client, connection, done } = connected({
      handle({ signal }) {
        signal.addEventListener("abort", () => aborted.resolve(signal.reason));
        return never();
      },
    });
    client.send(GET);
    await settled();
    client[end]();
    assert.equal((await aborted.promise as Error).name, "AbortError");
    // A reset ends the connection; if only one side has ended, a deadline does.
    if (end === "end") connection.end({ why: "timeout", error: null });
    assert.equal(await done, null);
    assert.equal(client.isClosed, true);
  }
});

Deno.test("A client that ended its side while the application ran is answered", async () => {
  const go = Promise.withResolvers<void>();
  const { client, responses, done } = connected({
    async handle() {
      await go.promise;
      return answer("here you are");
    },
  });
  client.send(GET);
  client.end();
  await settled();
  go.resolve();
  await done;
  assert.equal(bodyText(itemAt(responses(), 0)), "here you are");
});

Deno.test("A signal that is asked for after the client has left is aborted already", async () => {
  const go = Promise.withResolvers<void>();
  const { client, exchanges, done } = connected({
    async handle() {
      await go.promise;
      return answer("ok");
    },
  });
  client.send(GET);
  await settled();
  client.end();
  await settled();
  assert.equal(itemAt(exchanges, 0).signal.aborted, true);
  go.resolve();
  await done;
});

Deno.test("An answered request never aborts its signal", async () => {
  for (const end of ["end", "reset"] as const) {
    const { client, responses, exchanges, done } = connected({
      handle(exchange) {
        exchange.signal.throwIfAborted();
        return answer("ok");
      },
    });
    client.send(GET + GET);
    await client.until(() => responses().length === 2);
    await settled();
    client[end]();
    await done;
    for (const exchange of exchanges) {
      assert.equal(exchange.signal.aborted, false, end);
      await exchange.completed;
    }
  }
});

Deno.test("completed resolves when the last byte was taken, not before", async () => {
  const events: string[] = [];
  const { client, done } = connected({
    window: 100,
    handle(exchange) {
      exchange.completed.then(() => events.push("completed"));
      return answer("x".repeat(1_000));
    },
  });
  client.send(GET);
  await settled();
  assert.equal(client.isWritten, true);
  assert.deepEqual(events, []);
  client.allow(10_000);
  await settled();
  assert.deepEqual(events, ["completed"]);
  client.end();
  await done;
});

Deno.test("completed does not wait for the next pipelined answer", async () => {
  const second = Promise.withResolvers<void>();
  let completed!: Promise<void>;
  const { client, responses, done } = connected({
    handle(exchange) {
      if (exchange.connection.requests === 1) {
        completed = exchange.completed;
        return answer("1");
      }
      return second.promise.then(() => answer("2"));
    },
  });
  client.send(GET + GET);
  await settled();
  await completed;
  second.resolve();
  await client.until(() => responses().length === 2);
  client.end();
  await done;
});

Deno.test("completed rejects if the answer cannot be sent any more, asked before or after", async () => {
  let seen!: Exchange;
  let completed!: Promise<void>;
  const { client, done } = connected({
    window: 0,
    handle(exchange) {
      seen = exchange;
      completed = exchange.completed;
      return answer("ok");
    },
  });
  client.send(GET);
  await settled();
  client.reset();
  await assert.rejects(completed);
  await done;
  await assert.rejects(seen.completed);
  assert.equal(seen.signal.aborted, true);
});

Deno.test("completed rejects with the signal's reason, asked before or after", async () => {
  let completed!: Promise<void>;
  const go = Promise.withResolvers<void>();
  const { client, exchanges, done } = connected({
    window: 0,
    async handle(exchange) {
      completed = exchange.completed;
      await go.promise;
      return answer("ok");
    },
  });
  client.send(GET);
  await settled();
  client.end();
  await settled();
  go.resolve();
  await settled();
  client.reset();
  const { signal } = itemAt(exchanges, 0);
  await assert.rejects(completed, (error) => error === signal.reason);
  await assert.rejects(itemAt(exchanges, 0).completed, (error) => error === signal.reason);
  await done;
});

Deno.test("completed that is not awaited rejects without an unhandled rejection", async () => {
  const { client, done } = connected({
    handle(exchange) {
      exchange.completed;
      return never();
    },
  });
  client.send(GET);
  await settled();
  client.reset();
  assert.equal(await done, null);
  await settled();
});

Deno.test("A handler that fails after its client has left is not answered and not heard of", async () => {
  const go = Promise.withResolvers<void>();
  const { client, failures, done } = connected({
    async handle() {
      await go.promise;
      throw new Error("too late");
    },
  });
  client.send(GET);
  await settled();
  client.reset();
  assert.equal(await done, null);
  go.resolve();
  await settled();
  assert.deepEqual(failures, []);
});

Deno.test("A stream that is answered after the client was given up is cancelled", async () => {
  const cancelled = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  const { client, done } = connected({
    async handle() {
      await go.promise;
      return answer(new ReadableStream<Uint8Array>({ cancel: () => cancelled.resolve() }));
    },
  });
  client.send(GET);
  await settled();
  client.reset();
  assert.equal(await done, null);
  go.resolve();
  await cancelled.promise;
});

Deno.test("A client that leaves in the middle of a body errors the read and aborts the signal", async () => {
  let caught: unknown;
  const { client, exchanges, done } = connected({
    async handle(exchange) {
      await readAll(exchange).catch((error) => {
        caught = error;
        throw error;
      });
      return answer("ok");
    },
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n012");
  await settled();
  const { signal } = itemAt(exchanges, 0);
  client.reset();
  assert.equal(await done, null);
  await settled();
  assert.ok(caught instanceof ProtocolError);
  assert.equal(signal.aborted, true);
});

Deno.test("A client that is given up is told, if no answer has begun", async () => {
  const { client, responses, exchanges, connection, done } = connected({
    handle: async (exchange) => answer(await readAll(exchange)),
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n012");
  await settled();
  const reading = itemAt(exchanges, 0).completed;
  connection.end({ why: "timeout", error: new ProtocolError("too-slow", 408, "too slow") });
  assert.equal(await done, null);
  assert.deepEqual(responses().map(({ status }) => status), [408]);
  await assert.rejects(reading, ProtocolError);
});

Deno.test("A client that is given up in the middle of an answer is cut without a word", async () => {
  const { client, responses, connection, done } = connected({ window: 60 });
  client.send(GET);
  await settled();
  connection.end({ why: "timeout", error: new ProtocolError("too-slow", 408, "too slow") });
  await done;
  assert.equal(client.bytes.length, 60);
  assert.equal(responses().length, 0);
});

Deno.test("A client that does not even take its refusal is cut when it is given up again", async () => {
  const { client, connection, done } = connected({ window: 0 });
  client.send("GET / HT");
  await settled();
  connection.end({ why: "timeout", error: new ProtocolError("too-slow", 408, "too slow") });
  await settled();
  assert.equal(client.isClosed, false);
  connection.end({ why: "timeout", error: new ProtocolError("too-slow", 408, "too slow") });
  assert.equal(await done, null);
  assert.equal(client.isClosed, true);
});
