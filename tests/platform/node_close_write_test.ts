// Ends the local side of a connection of node:net. The tests run with Deno's node:net and with Node's.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { closeWrite } from "../../src/platform/node_close_write.ts";

/** Both ends of a connection. */
async function pair(): Promise<{ near: Socket; far: Socket; server: Server }> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("not reached");
  const far = connect({ port: address.port, host: "127.0.0.1" });
  const [near] = await once(server, "connection");
  return { near, far, server };
}

Deno.test("The local side ends, and the peer may still send", async () => {
  const { near, far, server } = await pair();
  far.resume();
  const ended = once(far, "end");
  await closeWrite(near);
  await ended;
  near.destroy();
  far.destroy();
  server.close();
  await once(server, "close");
});

for (const when of ["before", "after"]) {
  Deno.test(`The local side of a socket that is closed ${when} it ends has ended`, async () => {
    const { near, far, server } = await pair();
    if (when === "before") near.destroy();
    const ended = closeWrite(near);
    if (when === "after") near.destroy();
    await ended;
    assert.ok(near.destroyed);
    far.destroy();
    server.close();
    await once(server, "close");
  });
}
