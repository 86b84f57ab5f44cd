// The socket that calls Deno's operations behaves as the connection that it was made of.

import assert from "node:assert/strict";
import { socketOf } from "../../src/platform/deno_socket.ts";
import type { Socket } from "../../src/platform/ports.ts";

/** A server's socket, and the client's connection to it. */
async function connected(): Promise<{ socket: Socket; client: Deno.TcpConn }> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [connection, client] = await Promise.all([
    listener.accept(),
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
  ]);
  const socket = socketOf(connection);
  assert.notEqual(socket, connection, "this Deno has all that is needed");
  assert.deepEqual(socket.remoteAddr, { ...client.localAddr });
  assert.deepEqual(socket.localAddr, { ...client.remoteAddr });
  return { socket, client };
}

Deno.test("A socket reads and writes, and tells of the end of file with 0", async () => {
  const { socket, client } = await connected();
  const into = new Uint8Array(8);
  await client.write(Uint8Array.of(1, 2, 3));
  assert.equal(await socket.read(into), 3);
  assert.deepEqual([...into.subarray(0, 3)], [1, 2, 3]);
  const reading = socket.read(into);
  assert.equal(await socket.write(Uint8Array.of(4, 5)), 2);
  assert.equal(await client.read(new Uint8Array(8)), 2);
  await client.closeWrite();
  assert.equal(await reading, 0);
  await socket.closeWrite();
  assert.equal(await client.read(new Uint8Array(8)), null);
  socket.close();
  client.close();
});

Deno.test("A close rejects the read that is under way, and each later read and write", async () => {
  const { socket, client } = await connected();
  const reading = assert.rejects(socket.read(new Uint8Array(8)));
  socket.close();
  await reading;
  await assert.rejects(socket.read(new Uint8Array(8)));
  await assert.rejects(async () => await socket.write(Uint8Array.of(1)));
  client.close();
});

Deno.test("A write fails, with an error of Deno, once the client has closed the connection", async () => {
  const { socket, client } = await connected();
  client.close();
  assert.equal(await socket.read(new Uint8Array(8)), 0);
  await socket.write(Uint8Array.of(1)); // The client's system answers with a reset.
  await assert.rejects(
    async () => await socket.write(Uint8Array.of(2)),
    (error) => error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset,
  );
  socket.close();
});

for (const when of ["before", "during"] as const) {
  Deno.test(`A process ends although a socket reads that was unreferenced ${when} the read`, async () => {
    const code = `
      import { socketOf } from ${JSON.stringify(import.meta.resolve("../../src/platform/deno_socket.ts"))};
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const [connection, client] = await Promise.all([listener.accept(), Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port })]);
      listener.close();
      const socket = socketOf(connection);
      const read = () => { socket.read(new Uint8Array(8)).catch(() => {}); };
      ${when === "before" ? "socket.unref(); socket.ref(); socket.unref(); read();" : "read(); socket.unref();"}
      console.log("waits for", client.localAddr.port);`;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", "--allow-net=127.0.0.1", "--ext=ts", "-"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(20_000),
    });
    await using child = command.spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(code));
    await writer.close();
    const { code: status, stdout, stderr } = await child.output();
    assert.equal(status, 0, new TextDecoder().decode(stderr));
    assert.match(new TextDecoder().decode(stdout), /waits/);
  });
}

Deno.test("A socket that was referenced again keeps the process alive", async () => {
  const { socket, client } = await connected();
  socket.unref!();
  const reading = socket.read(new Uint8Array(8));
  socket.ref!();
  await client.write(Uint8Array.of(1));
  assert.equal(await reading, 1);
  socket.close();
  client.close();
});

Deno.test("Without the internals of Deno the connection itself is the socket", async () => {
  const code = `
    const { internal } = Deno;
    delete Deno[internal].core;
    const { socketOf } = await import(${JSON.stringify(import.meta.resolve("../../src/platform/deno_socket.ts"))});
    const connection = { [Symbol("Deno.internal.rid")]: 1 };
    console.log(Deno[internal].core === undefined, socketOf(connection) === connection);`;
  const { code: status, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", code],
    signal: AbortSignal.timeout(20_000),
  }).output();
  assert.equal(status, 0, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout), "true true\n");
});
