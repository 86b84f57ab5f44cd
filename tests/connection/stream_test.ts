// How a stream leaves as a body: its framing, its pace, and what a client sees of one that fails.

import assert from "node:assert/strict";
import { ResponseBroken } from "../../src/connection/endings.ts";
import type { AnswerSource } from "../../src/wire/answer.ts";
import { answer, connected, type ConnectedOptions, openStream } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

/** A connection that answers its first request with a stream, every other with "next". */
function streaming(options: ConnectedOptions & { length?: number | undefined; request?: string } = {}) {
  const open = openStream();
  const fields = options.length === undefined ? [] : [["content-length", `${options.length}`]] as const;
  let asked = 0;
  const walked = connected({
    ...options,
    handle: () => asked++ === 0 ? answer(open.stream, 200, fields) : answer("next"),
  });
  walked.client.send(options.request ?? GET);
  return { ...walked, ...open };
}

Deno.test("A stream is sent in chunks, each as it comes, and the connection goes on", async () => {
  const { client, push, close, responses, phases, exchanges, done } = streaming();
  await client.until(() => client.text.endsWith("\r\n\r\n"));
  assert.match(client.text, /\r\ntransfer-encoding: chunked\r\n/);
  push("hello ");
  await client.until(() => client.text.endsWith("\r\n\r\n6\r\nhello \r\n"));
  push("world");
  await client.until(() => client.text.endsWith("5\r\nworld\r\n"));
  close();
  await client.until(() => responses().length === 1);
  client.send(GET);
  await client.until(() => responses().length === 2);
  client.end();
  assert.equal(await done, null);
  assert.deepEqual(responses().map(bodyText), ["hello world", "next"]);
  assert.equal(itemAt(exchanges, 0).sent, 11);
  assert.equal(
    phases.filter((phase) => phase === "write").length,
    4,
    "one for the answer, one for each piece, one more",
  );
});

Deno.test("A stream may give empty pieces and large ones", async () => {
  const { client, push, close, responses, done } = streaming();
  push("");
  push("x".repeat(100_000));
  push("");
  close();
  await client.until(() => responses().length === 1);
  client.end();
  await done;
  assert.equal(bodyText(itemAt(responses(), 0)).length, 100_000);
});

Deno.test("A stream with a Content-Length is sent as it is", async () => {
  const { client, push, close, responses, done } = streaming({ length: 10 });
  push("01234");
  push("56789");
  close();
  await client.until(() => responses().length === 1);
  client.send(GET);
  await client.until(() => responses().length === 2);
  client.end();
  assert.equal(await done, null);
  assert.equal(itemAt(responses(), 0).framing, "length");
  assert.equal(bodyText(itemAt(responses(), 0)), "0123456789");
});

Deno.test("A stream for HTTP/1.0 ends with the connection", async () => {
  const request = "GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n";
  const { client, push, close, responses, done } = streaming({ request });
  push("hello");
  close();
  await client.closed;
  await done;
  assert.equal(itemAt(responses(), 0).framing, "close");
  assert.equal(bodyText(itemAt(responses(), 0)), "hello");
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
});

Deno.test("A stream that fails cuts the connection, so that the client sees it", async () => {
  for (const length of [undefined, 10]) {
    const { client, push, fail, responses, exchanges, done } = streaming({ length });
    if (exchanges.length === 0) await settled();
    const { completed } = itemAt(exchanges, 0);
    push("hello");
    await client.until(() => client.text.includes("hello"));
    fail(new Error("the file is gone"));
    await client.closed;
    const error = await done;
    assert.ok(error instanceof ResponseBroken);
    assert.equal((error.cause as Error).message, "the file is gone");
    assert.equal(itemAt(responses(), 0).isWhole, false);
    assert.equal(bodyText(itemAt(responses(), 0)), "hello");
    await assert.rejects(completed, ResponseBroken);
  }
});

Deno.test("A stream that is longer than its Content-Length is cut before the byte too many", async () => {
  const { client, push, done, cancelled } = streaming({ length: 5, request: GET + GET });
  push("0123");
  push("4567");
  await client.closed;
  const error = await done;
  assert.ok(error instanceof ResponseBroken);
  await cancelled;
  assert.ok(client.text.endsWith("\r\n\r\n0123"), client.text);
});

Deno.test("A stream that is shorter than its Content-Length cuts the connection", async () => {
  const { client, push, close, responses, done } = streaming({ length: 5, request: GET + GET });
  push("0123");
  close();
  await client.closed;
  assert.ok(await done instanceof ResponseBroken);
  assert.deepEqual(responses().map(({ isWhole }) => isWhole), [false]);
});

Deno.test("A stream that gives something other than bytes cuts the connection", async () => {
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue("text");
    },
  });
  const { client, done } = connected({ handle: () => answer(stream) });
  client.send(GET);
  await client.closed;
  assert.ok(await done instanceof ResponseBroken);
});

Deno.test("A client that leaves cancels the stream, whether it writes or waits", async () => {
  for (const isIdle of [true, false]) {
    const { client, push, cancelled, exchanges, done } = streaming({ window: isIdle ? Infinity : 200 });
    await settled();
    const { signal, completed } = itemAt(exchanges, 0);
    if (!isIdle) push("x".repeat(1_000));
    await settled();
    assert.equal(client.isWritten, !isIdle);
    client.reset();
    await cancelled;
    assert.equal(await done, null, "a client that leaves is no error of ours");
    assert.equal(signal.aborted, true);
    await assert.rejects(completed);
  }
});

Deno.test("A client that ends its side still gets the whole stream", async () => {
  const { client, push, close, responses, exchanges, done } = streaming();
  push("hello ");
  await client.until(() => client.text.includes("hello"));
  client.end();
  await settled();
  assert.equal(itemAt(exchanges, 0).signal.aborted, true);
  push("world");
  close();
  await done;
  assert.equal(bodyText(itemAt(responses(), 0)), "hello world");
  assert.equal(itemAt(responses(), 0).isWhole, true);
});

Deno.test("Pieces that a stream has ready leave in one write with the head and the end", async () => {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const word of ["one", "two", "three"]) controller.enqueue(new TextEncoder().encode(word));
      controller.close();
    },
  });
  const { client, responses, done } = connected({ handle: () => answer(stream) });
  client.send(GET);
  await client.until(() => responses()[0]?.isWhole === true);
  assert.equal(client.writes.length, 1);
  assert.equal(bodyText(itemAt(responses(), 0)), "onetwothree");
  client.end();
  assert.equal(await done, null);
});

Deno.test("Pieces that are ready leave before the stream is waited for", async () => {
  const { client, push, close, responses, done } = streaming();
  await client.until(() => client.text.includes("\r\n\r\n"));
  assert.equal(client.writes.length, 1, "the head does not wait for a piece");
  push("one");
  push("two");
  push("three");
  await client.until(() => client.text.includes("three"));
  assert.equal(client.writes.length, 2);
  close();
  await client.until(() => responses()[0]?.isWhole === true);
  client.end();
  assert.equal(await done, null);
  assert.equal(bodyText(itemAt(responses(), 0)), "onetwothree");
});

Deno.test("A source may write the next piece where the last one stood", async () => {
  for (const size of [100, 6_000, 100_000]) {
    for (const isLengthKnown of [true, false]) {
      const buffer = new Uint8Array(size);
      let reads = 0;
      const source: AnswerSource = {
        read() {
          if (reads === 5) return Promise.resolve({ done: true, value: undefined });
          buffer.fill(0x30 + reads++);
          return Promise.resolve({ done: false, value: buffer });
        },
        cancel: () => Promise.resolve(),
      };
      const fields = isLengthKnown ? [["content-length", `${5 * size}`]] as const : [];
      const { client, responses, done } = connected({ handle: () => answer(source, 200, fields) });
      client.send(GET);
      await client.until(() => responses()[0]?.isWhole === true);
      client.end();
      assert.equal(await done, null);
      const expected = ["0", "1", "2", "3", "4"].map((digit) => digit.repeat(size)).join("");
      assert.ok(bodyText(itemAt(responses(), 0)) === expected, `${size} bytes, length known: ${isLengthKnown}`);
    }
  }
});

Deno.test("A stream that fails at once still sends its head and what came before", async () => {
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode("first"));
      controller.enqueue("no bytes" as unknown as Uint8Array);
    },
  });
  const { client, done } = connected({ handle: () => answer(stream) });
  client.send(GET);
  await client.closed;
  assert.ok(await done instanceof ResponseBroken);
  assert.ok(client.text.includes("first"), client.text);
});

Deno.test("A stream is asked for no more than the client takes", async () => {
  let made = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      made++;
      controller.enqueue(new Uint8Array(10_000));
    },
  }, { highWaterMark: 0 });
  const { client, connection, done } = connected({ window: 25_000, handle: () => answer(stream) });
  client.send(GET);
  await client.until(() => client.isWritten && client.writes.length > 2);
  await settled();
  assert.ok(made <= 4, `${made} pieces were made for a client that takes two and a half`);
  assert.ok(connection.outbound.size <= 16 * 1024 + 10_000, `${connection.outbound.size} bytes wait`);
  const before = made;
  client.allow(20_000);
  await settled();
  assert.ok(made > before && made <= before + 3);
  client.reset();
  await done;
});

Deno.test("A request that comes while a stream is sent waits its turn", async () => {
  const { client, push, close, responses, exchanges, done } = streaming();
  push("hello");
  await client.until(() => client.text.includes("hello"));
  client.send(GET);
  await settled();
  assert.equal(exchanges.length, 1);
  close();
  await client.until(() => responses().length === 2);
  client.end();
  await done;
});

Deno.test("A body can be streamed back while it comes", async () => {
  const { client, responses, done } = connected({
    handle: (exchange) =>
      answer(
        new ReadableStream<Uint8Array>({
          async pull(controller) {
            const piece = await exchange.readBody();
            if (piece === null) controller.close();
            else controller.enqueue(piece);
          },
        }, { highWaterMark: 0 }),
      ),
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  await client.until(() => client.text.includes("\r\n\r\n"));
  for (const word of ["one", "two", "three"]) {
    client.send(`${word.length}\r\n${word}\r\n`);
    await client.until(() => client.text.includes(word));
  }
  client.send("0\r\n\r\n" + GET);
  await client.until(() => responses().length === 2);
  client.end();
  assert.equal(await done, null);
  assert.equal(bodyText(itemAt(responses(), 0)), "onetwothree");
});
