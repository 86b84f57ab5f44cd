// What becomes of a body that the application left unread: read away or the end, never a request.

import assert from "node:assert/strict";
import { answer, connected } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";

const GET = "GET /next HTTP/1.1\r\nhost: a\r\n\r\n";
const DRAIN_BYTES = 256 * 1024;

Deno.test("A short body that the application leaves is read away, and the next request is answered", async () => {
  for (
    const body of [
      "content-length: 10\r\n\r\n0123456789",
      "transfer-encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
    ]
  ) {
    for (const maxRead of [Infinity, 1]) {
      const { client, responses, phases, done } = connected({ maxRead, handle: ({ head }) => answer(head.target) });
      client.send(`POST / HTTP/1.1\r\nhost: a\r\n${body}${GET}`);
      await client.until(() => responses().length === 2);
      client.end();
      await done;
      assert.deepEqual(responses().map(bodyText), ["/", "/next"]);
      assert.ok(phases.includes("drain"));
    }
  }
});

Deno.test("The answer does not wait for a body that the application leaves", async () => {
  const { client, responses, connection, done } = connected({ handle: ({ head }) => answer(head.target) });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n");
  await client.until(() => responses().length === 1);
  await settled();
  assert.equal(connection.phase, "drain");
  client.send("0123456789" + GET);
  await client.until(() => responses().length === 2);
  client.end();
  await done;
});

Deno.test("A body of up to 256 KiB is read away, a longer one ends the connection", async () => {
  for (const [size, isKept] of [[DRAIN_BYTES, true], [DRAIN_BYTES + 1, false]] as const) {
    const { client, responses, exchanges, done } = connected();
    client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`);
    client.send(new Uint8Array(size));
    client.send(GET);
    client.end();
    await done;
    assert.equal(exchanges.length, isKept ? 2 : 1);
    assert.equal(fieldOf(itemAt(responses(), 0), "connection"), isKept ? null : "close", `${size}`);
  }
});

Deno.test("A chunked body without end is read away up to 256 KiB, then the connection ends", async () => {
  const { client, exchanges, done } = connected();
  client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  const chunk = `1000\r\n${"x".repeat(0x1000)}\r\n`;
  for (let i = 0; i < 1_000; i++) client.send(chunk);
  await client.closed;
  await done;
  assert.equal(exchanges.length, 1);
  assert.ok(client.taken < 3 * DRAIN_BYTES, `${client.taken} bytes were read`);
});

Deno.test("A request that hides in a body is never run", async () => {
  const hidden = "GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
  const requests = [
    // Left unread, of known length.
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${hidden.length}\r\n\r\n${hidden}`,
    // Left unread, in a chunk and behind a broken one.
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${
      hidden.length.toString(16)
    }\r\n${hidden}\r\n0\r\n\r\n`,
    `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nz\r\n${hidden}`,
    // Longer than is read away.
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${DRAIN_BYTES * 2}\r\n\r\n${hidden.repeat(20_000)}`,
    // A client that waits for 100 and sends something else.
    `POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n${hidden}`,
    // The last answer of a connection.
    `GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n${hidden}`,
    `POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello${hidden}`,
    // Framing in two minds.
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\ncontent-length: 5\r\n\r\n${hidden}`,
  ];
  for (const request of requests) {
    for (const maxRead of [Infinity, 1]) {
      for (const body of ["stream", "auto"] as const) {
        const { client, exchanges, done } = connected({ body, maxRead: request.length > 9_999 ? 999 : maxRead });
        client.send(request);
        client.end();
        await done;
        assert.ok(exchanges.every(({ head }) => head.target === "/"), request.slice(0, 200));
      }
    }
  }
});

Deno.test("A handler that reads a part of the body leaves the rest to be read away", async () => {
  const { client, responses, done } = connected({
    maxRead: 100,
    async handle(exchange) {
      if (exchange.head.method === "POST") await exchange.readBody();
      return answer(exchange.head.target);
    },
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5000\r\n\r\n" + "x".repeat(5000) + GET);
  await client.until(() => responses().length === 2);
  client.end();
  await done;
  assert.deepEqual(responses().map(bodyText), ["/", "/next"]);
});

Deno.test("A handler that goes on reading after its answer is told that the request is over", async () => {
  let reading!: Promise<unknown>;
  const { client, responses, done } = connected({
    handle(exchange) {
      if (exchange.head.method === "POST") {
        reading = exchange.readBody().then(() => exchange.readBody());
        reading.catch(() => {});
      }
      return answer(exchange.head.target);
    },
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n");
  await client.until(() => responses().length === 1);
  client.send("0123456789" + GET);
  await client.until(() => responses().length === 2);
  await assert.rejects(reading, { name: "ProtocolError", code: "cut-short" });
  client.end();
  await done;
  assert.deepEqual(responses().map(bodyText), ["/", "/next"]);
});

Deno.test("A client that leaves while its body is read away ends the connection in peace", async () => {
  for (const end of ["end", "reset"] as const) {
    const { client, responses, done } = connected();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n01");
    await client.until(() => responses().length === 1);
    client[end]();
    assert.equal(await done, null);
  }
});
