// How answers of every kind look on the wire: HEAD, no body, text that is not ASCII, fields that cannot be sent.

import assert from "node:assert/strict";
import type { Answer } from "../../src/wire/answer.ts";
import { answer, connected, connectedBy, openStream } from "../helpers/connected.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf, type RawResponse } from "../helpers/responses.ts";

/** What a client gets for one request on a connection that stays open behind it. */
async function respond(made: Answer, request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n"): Promise<RawResponse> {
  const { client, responses, done } = connected({
    handle: ({ head }) => head.target === "/next" ? answer("next") : made,
  });
  const methods = firstItems(request.split(" "), 1);
  client.send(request);
  await client.until(() => responses(methods).length === 1);
  // What follows shows that not a byte more or less was sent.
  client.send("GET /next HTTP/1.1\r\nhost: a\r\n\r\n");
  await client.until(() => responses(methods).length === 2);
  client.end();
  await done;
  assert.equal(bodyText(itemAt(responses(methods), 1)), "next");
  return itemAt(responses(methods), 0);
}

const HEAD = "HEAD / HTTP/1.1\r\nhost: a\r\n\r\n";

Deno.test("An answer to HEAD has the length of its body and no body", async () => {
  assert.equal(fieldOf(await respond(answer("hello"), HEAD), "content-length"), "5");
  assert.equal(fieldOf(await respond(answer("h\u00e9llo"), HEAD), "content-length"), "6");
  assert.equal(fieldOf(await respond(answer(new Uint8Array(7)), HEAD), "content-length"), "7");
  const told = await respond(answer(null, 200, [["content-length", "1234"]]), HEAD);
  assert.equal(fieldOf(told, "content-length"), "1234");
});

Deno.test("An answer to HEAD with a stream cancels the stream", async () => {
  const { stream, cancelled } = openStream();
  const response = await respond(answer(stream, 200, [["content-length", "99"]]), HEAD);
  assert.equal(fieldOf(response, "content-length"), "99");
  await cancelled;
});

Deno.test("An answer of 204 or 304 has no body and no framing", async () => {
  for (const status of [204, 304]) {
    for (const body of [null, "x", new Uint8Array(3), openStream().stream]) {
      const response = await respond(answer(body, status));
      assert.equal(fieldOf(response, "content-length"), null);
      assert.equal(fieldOf(response, "transfer-encoding"), null);
    }
  }
});

Deno.test("An answer of 304 may tell the length of what it stands for", async () => {
  const response = await respond(answer(null, 304, [["content-length", "42"], ["etag", '"x"']]));
  assert.equal(fieldOf(response, "content-length"), "42");
});

Deno.test("An answer without a body says so", async () => {
  const response = await respond(answer(null));
  assert.equal(fieldOf(response, "content-length"), "0");
});

Deno.test("A text that is not ASCII is sent as UTF-8, whatever its length", async () => {
  for (const length of [1, 10, 4_000, 16_000, 16_384, 20_000, 100_000]) {
    for (const odd of ["\u00e9", "\u20ac", "\u{1f600}", "\ud800"]) {
      const at = [odd + "a".repeat(length), "a".repeat(length) + odd, "a".repeat(length >> 1) + odd + "b"];
      for (const text of at) {
        const response = await respond(answer(text));
        assert.ok(bodyText(response) === text.toWellFormed(), `${length} ${odd}`);
      }
    }
  }
});

Deno.test("A text fills what is left of a buffer that answers share, without a character lost", async () => {
  // Answers that are pipelined share a buffer of 16 KiB; the odd one meets its end at every distance.
  for (let size = 15_900; size < 16_300; size += 7) {
    const texts = ["x".repeat(size), "\u00e9".repeat(20) + "y".repeat(30), "z"];
    const { client, responses, done } = connected({
      handle: ({ head }) => answer(itemAt(texts, Number(head.target.slice(1)))),
    });
    client.send([0, 1, 2].map((nr) => `GET /${nr} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""));
    await client.until(() => responses().length === 3);
    client.end();
    await done;
    assert.ok(responses().every((response, nr) => bodyText(response) === texts[nr]), `${size}`);
  }
});

Deno.test("A field may have any character of Latin-1", async () => {
  const response = await respond(answer("ok", 200, [["x-name", "caf\u00e9 \u00a7"]]));
  assert.equal(fieldOf(response, "x-name"), "caf\u00e9 \u00a7");
  const both = await respond(answer("\u20ac", 200, [["x-name", "caf\u00e9"]]));
  assert.equal(fieldOf(both, "x-name"), "caf\u00e9");
  assert.equal(bodyText(both), "\u20ac");
});

Deno.test("A reason phrase of the application's is sent", async () => {
  const response = await respond({ ...answer(null, 299), reason: "Fine So Far" });
  assert.equal(response.reason, "Fine So Far");
});

Deno.test("A field that would break the message is an error of the application, and nothing of it is sent", async () => {
  const bad: Answer["fields"][] = [
    [["x-a", "1\r\nx-b: 2"]],
    [["x-a", "1\n2"]],
    [["x-a", "1\r2"]],
    [["x-a", "1\0"]],
    [["x-a", "\u20ac"]],
    [["x a", "1"]],
    [["", "1"]],
    [["x:y", "1"]],
    [["content-length", "5x"]],
    [["content-length", "-1"]],
  ];
  for (const fields of bad) {
    const response = await respond(answer("ok", 200, [["x-good", "1"], ...fields]));
    assert.equal(response.status, 500, JSON.stringify(fields));
    assert.equal(fieldOf(response, "x-good"), null);
  }
  const reason = await respond({ ...answer("ok"), reason: "a\r\nb: c" });
  assert.equal(reason.status, 500);
});

Deno.test("A stream whose answer cannot be sent is cancelled", async () => {
  const { stream, cancelled } = openStream();
  const response = await respond(answer(stream, 200, [["x-a", "1\n2"]]));
  assert.equal(response.status, 500);
  await cancelled;
});

Deno.test("A field of the connection's own is not the application's to send", async () => {
  const fields = [["Transfer-Encoding", "gzip"], ["Keep-Alive", "timeout=5"], ["Content-Length", "999"]] as const;
  const response = await respond(answer("hello", 200, fields));
  assert.equal(fieldOf(response, "content-length"), "5");
  assert.equal(fieldOf(response, "transfer-encoding"), null);
  assert.equal(fieldOf(response, "keep-alive"), null);
});

Deno.test("A field that is given twice is sent twice, in order", async () => {
  const response = await respond(answer("ok", 200, [["set-cookie", "a=1"], ["x", "y"], ["set-cookie", "b=2"]]));
  assert.deepEqual(response.fields.filter(([name]) => name === "set-cookie").map(([, value]) => value), ["a=1", "b=2"]);
});

Deno.test("A handler that throws or rejects is answered with 500, and the connection goes on", async () => {
  for (
    const handle of [() => {
      throw new Error("no");
    }, () => Promise.reject(new Error("no"))]
  ) {
    const { client, responses, failures, done } = connected({ handle });
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await client.until(() => responses().length === 1);
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await client.until(() => responses().length === 2);
    client.end();
    assert.equal(await done, null);
    assert.deepEqual(responses().map(({ status }) => status), [500, 500]);
    assert.equal(failures.length, 2);
  }
});

Deno.test("A body of bytes is handed to the socket without a copy", async () => {
  const body = new Uint8Array(1024 * 1024);
  const { client, driver } = connectedBy(null, { handle: () => answer(body) });
  const buffers: ArrayBufferLike[] = [];
  const socket = client.socket as { write(bytes: Uint8Array): Promise<number> };
  const write = socket.write;
  socket.write = (bytes) => {
    buffers.push(bytes.buffer);
    return write(bytes);
  };
  client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  client.end();
  for await (const turn of driver) for (const _phase of turn);
  assert.equal(buffers.at(-1), body.buffer);
  assert.ok(client.bytes.length > body.length);
});
