// How a long body that is read first goes through a temporary file, on a disk that does as the test says.

import assert from "node:assert/strict";
import { BLOCK_BYTES } from "../../src/wire/gathering.ts";
import { Buffer } from "node:buffer";
import type { Exchange } from "../../src/connection/exchange.ts";
import { answer, connected, type ConnectedOptions, readAll } from "../helpers/connected.ts";
import { settled } from "../helpers/duplex.ts";
import { FakeTemporaryFiles } from "../helpers/fake_files.ts";
import { itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf, join } from "../helpers/responses.ts";

const LIMIT = 256 * 1024;

/** Bytes that differ from place to place. */
function bytesOf(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff);
}

function withLength(body: Uint8Array, fields = ""): Uint8Array {
  return join([
    new TextEncoder().encode(`POST / HTTP/1.1\r\nhost: a\r\n${fields}content-length: ${body.length}\r\n\r\n`),
    body,
  ]);
}

function inChunks(body: Uint8Array, chunkBytes: number): Uint8Array {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [encoder.encode("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")];
  for (let at = 0; at < body.length; at += chunkBytes) {
    const chunk = body.subarray(at, at + chunkBytes);
    pieces.push(encoder.encode(`${chunk.length.toString(16)}\r\n`), chunk, encoder.encode("\r\n"));
  }
  return join([...pieces, encoder.encode("0\r\n\r\n")]);
}

async function collect(exchange: Exchange): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece = await exchange.readBody(); piece !== null; piece = await exchange.readBody()) pieces.push(piece);
  return join(pieces);
}

/** Waits until the disk has come so far: turn by turn of the event loop, in which no time passes. */
async function so(isSo: () => boolean): Promise<void> {
  while (!isSo()) await settled();
}

/** A connection under "whole", and the disk that it has. */
function spooling(options: ConnectedOptions = {}) {
  const temporaryFiles = new FakeTemporaryFiles();
  return { disk: temporaryFiles, ...connected({ body: "whole", temporaryFiles, ...options }) };
}

for (const maxRead of [Infinity, 100_000, 5_000]) {
  for (const chunkBytes of [0, 10, 1_000, 70_000, 10_000_000]) {
    const how = chunkBytes === 0 ? "by its length" : `in chunks of ${chunkBytes}`;
    Deno.test(`A long body comes back from its file as it was sent ${how}, in reads of ${maxRead}`, async () => {
      const body = bytesOf(chunkBytes === 10 ? LIMIT + 100 : 1_234_567);
      const seen: Uint8Array[] = [];
      const { client, responses, exchanges, disk, done } = spooling({
        maxRead,
        async handle(exchange) {
          assert.equal(exchange.received, body.length);
          seen.push(await collect(exchange));
          return answer("ok");
        },
      });
      client.send(chunkBytes === 0 ? withLength(body) : inChunks(body, chunkBytes));
      client.send("GET /behind HTTP/1.1\r\nhost: a\r\n\r\n");
      await client.until(() => responses().length === 2);
      client.end();
      assert.equal(await done, null);
      assert.deepEqual(exchanges.map(({ head }) => head.target), ["/", "/behind"]);
      assert.ok(Buffer.from(itemAt(seen, 0)).equals(body));
      assert.equal(disk.files.length, 1);
      assert.equal(disk.left.length, 0);
      const short = itemAt(disk.files, 0).writes.filter((bytes) => bytes.length < 512 * 1024);
      assert.ok(short.length <= 1, `${short.length} writes are too short to be worth a trip`);
    });
  }
}

Deno.test("Up to 256 KiB stay in memory, one byte more goes into a file", async () => {
  for (const [length, files] of [[LIMIT, 0], [LIMIT + 1, 1]] as const) {
    for (const request of [withLength(bytesOf(length)), inChunks(bytesOf(length), 60_000)]) {
      const { client, responses, disk, done } = spooling({
        handle: async (exchange) => answer(`${(await collect(exchange)).length}`),
      });
      client.send(request);
      await client.until(() => responses().length === 1);
      client.end();
      await done;
      assert.equal(bodyText(itemAt(responses(), 0)), `${length}`);
      assert.equal(disk.files.length, files);
      assert.equal(disk.left.length, 0);
    }
  }
});

Deno.test("A body in a file under auto or stream is never made", async () => {
  for (const body of ["auto", "stream"] as const) {
    const { client, responses, disk, done } = spooling({
      body,
      handle: async (exchange) => answer(`${(await collect(exchange)).length}`),
    });
    client.send(withLength(bytesOf(1_000_000)));
    await client.until(() => responses().length === 1);
    client.end();
    await done;
    assert.equal(disk.files.length, 0);
  }
});

Deno.test("The socket is not read while a write to the file is under way", async () => {
  const { client, responses, disk, done, exchanges } = spooling({
    maxRead: 50_000,
    handle: async (exchange) => answer(`${(await collect(exchange)).length}`),
  });
  const gate = Promise.withResolvers<void>();
  disk.gate = gate.promise;
  client.send(withLength(bytesOf(5_000_000)));
  await settled();
  const { taken } = client;
  assert.ok(taken <= BLOCK_BYTES + 50_000, `${taken} bytes were read before there was a file`);
  const second = Promise.withResolvers<void>();
  disk.gate = second.promise;
  gate.resolve();
  await so(() => disk.files[0]?.isWriting === true);
  const before = client.taken;
  await settled();
  await settled();
  assert.equal(client.taken, before);
  assert.equal(client.isRead, false);
  assert.equal(exchanges.length, 0);
  disk.gate = null;
  second.resolve();
  await client.until(() => responses().length === 1);
  assert.equal(bodyText(itemAt(responses(), 0)), "5000000");
  client.end();
  await done;
});

Deno.test("The file is removed however the request ends", async () => {
  const ends: Record<string, (disk: FakeTemporaryFiles) => Promise<void>> = {
    "answered without a look at the body": async (disk) => {
      const { client, responses, done } = spooling({ temporaryFiles: disk });
      client.send(withLength(bytesOf(400_000)));
      await client.until(() => responses().length === 1);
      await settled();
      assert.equal(disk.left.length, 0);
      client.end();
      await done;
    },
    "the handler throws": async (disk) => {
      const { client, responses, done } = spooling({
        temporaryFiles: disk,
        handle: () => Promise.reject(new Error("no")),
      });
      client.send(withLength(bytesOf(400_000)));
      await client.until(() => responses().length === 1);
      await settled();
      assert.equal(disk.left.length, 0);
      client.end();
      await done;
    },
    "the client leaves midway": async (disk) => {
      const { client, exchanges, done } = spooling({ temporaryFiles: disk });
      client.send(withLength(bytesOf(1_200_000)).subarray(0, 600_000));
      await so(() => disk.files.length === 1 && itemAt(disk.files, 0).writes.length > 0);
      client.reset();
      await done;
      assert.equal(exchanges.length, 0);
    },
    "the client leaves while the file is opened": async (disk) => {
      const gate = Promise.withResolvers<void>();
      disk.gate = gate.promise;
      const { client, connection, done } = spooling({ temporaryFiles: disk });
      client.send(withLength(bytesOf(1_200_000)).subarray(0, 600_000));
      await settled();
      connection.end({ why: "timeout", error: null });
      gate.resolve();
      await done;
      await settled();
      assert.equal(disk.files.length, 1);
    },
    "the client is given up while the file is written": async (disk) => {
      const { client, connection, done } = spooling({ temporaryFiles: disk });
      client.send(withLength(bytesOf(1_200_000)).subarray(0, 600_000));
      await so(() => disk.files.length === 1 && itemAt(disk.files, 0).writes.length > 0);
      const gate = Promise.withResolvers<void>();
      disk.gate = gate.promise;
      client.send(withLength(bytesOf(1_200_000)).subarray(600_000));
      await settled();
      connection.end({ why: "timeout", error: null });
      gate.resolve();
      await done;
    },
    "the connection is cut while the application reads": async (disk) => {
      const asked = Promise.withResolvers<void>();
      let failure: unknown;
      const { client, connection, done } = spooling({
        temporaryFiles: disk,
        async handle(exchange) {
          await exchange.readBody();
          disk.gate = new Promise(() => {});
          const second = exchange.readBody();
          asked.resolve();
          await second.catch((error) => failure = error);
          return answer("too late");
        },
      });
      client.send(withLength(bytesOf(800_000)));
      await asked.promise;
      connection.end({ why: "timeout", error: null });
      await done;
      assert.equal(failure, undefined);
    },
    "the driver stops": async (disk) => {
      const { client, driver } = spooling({ temporaryFiles: disk });
      client.send(withLength(bytesOf(1_200_000)).subarray(0, 600_000));
      await so(() => disk.files.length === 1 && itemAt(disk.files, 0).writes.length > 0);
      await driver.return();
      await settled();
    },
  };
  for (const [how, end] of Object.entries(ends)) {
    const disk = new FakeTemporaryFiles();
    await end(disk);
    assert.equal(disk.files.length, 1, how);
    assert.equal(disk.left.length, 0, how);
  }
});

Deno.test("A body that stands in a file is gone once the request is answered", async () => {
  const { client, responses, exchanges, done } = spooling();
  client.send(withLength(bytesOf(400_000)));
  await client.until(() => responses().length === 1);
  await assert.rejects(itemAt(exchanges, 0).readBody(), { name: "ProtocolError", code: "cut-short" });
  client.end();
  await done;
});

Deno.test("A read of the file that is under way when the request ends fails like any other", async () => {
  const asked = Promise.withResolvers<Promise<unknown>>();
  const { client, disk, done, responses } = spooling({
    handle(exchange) {
      const gate = Promise.withResolvers<void>();
      disk.gate = gate.promise;
      asked.resolve(exchange.readBody());
      settled().then(gate.resolve);
      return answer("ok");
    },
  });
  client.send(withLength(bytesOf(400_000)));
  const read = await asked.promise.catch((error) => error);
  assert.equal((read as Error).name, "ProtocolError");
  await client.until(() => responses().length === 1);
  client.end();
  await done;
});

Deno.test("A disk that is full answers, reads the rest away if it is short, and serves the next request", async () => {
  for (const request of [withLength(bytesOf(700_000)), inChunks(bytesOf(700_000), 90_000)]) {
    const { client, responses, failures, exchanges, disk, done } = spooling({ maxRead: 300_000 });
    disk.room = 300_000;
    client.send(request);
    await client.until(() => responses().length === 1);
    assert.equal(itemAt(responses(), 0).status, 500);
    assert.equal((failures[0] as Error).name, "StorageError");
    assert.equal(exchanges.length, 0);
    assert.equal(fieldOf(itemAt(responses(), 0), "connection"), null);
    client.send("GET /behind HTTP/1.1\r\nhost: a\r\n\r\n");
    await client.until(() => responses().length === 2);
    assert.deepEqual(exchanges.map(({ head }) => head.target), ["/behind"]);
    assert.equal(disk.left.length, 0);
    client.end();
    await done;
  }
});

Deno.test("A disk that is full at the very end of a body answers, and the request after it is found", async () => {
  for (const request of [withLength(bytesOf(700_000)), inChunks(bytesOf(700_000), 90_000)]) {
    const { client, responses, exchanges, disk, done } = spooling();
    disk.room = 600_000;
    client.send(join([request, new TextEncoder().encode("GET /behind HTTP/1.1\r\nhost: a\r\n\r\n")]));
    await client.until(() => responses().length === 2);
    assert.deepEqual(responses().map(({ status }) => status), [500, 200]);
    assert.deepEqual(exchanges.map(({ head }) => head.target), ["/behind"]);
    assert.equal(disk.left.length, 0);
    client.end();
    await done;
  }
});

Deno.test("A disk that is full ends the connection if much of the body is still to come", async () => {
  const { client, responses, disk, done } = spooling();
  disk.refusal = "no directory";
  client.send(withLength(bytesOf(5_000_000)).subarray(0, 1_000_000));
  await client.until(() => responses().length === 1);
  assert.equal(fieldOf(itemAt(responses(), 0), "connection"), "close");
  client.end();
  await done;
  assert.equal(disk.files.length, 0);
});

Deno.test("A body whose length is over the limit never reaches the disk; one in chunks leaves nothing there", async () => {
  for (
    const [request, files] of [[withLength(bytesOf(1_200_000)), 0], [inChunks(bytesOf(1_200_000), 50_000), 1]] as const
  ) {
    const { client, responses, disk, done } = spooling({ maxBodyBytes: 1_000_000 });
    client.send(request);
    client.end();
    await done;
    assert.equal(itemAt(responses(), 0).status, 413);
    assert.equal(disk.files.length, files);
    assert.equal(disk.left.length, 0);
  }
});

Deno.test("100 (Continue) is sent before a long body is read first", async () => {
  const { client, responses, done } = spooling({ handle: async (exchange) => answer(await readAll(exchange)) });
  const request = withLength(new TextEncoder().encode("x".repeat(400_000)), "expect: 100-continue\r\n");
  const headEnd = request.length - 400_000;
  client.send(request.subarray(0, headEnd));
  await client.until(() => client.text.includes("100 Continue"));
  client.send(request.subarray(headEnd));
  await client.until(() => responses().some(({ status }) => status === 200));
  client.end();
  await done;
  assert.equal(bodyText(itemAt(responses(), 1)).length, 400_000);
});
