// Long bodies that are read before the handler runs, on real sockets and with real files.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Handler } from "../../src/message/handler.ts";
import { settled } from "../helpers/duplex.ts";
import { firstItems } from "../helpers/items.ts";
import { bodyText } from "../helpers/responses.ts";
import { realEngine } from "../helpers/serving.ts";
import { onTinyDisk, type RealDisk, realDisk } from "../helpers/temporary.ts";

const BODY = new TextEncoder().encode(Array.from({ length: 400_000 }, (_, nr) => nr.toString(36)).join("é,"));

function whole(handler: Handler, temporaryFiles: RealDisk, limits: Parameters<typeof realEngine>[1] = {}) {
  return realEngine(handler, { body: "whole", ...limits }, { temporaryFiles });
}

/** Each method of a Request that reads its body, with the result as bytes. */
const READERS: Record<string, (request: Request) => Promise<Uint8Array>> = {
  text: async (request) => new TextEncoder().encode(await request.text()),
  json: async (request) => new TextEncoder().encode((await request.json()).text),
  bytes: (request) => request.bytes(),
  arrayBuffer: async (request) => new Uint8Array(await request.arrayBuffer()),
  blob: async (request) => (await request.blob()).bytes(),
  formData: async (request) => await ((await request.formData()).get("file") as File).bytes(),
  async body(request) {
    const pieces = await Array.fromAsync(request.body!);
    assert.ok(pieces.length > 10, "it is streamed");
    return Buffer.concat(pieces);
  },
  async clone(request) {
    const [first, second] = await Promise.all([request.clone().bytes(), request.bytes()]);
    assert.ok(Buffer.from(first).equals(second));
    return first;
  },
  copy: async (request) => await new Request(request).bytes(),
};

Deno.test("A long body that was read first can be read by every method of a Request", async () => {
  await using disk = realDisk();
  await using real = whole(async (request) => {
    const read = READERS[new URL(request.url).pathname.slice(1)];
    assert.ok(read !== undefined, request.url);
    const bytes = await read(request);
    assert.equal(request.bodyUsed, true);
    await assert.rejects(request.text(), TypeError);
    return new Response(`${Buffer.from(bytes).equals(BODY)}`);
  }, disk);
  for (const way of Object.keys(READERS)) {
    const form = new FormData();
    form.set("file", new Blob([BODY]), "a.txt");
    const body = way === "formData"
      ? form
      : way === "json"
      ? JSON.stringify({ text: new TextDecoder().decode(BODY) })
      : new Blob([BODY]).stream();
    const response = await fetch(`${real.url}/${way}`, { method: "POST", body, ...{ duplex: "half" } });
    assert.equal(await response.text(), "true", way);
  }
  assert.equal(disk.opened, Object.keys(READERS).length);
  assert.deepEqual(real.lines, []);
});

Deno.test("A long body is echoed from its file, and the file is removed after the answer", async () => {
  await using disk = realDisk();
  await using real = whole((request) => new Response(request.body), disk);
  for (let i = 0; i < 3; i++) {
    const response = await fetch(real.url, { method: "POST", body: BODY });
    assert.ok(Buffer.from(await response.bytes()).equals(BODY));
  }
  assert.equal(disk.opened, 3);
});

Deno.test("Several long bodies are spooled at once", async () => {
  await using disk = realDisk();
  await using real = whole(async (request) => new Response(`${(await request.bytes()).length}`), disk);
  const answers = await Promise.all(
    Array.from({ length: 20 }, async (_, nr) => {
      const response = await fetch(real.url, { method: "POST", body: new Uint8Array(300_000 + nr) });
      return Number(await response.text()) - 300_000;
    }),
  );
  assert.deepEqual(answers, Array.from({ length: 20 }, (_, nr) => nr));
});

Deno.test("A drain that cuts connections leaves no file", async () => {
  await using disk = realDisk();
  const reached = Promise.withResolvers<void>();
  await using real = whole(() => {
    reached.resolve();
    return new Promise(() => {});
  }, disk);
  using client = await real.connect();
  await client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${BODY.length}\r\n\r\n`);
  await client.send(BODY);
  await reached.promise;
  real.engine.abort();
  await real.engine.finished;
});

Deno.test("A client that leaves in the middle of a long body leaves no file", async () => {
  await using disk = realDisk();
  await using real = whole(() => new Response("not reached"), disk);
  const client = await real.connect();
  await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000000\r\n\r\n");
  await client.send(BODY);
  while (disk.opened === 0) await settled();
  client.close();
});

Deno.test("A full disk leads to a 507 and a log line, and other requests go on", async () => {
  await onTinyDisk(async (directory) => {
    await using disk = realDisk(directory);
    await using real = whole(async (request) => new Response(`${(await request.bytes()).length}`), disk);
    using client = await real.connect();
    for (let i = 1; i <= 2; i++) {
      // The rest of the body when the disk is full is short enough to be read away.
      await client.send("POST /large HTTP/1.1\r\nhost: a\r\ncontent-length: 1200000\r\n\r\n");
      await client.send(new Uint8Array(1_200_000));
      const [response] = firstItems(await client.responses(1), 1);
      assert.equal(response.status, 507);
      assert.equal(bodyText(response), "507 Insufficient Storage: there is no room for the request's body now\n");
      assert.equal(real.lines.length, i);
      assert.match(real.lines.at(-1)!, /^ERROR POST \/large answered 507: a temporary file cannot be written in /);
      assert.match(real.lines.at(-1)!, /make room there, or set TMPDIR/);
      // The client gets the answer at once. Its disk space is released a moment later.
      await disk.allRemoved();
      const small = await fetch(real.url, { method: "POST", body: new Uint8Array(400_000) });
      assert.equal(await small.text(), "400000");
    }
  });
});

Deno.test("A missing directory for temporary files leads to a 507, and is used again when it is back", async () => {
  const directory = Deno.makeTempDirSync();
  {
    await using disk = realDisk(directory);
    await using real = whole(async (request) => new Response(`${(await request.bytes()).length}`), disk);
    Deno.removeSync(directory);
    const failed = await fetch(real.url, { method: "POST", body: new Uint8Array(300_000) });
    assert.equal(failed.status, 507);
    await failed.body?.cancel();
    Deno.mkdirSync(directory);
    const served = await fetch(real.url, { method: "POST", body: new Uint8Array(300_000) });
    assert.equal(await served.text(), "300000");
  }
  Deno.removeSync(directory);
});
