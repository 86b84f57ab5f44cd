// A WebSocket between the runtime's own client and an application that was written for Deno.serve.

import assert from "node:assert/strict";
import { serving } from "../helpers/serving.ts";
import { Chatter, type Ending } from "../helpers/web_sockets.ts";

/** Says back what it gets, and notes how each socket ends. */
function echo(ends: Ending[] = []): (request: Request) => Response {
  return (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    socket.onclose = ({ code, reason, wasClean }) => ends.push({ code, reason, wasClean });
    return response;
  };
}

Deno.test("A WebSocket says back texts and bytes of every size of header", async () => {
  await using server = serving(echo());
  await using chatter = await Chatter.to(server.url);
  for (const length of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
    const text = "h\u00e9".repeat(length).slice(0, length);
    chatter.socket.send(text);
    assert.equal(await chatter.next(), text);
    const bytes = Uint8Array.from({ length }, (_, i) => i);
    chatter.socket.send(bytes);
    assert.deepEqual(new Uint8Array(await chatter.next() as ArrayBuffer), bytes);
  }
});

Deno.test("A client that closes is answered with the same code, and the application is told", async () => {
  const ends: Ending[] = [];
  await using server = serving(echo(ends));
  const chatter = await Chatter.to(server.url);
  chatter.socket.close(3001, "done");
  assert.deepEqual(await chatter.ended, { code: 3001, reason: "done", wasClean: true });
  assert.deepEqual(ends, [{ code: 3001, reason: "done", wasClean: true }]);
});

Deno.test("An application that closes is answered, and the client is told", async () => {
  const ended = Promise.withResolvers<Ending>();
  await using server = serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => socket.close(4000, "enough");
    socket.onclose = ({ code, reason, wasClean }) => ended.resolve({ code, reason, wasClean });
    return response;
  });
  const chatter = new Chatter(server.url);
  const end = { code: 4000, reason: "enough", wasClean: true };
  assert.deepEqual(await chatter.ended, end);
  assert.deepEqual(await ended.promise, end);
});

Deno.test("A message that goes to 300 sockets reaches each, in the order in which messages were sent", async () => {
  const room = new Set<WebSocket>();
  await using server = serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onopen = () => {
      room.add(socket);
      socket.send("welcome");
    };
    socket.onmessage = ({ data }) => room.forEach((each) => each.send(data));
    return response;
  });
  await using stack = new AsyncDisposableStack();
  const chatters = await Promise.all(Array.from({ length: 300 }, () => Chatter.to(server.url)));
  for (const chatter of chatters) {
    stack.use(chatter);
    assert.equal(await chatter.next(), "welcome");
  }
  const sent = ["one", "two", "three", "three", "\u{1f9f5}"];
  for (const text of sent) chatters[0]!.socket.send(text);
  for (const chatter of chatters) {
    for (const text of sent) assert.equal(await chatter.next(), text);
  }
});
