// How lines of JSON travel over a socket whose other end does as it likes.

import assert from "node:assert/strict";
import { LineChannel } from "../../src/prefork/line_channel.ts";
import { Client, type DuplexOptions, settled } from "../helpers/duplex.ts";

/** A channel, its other end, and what has come so far. */
function channelOf(options: DuplexOptions = {}, maxLineBytes?: number) {
  const client = new Client(options);
  const channel = new LineChannel<unknown>(client.socket);
  const heard: unknown[] = [];
  const over = (async () => {
    for await (const message of channel.messages(maxLineBytes)) heard.push(message);
  })();
  return { client, channel, heard, over };
}

Deno.test("Messages come out as they went in, however the bytes are split", async () => {
  const messages = [{ a: 1 }, "ein Gruß: 👋", [null, true], { line: "with\nbreaks" }];
  const text = messages.map((message) => `${JSON.stringify(message)}\n`).join("");
  for (const maxRead of [1, 2, 3, 7, Infinity]) {
    const { client, heard, over } = channelOf({ maxRead });
    client.send(text);
    client.end();
    await over;
    assert.deepEqual(heard, messages);
    assert.equal(client.isClosed, true);
  }
});

Deno.test("What is sent is written in its order, by as many writes as the system wants", async () => {
  const { client, channel } = channelOf({ maxWrite: 5 });
  const messages = Array.from({ length: 20 }, (_, i) => ({ message: i, text: "x".repeat(i) }));
  for (const message of messages) channel.send(message);
  await channel.flushed();
  assert.deepEqual(client.text.trimEnd().split("\n").map((line) => JSON.parse(line)), messages);
  channel.close();
});

Deno.test("Flushed waits for a slow reader, and not for one that is gone", async () => {
  const { client, channel } = channelOf({ window: 4 });
  channel.send("a long message");
  let isFlushed = false;
  const flushed = channel.flushed().then(() => isFlushed = true);
  await settled();
  assert.equal(isFlushed, false);
  client.allow(100);
  await flushed;
  channel.send("x".repeat(500));
  const again = channel.flushed();
  channel.close();
  await again;
  await channel.flushed();
});

for (
  const [what, said] of [
    ["is no JSON", "GET / HTTP/1.1\r\n"],
    ["is too long", `"${"x".repeat(200)}`],
    ["ends nowhere", '{"half":'],
  ] as const
) {
  Deno.test(`A line that ${what} ends the connection, and what came before it was heard`, async () => {
    const { client, channel, heard, over } = channelOf({}, 100);
    client.send(`{"first":1}\n${said}`);
    client.end();
    await over;
    assert.deepEqual(heard, [{ first: 1 }]);
    assert.equal(channel.isClosed, true);
    await channel.closed;
  });
}

Deno.test("A peer that is known may say long lines", async () => {
  const { client, channel, heard, over } = channelOf({}, 100);
  channel.trust();
  client.send(`"${"x".repeat(100_000)}"\n`);
  client.end();
  await over;
  assert.equal((heard[0] as string).length, 100_000);
});

Deno.test("A peer that does not read loses its connection before it costs much memory", () => {
  const { client, channel } = channelOf({ window: 0 });
  const large = "x".repeat(1024 * 1024);
  for (let i = 0; i < 16 && !channel.isClosed; i++) channel.send(large);
  assert.equal(client.isClosed, true);
  channel.send("nobody hears this");
});

Deno.test("A connection that breaks ends both ways, and closes once", async () => {
  const { client, channel, over } = channelOf();
  await settled();
  client.reset();
  await over;
  channel.send("too late");
  await channel.flushed();
  channel.close();
  assert.equal(client.text, "");
});
