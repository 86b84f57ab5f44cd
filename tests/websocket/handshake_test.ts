// The opening handshake: what is answered to clients that do it wrong, and to applications that do.

import assert from "node:assert/strict";
import { upgradeWebSocket } from "../../mod.ts";
import { acceptHandshake, HandshakeError } from "../../src/wire/websocket_handshake.ts";
import { sha1 } from "../../src/wire/sha1.ts";
import { denoTest } from "../helpers/deno_test.ts";
import { serving } from "../helpers/serving.ts";
import { fieldOf } from "../helpers/responses.ts";
import { itemAt } from "../helpers/items.ts";
import { Chatter, handshake, KEY, RawSocket } from "../helpers/web_sockets.ts";
import { Inbox } from "../../src/wire/inbox.ts";
import type { RequestHead } from "../../src/wire/request_head.ts";
import { RequestReader } from "../../src/wire/request_reader.ts";
import { LIMITS } from "../helpers/wire.ts";

function headOf(request: string): RequestHead {
  const inbox = new Inbox();
  inbox.put(new TextEncoder().encode(request));
  const reader = new RequestReader(
    inbox,
    LIMITS,
    (bytes, from, to) => new TextDecoder().decode(bytes.subarray(from, to)),
  );
  const event = reader.hasBegun() ? reader.next() : null;
  assert.equal(event?.kind, "head");
  return event as RequestHead;
}

function plain(request: Request): Response {
  return Deno.upgradeWebSocket(request).response;
}

Deno.test("A handshake is answered as RFC 6455 has it in its example", async () => {
  await using server = serving(plain);
  using raw = await RawSocket.connect(server.server.addr);
  assert.match(raw.head, /^HTTP\/1\.1 101 Switching Protocols\r\n/);
  assert.match(raw.head, /\r\nupgrade: websocket\r\nconnection: Upgrade\r\n/);
  assert.match(raw.head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  assert.doesNotMatch(raw.head, /content-length|transfer-encoding|sec-websocket-(protocol|extensions)/);
});

Deno.test("SHA-1 is that of the runtime for every length of the last block", async () => {
  for (let length = 0; length < 140; length++) {
    const text = "abcdefghij".repeat(14).slice(0, length);
    const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
    assert.deepEqual(sha1(text), new Uint8Array(digest), `${length}`);
  }
});

/** Handshakes that are wrong: what is changed, and the status. */
const WRONG: readonly [what: string, from: string | RegExp, to: string, status: number][] = [
  ["has no field Upgrade", "upgrade: websocket\r\n", "", 426],
  ["asks for another protocol", "upgrade: websocket", "upgrade: h2c", 426],
  ["has no field Connection", "connection: Upgrade\r\n", "", 426],
  ["has no version", "sec-websocket-version: 13\r\n", "", 426],
  ["has the version 8", "version: 13", "version: 8", 426],
  ["has no key", `sec-websocket-key: ${KEY}\r\n`, "", 400],
  ["has a key of 15 bytes", KEY, "AAAAAAAAAAAAAAAAAAAA", 400],
  ["has a key of 17 bytes", KEY, "AAAAAAAAAAAAAAAAAAAAAAA=", 400],
  ["has a key that is not base64", KEY, "dGhlIHNhbXBsZSBub25j*Q==", 400],
  ["has two keys", "sec-websocket-key:", `sec-websocket-key: ${KEY}\r\nsec-websocket-key:`, 400],
  ["is a POST", "GET", "POST", 400],
  ["has a body", "host: a\r\n", "host: a\r\ncontent-length: 3\r\n", 400],
  ["has a body in chunks", "host: a\r\n", "host: a\r\ntransfer-encoding: chunked\r\n", 400],
  ["offers a protocol that is not a token", "host: a\r\n", "host: a\r\nsec-websocket-protocol: a b\r\n", 400],
  ["is HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 426],
];

for (const [what, from, to, status] of WRONG) {
  Deno.test(`A handshake that ${what} is answered ${status}, and the server goes on`, async () => {
    const errors: unknown[] = [];
    await using server = serving(plain, {
      onError(error) {
        errors.push(error);
        return new Response("onError", { status: 500 });
      },
    });
    // WebSockets are loaded by the first handshake; it must not matter.
    for (const isLoaded of [false, true]) {
      if (isLoaded) await (await Chatter.to(server.url))[Symbol.asyncDispose]();
      using client = await server.connect();
      await client.send(handshake().replace(from, to));
      const response = itemAt(await client.responses(1), 0);
      assert.equal(response.status, status);
      if (status === 426) {
        assert.equal(fieldOf(response, "upgrade"), "websocket");
        assert.equal(fieldOf(response, "sec-websocket-version"), "13");
      }
    }
    assert.deepEqual(errors, []);
    await using chatter = await Chatter.to(server.url);
    assert.equal(chatter.socket.readyState, chatter.socket.OPEN);
  });
}

Deno.test("Fields may have several values, in any case of their letters", async () => {
  await using server = serving(plain);
  using client = await server.connect();
  await client.send(
    handshake().replace("Upgrade\r\n", "keep-alive, UPGRADE\r\n").replace("websocket\r\n", "WebSocket\r\n"),
  );
  await client.until("HTTP/1.1 101 ");
});

Deno.test("A subprotocol is agreed if the application names one that the client offers", async () => {
  await using server = serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "chat.v2" });
    assert.equal(socket.protocol, "chat.v2");
    return response;
  });
  await using chatter = await Chatter.to(server.url, ["chat.v1", "chat.v2"]);
  assert.equal(chatter.socket.protocol, "chat.v2");
});

Deno.test("A subprotocol that the client does not offer is the application's error, as under Deno.serve", () => {
  const head = headOf(handshake("/", "sec-websocket-protocol: a, b\r\n"));
  const message = "Protocol 'c' not in the request's protocol list (non negotiable)";
  assert.throws(() => acceptHandshake(head, { protocol: "c" }), { name: "TypeError", message });
  assert.throws(() => acceptHandshake(headOf(handshake()), { protocol: "c" }), TypeError);
});

Deno.test("A request is upgraded once", async () => {
  const problem = Promise.withResolvers<unknown>();
  await using server = serving((request) => {
    const { response } = Deno.upgradeWebSocket(request);
    try {
      Deno.upgradeWebSocket(request);
    } catch (error) {
      problem.resolve(error);
    }
    return response;
  });
  await using _chatter = await Chatter.to(server.url);
  assert.match(String(await problem.promise), /Already upgraded/);
});

Deno.test("upgradeWebSocket of the package does the same, and refuses what it does not serve", async () => {
  await using server = serving((request) => upgradeWebSocket(request).response, { patchGlobals: false });
  await using chatter = await Chatter.to(server.url);
  assert.equal(chatter.socket.readyState, chatter.socket.OPEN);
  assert.throws(() => upgradeWebSocket(new Request("http://localhost/")), TypeError);
});

denoTest("Requests of Deno.serve are upgraded by Deno, beside a server of this package", async () => {
  await using _server = serving(plain);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  {
    await using chatter = await Chatter.to(`http://127.0.0.1:${server.addr.port}`);
    chatter.socket.send("native");
    assert.equal(await chatter.next(), "native");
  }
  await server.shutdown();
});

Deno.test("A socket whose response is not returned ends, and the client has its answer", async () => {
  const ended = Promise.withResolvers<CloseEvent>();
  await using server = serving((request) => {
    const { socket } = Deno.upgradeWebSocket(request);
    socket.onclose = ended.resolve;
    return new Response("changed my mind");
  });
  using client = await server.connect();
  await client.send(handshake());
  assert.equal(itemAt(await client.responses(1), 0).status, 200);
  assert.equal((await ended.promise).code, 1006);
  assert.ok(HandshakeError.prototype instanceof Error);
});
