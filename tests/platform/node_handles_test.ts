// The socket that the workers of a Node without SO_REUSEPORT share.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { connect } from "node:net";
import { answerRequests, closeShared } from "../../src/platform/node_handles.ts";
import { addressOf, type ListenHandle } from "../../src/platform/node_listener.ts";

/** A worker, to the supervisor. */
class FakeWorker extends EventEmitter {
  /** What was sent to it last. */
  handle: ListenHandle | undefined;

  send(_reply: unknown, handle: ListenHandle | undefined): void {
    this.handle = handle;
  }
}

/** Asks for a socket as a worker does. */
function socketOf(worker: FakeWorker, port: number): ListenHandle {
  worker.emit("message", { weft: "listen", number: 1, wanted: { hostname: "127.0.0.1", port } });
  return worker.handle!;
}

function portOf(handle: ListenHandle): number {
  const address = addressOf(handle);
  return address.transport === "tcp" ? address.port : 0;
}

Deno.test("Workers get one socket for an address, until the supervisor stops", async () => {
  const workers = [new FakeWorker(), new FakeWorker()] as const;
  for (const worker of workers) answerRequests(worker as unknown as ChildProcess);
  const handle = socketOf(workers[0], 0);
  const port = portOf(handle);
  assert.equal(socketOf(workers[1], port), handle);
  assert.equal(handle.listen(1), 0);
  closeShared();
  // A descriptor that was left open would take this connection.
  const client = connect(port, "127.0.0.1");
  const [error] = await once(client, "error");
  assert.equal(error.code, "ECONNREFUSED");
});
