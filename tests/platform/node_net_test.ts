// What a stream of node:net has brought is read to the end, whatever comes after it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket as NodeSocket } from "node:net";
import { setImmediate } from "node:timers";
import { StreamSocket } from "../../src/platform/node_net.ts";

/** A full read, and a short one that the stream does not stop at. */
const SENT = Uint8Array.from({ length: 70_000 }, (_, at) => at * 31 >> 3);

Deno.test("What has come is read, also if the other side then closed without reading what we sent", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/s`;
  // It reads nothing, so that its close is a reset.
  const server = createServer({ pauseOnConnect: true }).listen(path);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const stream = connect(path);
  await once(stream, "connect");
  const ours = new StreamSocket(stream, {
    localAddr: { transport: "unix", path: "" },
    remoteAddr: { transport: "unix", path },
  });
  const [theirs] = await accepted as [NodeSocket];
  await ours.write(Uint8Array.of(1, 2, 3));
  await new Promise<void>((resolve) => theirs.write(SENT, () => resolve()));
  theirs.destroy();
  await once(theirs, "close");

  const all = new Uint8Array(SENT.length);
  let at = 0;
  const into = new Uint8Array(1_000);
  while (at < all.length) {
    const count = await ours.read(into);
    assert.ok(count !== null, `the end came after ${at} bytes`);
    all.set(into.subarray(0, count), at);
    at += count;
    await new Promise((resolve) => setImmediate(resolve)); // The stream reads on meanwhile.
  }
  assert.deepEqual(all, SENT);
  ours.close();
  server.close();
  await Deno.remove(directory, { recursive: true });
});
