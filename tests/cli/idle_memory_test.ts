// What a connection takes while nothing happens on it: a server of chats or event streams has ten thousand of them.

import assert from "node:assert/strict";
import { start } from "../helpers/program.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText } from "../helpers/responses.ts";
import { fixture, runtime } from "../helpers/runtime.ts";

/** Bytes of JavaScript objects for a connection, without its buffer: 2,600 on Deno, 4,000 on Node, whose sockets are objects. */
const MOST_BYTES = runtime.nodeMajor === null ? 2_900 : 4_500;
const CONNECTIONS = 800;
/** The first connections make what all of them share, and V8 compiles for 3,000 requests. */
const WARM_CONNECTIONS = 100;
const WARM_REQUESTS_EACH = 30;

Deno.test("An idle connection holds few objects", async () => {
  await using program = start(["--port", "0", fixture("heap_app")]);
  const { hostname, port } = new URL(await program.url());
  using clients = new DisposableStack();
  const open = async () => {
    const client = clients.use(await RawClient.connect({ transport: "tcp", hostname, port: Number(port) }));
    assert.equal(bodyText(await client.get("/")), "hello\n");
    return client;
  };
  const first = await open();
  for (let i = 1; i < WARM_CONNECTIONS; i++) {
    const client = await open();
    for (let sent = 0; sent < WARM_REQUESTS_EACH; sent++) await client.get("/");
  }
  const heap = async () => Number(bodyText(await first.get("/heap")));
  const before = await heap();
  for (let i = 0; i < CONNECTIONS; i++) await open();
  const each = (await heap() - before) / CONNECTIONS;
  assert.ok(each < MOST_BYTES, `each connection holds ${each} bytes`);
});
