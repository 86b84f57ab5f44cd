// A handler's Request and Response on real sockets: forwarded, proxied, read late.

import assert from "node:assert/strict";
import { firstItems, itemAt } from "../helpers/items.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

Deno.test("fetch(request) forwards method, URL, headers and body", async () => {
  await using origin = serving(async (request) =>
    Response.json({
      method: request.method,
      path: new URL(request.url).pathname,
      type: request.headers.get("content-type"),
      own: request.headers.get("x-own"),
      body: await request.text(),
    })
  );
  for (const body of ["stream", "auto", "whole"] as const) {
    await using proxy = serving((request) => {
      const { pathname } = new URL(request.url);
      return fetch(new Request(origin.url + pathname, request));
    }, { body });
    for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH"]) {
      const response = await fetch(`${proxy.url}/x/${method}`, {
        method,
        headers: { "x-own": "yes", "content-type": "text/x" },
        body: method === "GET" ? null : "caf\u00e9",
      });
      assert.deepEqual(await response.json(), {
        method,
        path: `/x/${method}`,
        type: "text/x",
        own: "yes",
        body: method === "GET" ? "" : "caf\u00e9",
      });
    }
  }
});

Deno.test("fetch(request) sends a request on to where it says itself", async () => {
  await using origin = serving(async (request) => new Response(`${request.method} ${await request.text()}`));
  await using proxy = serving((request) => fetch(request));
  const { port } = new URL(origin.url);
  using client = await proxy.connect();
  // The proxy is asked in absolute form, so the request's URL is the origin's.
  await client.send(
    `POST http://127.0.0.1:${port}/ HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-length: 5\r\n\r\nhello`,
  );
  const [response] = firstItems(await client.responses(1), 1);
  assert.equal(bodyText(response), "POST hello");
});

Deno.test("A response that was fetched is passed on, decoded, without the fields that are no longer true", async () => {
  const plain = "hello ".repeat(1_000);
  const zipped = new Response(new Response(plain).body!.pipeThrough(new CompressionStream("gzip")));
  const bytes = await zipped.bytes();
  await using origin = serving(() =>
    new Response(bytes, {
      headers: [["content-encoding", "gzip"], ["content-type", "text/x"], ["set-cookie", "a=1"], ["set-cookie", "b=2"]],
    })
  );
  await using proxy = serving(() => fetch(origin.url));
  using client = await proxy.connect();
  const response = await client.get("/");
  assert.equal(bodyText(response), plain);
  assert.equal(fieldOf(response, "content-encoding"), null);
  assert.equal(fieldOf(response, "content-type"), "text/x");
  assert.deepEqual(response.fields.filter(([name]) => name === "set-cookie").map(([, value]) => value), ["a=1", "b=2"]);
  assert.equal(bodyText(await client.get("/")), plain);
});

Deno.test("A response that was fetched is passed on as it is if it was not encoded", async () => {
  await using origin = serving(() => new Response("as it is", { status: 202, headers: { "x-a": "1" } }));
  await using proxy = serving(() => fetch(origin.url));
  using client = await proxy.connect();
  const response = await client.get("/");
  assert.deepEqual([response.status, bodyText(response), fieldOf(response, "x-a")], [202, "as it is", "1"]);
});

Deno.test("A file is served from its stream", async () => {
  const path = new URL("../../src/connection/protocol.ts", import.meta.url);
  await using served = serving(async () => new Response((await Deno.open(path)).readable));
  const response = await fetch(served.url);
  assert.equal(await response.text(), await Deno.readTextFile(path));
});

Deno.test("A file whose client leaves is closed", async () => {
  const opened = Promise.withResolvers<Deno.FsFile>();
  await using served = serving(async () => {
    const file = await Deno.open(new URL(import.meta.url));
    opened.resolve(file);
    const chunks = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const buffer = new Uint8Array(64 * 1024);
        await file.seek(0, Deno.SeekMode.Start);
        const count = await file.read(buffer);
        controller.enqueue(buffer.subarray(0, count ?? 0));
      },
      cancel: () => file.close(),
    });
    return new Response(chunks);
  });
  const client = await served.connect();
  await client.ask("GET", "/");
  await client.until("chunked");
  client.close();
  await opened.promise; // The sanitizer sees to it that the file is closed.
});

Deno.test("What a handler keeps of a body stays what it was when the next request comes", async () => {
  for (const body of ["whole", "auto", "stream"] as const) {
    const kept: { bytes: Uint8Array; blob: Blob; buffer: ArrayBuffer }[] = [];
    await using served = serving(async (request) => {
      const copies = [request.clone(), request.clone()];
      kept.push({
        bytes: await request.bytes(),
        blob: await itemAt(copies, 0).blob(),
        buffer: await itemAt(copies, 1).arrayBuffer(),
      });
      return new Response("ok");
    }, { body });
    using client = await served.connect();
    for (const letter of "abc") {
      await client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n${letter.repeat(9)}`);
      await client.responses(1);
    }
    for (const [nr, { bytes, blob, buffer }] of kept.entries()) {
      const expected = itemAt("abc", nr).repeat(9);
      assert.equal(new TextDecoder().decode(bytes), expected);
      assert.equal(await blob.text(), expected);
      assert.equal(new TextDecoder().decode(buffer), expected);
    }
  }
});

Deno.test("Each way to read a body gives bytes of its own, without a clone", async () => {
  for (const read of ["bytes", "arrayBuffer", "blob"] as const) {
    const kept: (Uint8Array | ArrayBuffer | Blob)[] = [];
    await using served = serving(async (request) => {
      kept.push(await request[read]());
      return new Response("ok");
    }, { body: "whole" });
    using client = await served.connect();
    for (const letter of "abc") {
      await client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n${letter.repeat(9)}`);
      await client.responses(1);
    }
    const texts = await Promise.all(kept.map((one) => new Response(one as BodyInit).text()));
    assert.deepEqual(texts, ["aaaaaaaaa", "bbbbbbbbb", "ccccccccc"], read);
  }
});

Deno.test("A body that is read after the answer is an error, not another request's bytes", async () => {
  for (const body of ["whole", "auto", "stream"] as const) {
    const requests: Request[] = [];
    await using served = serving((request) => {
      requests.push(request);
      return new Response("ok");
    }, { body });
    using client = await served.connect();
    for (const letter of "ab") {
      await client.send(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n${letter.repeat(9)}`);
      await client.responses(1);
    }
    await client.get("/");
    await assert.rejects(itemAt(requests, 0).text(), Error, body);
  }
});

Deno.test("A response sees its body used once it is sent", async () => {
  const sent = [
    new Response("x"),
    new Response(new Uint8Array(3)),
    new Response(ReadableStream.from([new Uint8Array(3)])),
  ];
  const waiting = [...sent];
  await using served = serving(() => waiting.shift()!);
  using client = await served.connect();
  for (const response of sent) {
    await client.get("/");
    assert.equal(response.bodyUsed, true);
  }
});

Deno.test("A text of any length and alphabet arrives whole, one after the other and pipelined", async () => {
  const texts = [1, 100, 15_000, 16_200, 16_384, 40_000].flatMap((length) =>
    ["a", "\u00e9", "\u20ac", "\u{1f600}"].flatMap((odd) => [odd + "b".repeat(length), "b".repeat(length) + odd])
  );
  await using served = serving((request) => new Response(texts[Number(new URL(request.url).pathname.slice(1))]));
  using client = await served.connect();
  for (const [nr, text] of texts.entries()) assert.ok(bodyText(await client.get(`/${nr}`)) === text, `${nr}`);
  for (const nr of texts.keys()) await client.ask("GET", `/${nr}`);
  const responses = await client.responses(texts.length);
  assert.ok(responses.every((response, nr) => bodyText(response) === texts[nr]));
});
