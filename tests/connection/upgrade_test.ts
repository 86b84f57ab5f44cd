// How another protocol takes a connection over.

import assert from "node:assert/strict";
import type { Exchange } from "../../src/connection/exchange.ts";
import type { Socket } from "../../src/platform/ports.ts";
import type { Answer } from "../../src/wire/answer.ts";
import { answer, connected } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { fieldOf, text } from "../helpers/responses.ts";

const ASK = "GET /chat HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\n";

const SWITCH: Answer = answer(null, 101, [["upgrade", "echo"], ["connection", "Upgrade"], ["sec-x", "y"]]);

/** Says back in capitals what it reads, from the first bytes on. */
async function shout(socket: Socket, first: Uint8Array): Promise<void> {
  const buffer = new Uint8Array(100);
  let bytes = first;
  for (;;) {
    if (bytes.length > 0) await socket.write(new TextEncoder().encode(text(bytes).toUpperCase()));
    const count = await socket.read(buffer);
    if (count === null) return;
    bytes = buffer.slice(0, count);
  }
}

/** Takes the connection over, at once or after a wait in which the connection watches its client. */
function taking(isAsync: boolean): (exchange: Exchange) => Answer | Promise<Answer> {
  return (exchange) => {
    exchange.takeOver = shout;
    return isAsync ? settled().then(() => SWITCH) : SWITCH;
  };
}

for (const isAsync of [false, true]) {
  const how = isAsync ? "after a wait" : "at once";

  Deno.test(`A protocol that is switched to ${how} gets the socket, and its answer the right head`, async () => {
    const { client, phases, exchanges, done } = connected({ handle: taking(isAsync) });
    client.send(ASK);
    await client.until(() => client.text.includes("\r\n\r\n"));
    assert.equal(
      client.text,
      "HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: Upgrade\r\nsec-x: y\r\n" +
        "date: Sun, 22 Nov 2026 09:00:00 GMT\r\n\r\n",
    );
    await itemAt(exchanges, 0).completed;
    client.send("hello");
    await client.until(() => client.text.endsWith("HELLO"));
    client.send("again");
    await client.until(() => client.text.endsWith("HELLOAGAIN"));
    client.end();
    assert.equal(await done, null);
    assert.equal(phases.at(-1), "upgraded");
    assert.equal(client.isClosed, true);
  });

  Deno.test(`A protocol that is switched to ${how} gets what came with the request`, async () => {
    const { client, done } = connected({ handle: taking(isAsync) });
    client.send(ASK + "first");
    await client.until(() => client.text.endsWith("FIRST"));
    client.send(" second");
    await client.until(() => client.text.endsWith("FIRST SECOND"));
    assert.match(client.text, /^HTTP\/1\.1 101 [^]*\r\n\r\nFIRST SECOND$/);
    client.end();
    assert.equal(await done, null);
  });

  Deno.test(`A protocol that is switched to ${how} sees the client end or break`, async () => {
    const { client, done } = connected({ handle: taking(isAsync) });
    client.send(ASK);
    client.end();
    assert.equal(await done, null);
    assert.equal(client.isClosed, true);

    const broken = connected({ handle: taking(isAsync) });
    broken.client.send(ASK);
    await broken.client.until(() => broken.client.text.includes("\r\n\r\n"));
    broken.client.reset();
    await broken.done;
    assert.equal(broken.client.isClosed, true);
  });
}

Deno.test("A protocol may close the socket itself", async () => {
  const { client, done } = connected({
    handle(exchange) {
      exchange.takeOver = (socket) => {
        socket.close();
        socket.close();
        return Promise.resolve();
      };
      return SWITCH;
    },
  });
  client.send(ASK);
  assert.equal(await done, null);
  assert.equal(client.isClosed, true);
});

Deno.test("A protocol that fails ends the connection, and its error is told", async () => {
  const { client, connection, done } = connected({
    handle(exchange) {
      exchange.takeOver = () => Promise.reject(new RangeError("failed"));
      return SWITCH;
    },
  });
  client.send(ASK);
  const error = await done as Error;
  assert.ok(error.cause instanceof RangeError);
  assert.equal(client.isClosed, true);
  assert.equal(connection.phase, "closed");
});

Deno.test("A connection is handed over although every answer was to be the last", async () => {
  const { client, responses, done } = connected({ closeAfterAnswer: true, handle: taking(false) });
  client.send(ASK + "hi");
  await client.until(() => client.text.endsWith("HI"));
  client.end();
  await done;
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "Upgrade");
});

Deno.test("A connection that was given up while another protocol had it is closed", async () => {
  const { client, connection, done } = connected({ handle: taking(true) });
  client.send(ASK);
  await client.until(() => client.text.includes("\r\n\r\n"));
  connection.end({ why: "timeout", error: null });
  await done;
  assert.equal(client.isClosed, true);
});

Deno.test("An answer of 101 that is not taken over is an error of the application", async () => {
  const { client, responses, failures, done } = connected({ handle: () => SWITCH });
  client.send(ASK);
  await client.until(() => responses().length === 1);
  client.end();
  await done;
  assert.equal(itemAt(responses(), 0).status, 500);
  assert.ok(failures[0] instanceof TypeError);
});
