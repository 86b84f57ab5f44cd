// Which phases a connection passes, in which turns, and in which order answers leave.

import assert from "node:assert/strict";
import { Turns } from "../../src/connection/drive.ts";
import { answer, connected, connectedBy } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

Deno.test("Connection passes idle, header, dispatch, write and idle again for a GET", async () => {
  const { client, phases, turns, responses, done } = connected();
  client.send(GET);
  await client.until(() => responses().length === 1);
  await settled();
  assert.deepEqual(phases, ["idle", "header", "dispatch", "write", "idle"]);
  // One wait for the request and one for the write, however many phases are passed.
  assert.deepEqual(turns, [["idle"], ["header", "dispatch", "write"], ["idle"]]);
  client.end();
  await client.closed;
  assert.equal(await done, null);
  assert.equal(phases.length, 5, "the end of an idle connection is no phase of the walk");
});

Deno.test("Connection says closed once it is over, and is", async () => {
  const { client, connection } = connectedBy(null);
  const turns = new Turns(connection);
  client.end();
  for await (const turn of turns) for (const phase of turn) assert.equal(phase, "idle");
  assert.equal(connection.phase, "closed");
  assert.equal(client.isClosed, true);
  assert.equal(client.text, "");
  assert.deepEqual(await turns.next(), { done: true, value: undefined });
});

Deno.test("Connection closes its socket when its driver stops early, at any phase", async () => {
  for (const wanted of ["idle", "header", "body", "dispatch", "write"]) {
    const { client, connection } = connectedBy(null, { body: "whole" });
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi");
    walking: for await (const turn of new Turns(connection)) {
      for (const phase of turn) if (phase === wanted) break walking;
    }
    assert.equal(client.isClosed, true, wanted);
    assert.equal(connection.phase, "closed");
  }
});

Deno.test("Connection closes its socket when its driver stops while a read is under way", async () => {
  const { client, connection } = connectedBy(null);
  for await (const turn of new Turns(connection)) {
    assert.deepEqual([...turn], ["idle"]);
    break;
  }
  assert.equal(client.isClosed, true);
  await settled(); // The read fails, and nothing waits for it. A rejection that nothing handles would fail this test.
});

Deno.test("Connection tells the request's signal why, when its driver stops in the middle of a request", async () => {
  const { client, connection } = connectedBy(null, { handle: () => new Promise<never>(() => {}) });
  client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  walking: for await (const turn of new Turns(connection)) {
    for (const phase of turn) if (phase === "dispatch") break walking;
  }
  assert.equal((connection.exchange?.cutReason as Error).name, "AbortError");
  await assert.rejects(connection.exchange!.completed, { name: "AbortError" });
});

Deno.test("Connection closes its socket when its driver stops before the first turn", async () => {
  const { client, connection } = connectedBy(null);
  await new Turns(connection).return();
  assert.equal(client.isClosed, true);
});

Deno.test("Connection answers with what RFC 9110 wants of every response", async () => {
  const { client, responses, done } = connected();
  client.send(GET);
  await client.until(() => responses().length === 1);
  assert.equal(
    client.text,
    "HTTP/1.1 200 OK\r\ndate: Sun, 22 Nov 2026 09:00:00 GMT\r\ncontent-length: 2\r\n\r\nok",
  );
  client.end();
  await done;
});

Deno.test("Connection is kept alive: request after request is answered", async () => {
  const { client, responses, connection, done } = connected({ handle: ({ head }) => answer(head.target) });
  for (let nr = 1; nr <= 5; nr++) {
    client.send(`GET /${nr} HTTP/1.1\r\nhost: a\r\n\r\n`);
    await client.until(() => responses().length === nr);
  }
  assert.deepEqual(responses().map(bodyText), ["/1", "/2", "/3", "/4", "/5"]);
  assert.equal(connection.requests, 5);
  client.end();
  await done;
});

Deno.test("Connection reads a request that comes byte by byte", async () => {
  const { client, responses, phases, done } = connected({ maxRead: 1, maxWrite: 1 });
  client.send(GET + GET);
  await client.until(() => responses().length === 2);
  client.end();
  await done;
  assert.equal(phases.filter((phase) => phase === "header").length, 2);
});

Deno.test("Connection answers pipelined requests in order and in one write", async () => {
  const { client, responses, done } = connected({ isObserved: false, handle: ({ head }) => answer(head.target) });
  client.send([1, 2, 3, 4].map((nr) => `GET /${nr} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""));
  await client.until(() => responses().length === 4);
  assert.deepEqual(responses().map(bodyText), ["/1", "/2", "/3", "/4"]);
  assert.equal(client.writes.length, 1);
  client.end();
  await done;
});

Deno.test("Connection answers pipelined requests in order if the first takes longest", async () => {
  const first = Promise.withResolvers<void>();
  const { client, responses, exchanges, done } = connected({
    async handle({ head }) {
      if (head.target === "/1") await first.promise;
      return answer(head.target);
    },
  });
  client.send(["/1", "/2", "/3"].map((target) => `GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""));
  await settled();
  assert.equal(exchanges.length, 1, "one request at a time");
  assert.equal(client.text, "");
  first.resolve();
  await client.until(() => responses().length === 3);
  assert.deepEqual(responses().map(bodyText), ["/1", "/2", "/3"]);
  client.end();
  await done;
});

Deno.test("Connection sends what is ready before it waits for a slow answer after it", async () => {
  const second = Promise.withResolvers<void>();
  const { client, responses, done } = connected({
    async handle({ head }) {
      if (head.target === "/2") await second.promise;
      return answer(head.target);
    },
  });
  client.send(["/1", "/2"].map((target) => `GET ${target} HTTP/1.1\r\nhost: a\r\n\r\n`).join(""));
  await client.until(() => responses().length === 1);
  second.resolve();
  await client.until(() => responses().length === 2);
  client.end();
  await done;
});

Deno.test("Connection keeps a pipelined request that comes while the application runs", async () => {
  const first = Promise.withResolvers<void>();
  const { client, responses, exchanges, done } = connected({
    async handle({ head }) {
      if (head.target === "/1") await first.promise;
      return answer(head.target);
    },
  });
  client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\n");
  await settled();
  client.send("GET /2 HTTP/1.1\r\nhost: a\r\n\r\n");
  await settled();
  assert.equal(exchanges.length, 1);
  first.resolve();
  await client.until(() => responses().length === 2);
  assert.deepEqual(responses().map(bodyText), ["/1", "/2"]);
  client.end();
  await done;
});

Deno.test("Connection passes over empty lines before a request", async () => {
  const { client, responses, done } = connected();
  client.send("\r\n\r\n" + GET);
  await client.until(() => responses().length === 1);
  client.send("\r\n");
  client.end();
  assert.equal(await done, null);
  assert.equal(responses().length, 1);
});

Deno.test("Connection ends after an answer if the request says close", async () => {
  const { client, responses, done } = connected();
  client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  await done;
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
  assert.equal(client.isClosed, true);
});

Deno.test("Connection ends after an answer if the application says close, and sends the field once", async () => {
  const { client, responses, done } = connected({ handle: () => answer("ok", 200, [["Connection", "close"]]) });
  client.send(GET + GET);
  await client.until(() => client.ended);
  client.end();
  await done;
  assert.equal(responses().length, 1);
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
});

Deno.test("Connection ends after an answer if every answer is the last", async () => {
  const { client, responses, done } = connected({ closeAfterAnswer: true });
  client.send(GET);
  await done;
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
});

Deno.test("Connection serves HTTP/1.0: closes by itself, stays if the client asks", async () => {
  const plain = connected();
  plain.client.send("GET / HTTP/1.0\r\n\r\n");
  await plain.done;
  assert.equal(fieldOf(itemAt(plain.responses(), 0), "connection"), "close");

  const kept = connected();
  kept.client.send("GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n");
  await kept.client.until(() => kept.responses().length === 1);
  assert.equal(fieldOf(itemAt(kept.responses(), 0), "connection"), "keep-alive");
  kept.client.send("GET / HTTP/1.0\r\n\r\n");
  await kept.done;
  assert.equal(kept.responses().length, 2);
});

Deno.test("Connection refuses what is no request, says why and closes, without running what follows", async () => {
  const { client, responses, connection, exchanges, done } = connected();
  client.send("GET / HTTP/1.1\nhost: a\r\n\r\n" + GET);
  await client.until(() => client.ended);
  client.end();
  assert.equal(await done, null);
  assert.equal(responses().length, 1);
  assert.equal(itemAt(responses(), 0).status, 400);
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
  assert.equal(connection.refusal?.code, "bad-line-ending");
  assert.equal(exchanges.length, 0);
});

Deno.test("Connection answers the requests before one that it refuses", async () => {
  const { client, responses, done } = connected({ handle: ({ head }) => answer(head.target) });
  client.send("GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\n\r\n");
  client.end();
  await done;
  assert.deepEqual(responses().map(({ status }) => status), [200, 400]);
});

Deno.test("Connection ends without a word if the client leaves in the middle of a head", async () => {
  const { client, done } = connected();
  client.send("GET / HT");
  await settled();
  client.reset();
  assert.equal(await done, null);
  assert.equal(client.text, "");
});
