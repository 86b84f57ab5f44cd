// When the application runs under each body policy, and what it then reads.

import assert from "node:assert/strict";
import type { Exchange } from "../../src/connection/exchange.ts";
import type { BodyPolicy } from "../../src/connection/options.ts";
import { answer, connected, readAll } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText } from "../helpers/responses.ts";

const AUTO_BYTES = 64 * 1024;

function post(body: string, fields = ""): string {
  return `POST / HTTP/1.1\r\nhost: a\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`;
}

function chunked(...chunks: string[]): string {
  const body = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("");
  return `POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${body}0\r\n\r\n`;
}

const echo = async (exchange: Exchange) => answer(await readAll(exchange));

for (const body of ["auto", "whole", "stream"] as BodyPolicy[]) {
  for (const maxRead of [Infinity, 1, 7]) {
    Deno.test(`A body is read whole under "${body}", reading ${maxRead} bytes at a time`, async () => {
      const { client, responses, connection, done } = connected({ body, maxRead, handle: echo });
      client.send(post("hello") + chunked("hel", "lo wor", "ld") + post("bye") + "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await client.until(() => responses().length === 4);
      client.end();
      assert.equal(await done, null);
      assert.deepEqual(responses().map(bodyText), ["hello", "hello world", "bye", ""]);
      assert.equal(connection.requests, 4);
    });

    Deno.test(`A body comes in arrays of the socket under "${body}", of ${maxRead} bytes at most`, async () => {
      const { client, responses, connection, done } = connected({ body, maxRead, maxOwn: 64 * 1024, handle: echo });
      const text = Array.from({ length: 20_000 }, (_, nr) => nr.toString(36)).join(",");
      const long = maxRead === Infinity ? text : "long";
      client.send(post("hello") + chunked("hel", "lo wor", "ld") + post(long) + chunked(long));
      await client.until(() => responses().length === 4);
      client.send(post("in "));
      for (const piece of [post("two pieces").slice(0, -3), "ces", post("late").slice(0, -4)]) {
        await settled();
        client.send(piece);
      }
      await settled();
      client.send("late" + "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await client.until(() => responses().length === 8);
      client.end();
      assert.equal(await done, null);
      const expected = ["hello", "hello world", long, long, "in ", "two pieces", "late", ""];
      assert.deepEqual(responses().map(bodyText), expected);
      assert.equal(connection.requests, 8);
    });
  }

  Deno.test(`A large body is read whole under "${body}"`, async () => {
    const text = Array.from({ length: 60_000 }, (_, nr) => nr.toString(36)).join(",");
    for (const request of [post(text), chunked(text.slice(0, 100_000), text.slice(100_000))]) {
      const { client, responses, exchanges, done } = connected({ body, maxRead: 30_000, handle: echo });
      client.send(request);
      client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await client.until(() => responses().length === 2);
      client.end();
      await done;
      assert.ok(bodyText(itemAt(responses(), 0)) === text);
      assert.equal(itemAt(exchanges, 0).received, text.length);
    }
  });
}

Deno.test("A body breaks off between arrays of the socket, and what came of it is counted", async () => {
  const { client, exchanges, done } = connected({ body: "stream", maxOwn: 1024, handle: echo });
  client.send(post("x".repeat(10_000)).slice(0, -1));
  await settled();
  client.end();
  await done;
  assert.equal(itemAt(exchanges, 0).received, 9_999);
});

/** Whether the application runs before the last byte of a body has come. */
async function runsEarly(body: BodyPolicy, request: string): Promise<boolean> {
  const { client, exchanges, phases, done } = connected({ body, handle: echo });
  client.send(request.slice(0, -1));
  await settled();
  const isEarly = exchanges.length === 1;
  assert.equal(phases.includes("body"), !isEarly);
  client.send(request.slice(-1));
  client.end();
  await done;
  assert.equal(exchanges.length, 1);
  return isEarly;
}

Deno.test("Policy auto waits for a small body of known length, and for no other", async () => {
  assert.equal(await runsEarly("auto", post("x".repeat(AUTO_BYTES))), false);
  assert.equal(await runsEarly("auto", post("x".repeat(AUTO_BYTES + 1))), true);
  assert.equal(await runsEarly("auto", chunked("x")), true);
});

Deno.test("Policy whole waits for every body, policy stream for none", async () => {
  assert.equal(await runsEarly("whole", post("x".repeat(200_000))), false);
  assert.equal(await runsEarly("whole", chunked("x")), false);
  assert.equal(await runsEarly("stream", post("xy")), true);
  assert.equal(await runsEarly("stream", chunked("x")), true);
});

Deno.test("A body that was read first stands in one piece, and the request after it is kept", async () => {
  for (const body of ["auto", "whole"] as BodyPolicy[]) {
    const seen: (string | null)[] = [];
    const { client, responses, done } = connected({
      body,
      maxRead: 10,
      handle(exchange) {
        const whole = exchange.takeBuffered();
        seen.push(whole === null ? null : new TextDecoder().decode(whole));
        return answer("ok");
      },
    });
    client.send(post("one") + post("two") + post(""));
    await client.until(() => responses().length === 3);
    client.end();
    await done;
    assert.deepEqual(seen, ["one", "two", null]);
  }
});

Deno.test("A streamed body that came together with its head can be taken whole, and stays what it was", async () => {
  const seen: string[] = [];
  const { client, responses, done } = connected({
    body: "stream",
    async handle(exchange) {
      const whole = exchange.takeBuffered();
      seen.push(whole === null ? "null" : new TextDecoder().decode(whole));
      // The read ahead brings the client's next bytes meanwhile.
      await settled();
      seen.push(whole === null ? "null" : new TextDecoder().decode(whole), `${await exchange.readBody()}`);
      return answer("ok");
    },
  });
  client.send(post("one"));
  await settled();
  client.send(post("two and more"));
  await client.until(() => responses().length === 2);
  // The head and a part of the body: nothing is taken then.
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nab");
  await settled();
  client.send("cd");
  await client.until(() => responses().length === 3);
  client.end();
  await done;
  assert.deepEqual(seen.slice(0, 7), ["one", "one", "null", "two and more", "two and more", "null", "null"]);
});

Deno.test("A body that is streamed comes piece by piece, in bytes that stay as they are", async () => {
  const pieces: Uint8Array[] = [];
  const { client, responses, done } = connected({
    async handle(exchange) {
      for (let piece = await exchange.readBody(); piece !== null; piece = await exchange.readBody()) pieces.push(piece);
      return answer("ok");
    },
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 12\r\n\r\n");
  for (const piece of ["abcd", "efgh", "ijkl"]) {
    await settled();
    client.send(piece);
  }
  await client.until(() => responses().length === 1);
  client.send("GET /overwrite/what/was/given/away HTTP/1.1\r\nhost: a\r\n\r\n");
  await client.until(() => responses().length === 2);
  client.end();
  await done;
  assert.deepEqual(pieces.map((piece) => new TextDecoder().decode(piece)), ["abcd", "efgh", "ijkl"]);
});

Deno.test("A body that the application does not ask for holds the socket", async () => {
  const go = Promise.withResolvers<void>();
  const { client, responses, done } = connected({
    async handle(exchange) {
      await go.promise;
      return answer(`${(await readAll(exchange)).length}`);
    },
  });
  const size = 10_000_000;
  client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${size}\r\n\r\n`);
  for (let sent = 0; sent < size; sent += 100_000) client.send(new Uint8Array(100_000));
  await settled();
  const { taken } = client;
  assert.ok(taken < 20_000, `${taken} bytes were taken although nobody asked for them`);
  await settled();
  assert.equal(client.taken, taken);
  go.resolve();
  await client.until(() => responses().length === 1);
  assert.equal(bodyText(itemAt(responses(), 0)), `${size}`);
  client.end();
  await done;
});

Deno.test("A body that is read slowly is taken from the socket slowly", async () => {
  const asks: (() => void)[] = [];
  const { client, responses, exchanges, done } = connected({
    async handle(exchange) {
      do await new Promise<void>((resolve) => asks.push(resolve)); while (await exchange.readBody() !== null);
      return answer("ok");
    },
  });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4000000\r\n\r\n");
  for (let i = 0; i < 400; i++) client.send(new Uint8Array(10_000));
  while (responses().length === 0) {
    await settled();
    const ahead = client.taken - (exchanges[0]?.received ?? 0);
    assert.ok(ahead < 300_000, `${ahead} bytes were read ahead`);
    asks.shift()?.();
  }
  client.end();
  await done;
});

Deno.test("A body larger than allowed is refused: by its length before it comes, by its chunks as they come", async () => {
  for (const body of ["auto", "whole", "stream"] as BodyPolicy[]) {
    for (const request of [post("x".repeat(101)), chunked("x".repeat(60), "x".repeat(60))]) {
      const { client, responses, done } = connected({ body, maxBodyBytes: 100, handle: echo });
      client.send(request + "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      client.end();
      assert.equal(await done, null);
      assert.deepEqual(responses().map(({ status }) => status), [413], body);
    }
    const { client, responses, done } = connected({ body, maxBodyBytes: 100, handle: echo });
    client.send(post("x".repeat(100)) + chunked("x".repeat(50), "x".repeat(50)));
    client.end();
    await done;
    assert.deepEqual(responses().map(({ status }) => status), [200, 200], body);
  }
});

Deno.test("A body that is not chunked coding is refused, and nothing after it is run", async () => {
  for (const body of ["auto", "whole", "stream"] as BodyPolicy[]) {
    const { client, responses, exchanges, done } = connected({ body, handle: echo });
    client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nZ\r\nabc\r\n0\r\n\r\n");
    client.send("GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n");
    client.end();
    assert.equal(await done, null);
    assert.deepEqual(responses().map(({ status }) => status), [400]);
    assert.ok(exchanges.every(({ head }) => head.target === "/"));
  }
});

Deno.test("A body that breaks off errors the read and is not taken for a request", async () => {
  for (const end of ["end", "reset"] as const) {
    let thrown: unknown;
    const { client, exchanges, done } = connected({
      async handle(exchange) {
        try {
          await readAll(exchange);
        } catch (error) {
          thrown = error;
        }
        return answer("ok");
      },
    });
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await settled();
    client[end]();
    await done;
    await settled();
    assert.equal((thrown as Error)?.name, "ProtocolError", end);
    assert.equal((thrown as { code?: string }).code, "cut-short");
    assert.equal(exchanges.length, 1);
  }
});

Deno.test("A body that breaks off while it is read first never reaches the application", async () => {
  for (const end of ["end", "reset"] as const) {
    const { client, exchanges, responses, done } = connected({ body: "whole" });
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nabc");
    await settled();
    client[end]();
    assert.equal(await done, null);
    assert.equal(exchanges.length, 0);
    assert.deepEqual(responses().map(({ status }) => status), end === "end" ? [400] : []);
  }
});

Deno.test("What came of a body together with its head is counted before more comes", async () => {
  const { client, connection, exchanges, done } = connected({ body: "whole" });
  client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nsome");
  await settled();
  assert.equal(connection.exchange!.received, 4);
  client.send("more");
  await settled();
  assert.equal(connection.exchange!.received, 8);
  client.send("!!");
  await settled();
  assert.equal(itemAt(exchanges, 0).received, 10);
  client.end();
  await done;
});

Deno.test("A body that was read first is gone once the request is answered", async () => {
  const { client, responses, exchanges, done } = connected({ body: "whole" });
  client.send(post("secret-1"));
  await client.until(() => responses().length === 1);
  client.send("GET /another HTTP/1.1\r\nhost: a\r\n\r\n");
  await client.until(() => responses().length === 2);
  await assert.rejects(itemAt(exchanges, 0).readBody(), { name: "ProtocolError", code: "cut-short" });
  client.end();
  await done;
});
