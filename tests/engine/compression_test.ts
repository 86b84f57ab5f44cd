// `compress`: what real clients get, in each coding, whole and as streams.

import assert from "node:assert/strict";
import * as zlib from "node:zlib";
import { bodyText, fieldOf, type RawResponse } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

const DECODE: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  br: zlib.brotliDecompressSync,
  gzip: zlib.gunzipSync,
  // Node 20 lacks it.
  ...typeof zlib.zstdDecompressSync === "function" ? { zstd: zlib.zstdDecompressSync } : {},
};
const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(100);
const HTML = { "content-type": "text/html" };

function decoded(response: RawResponse): string {
  const coding = fieldOf(response, "content-encoding");
  if (coding === null) return bodyText(response);
  return new TextDecoder().decode(DECODE[coding]!(response.body));
}

Deno.test("Texts, bytes, long bodies and streams are compressed in each coding, and come out as they were", async () => {
  const long = TEXT.repeat(100);
  const bodies: Record<string, () => BodyInit> = {
    "/text": () => TEXT,
    "/bytes": () => new TextEncoder().encode(TEXT),
    "/long": () => long,
    "/stream": () => new Blob([TEXT, TEXT]).stream(),
    "/unicode": () => "äöü€😀".repeat(50),
  };
  await using server = serving((request) => new Response(bodies[new URL(request.url).pathname]!(), { headers: HTML }), {
    compress: true,
  });
  using client = await server.connect();
  for (const coding of Object.keys(DECODE)) {
    for (const [path, body] of Object.entries(bodies)) {
      const response = await client.get(path, `accept-encoding: ${coding}\r\n`);
      assert.equal(fieldOf(response, "content-encoding"), coding);
      assert.equal(fieldOf(response, "vary"), "accept-encoding");
      assert.equal(decoded(response), await new Response(body()).text(), `${coding} ${path}`);
      assert.ok(response.body.length < (await new Response(body()).bytes()).length / 2);
    }
  }
});

Deno.test("Clients that do not accept it, short bodies and other types get the answer as it is", async () => {
  await using server = serving((request) => {
    const path = new URL(request.url).pathname;
    return new Response(path === "/short" ? "short" : TEXT, {
      headers: path === "/png" ? { "content-type": "image/png" } : HTML,
    });
  }, { compress: true });
  using client = await server.connect();
  const plain = await client.get("/");
  assert.deepEqual([fieldOf(plain, "content-encoding"), fieldOf(plain, "vary")], [null, "accept-encoding"]);
  assert.equal(bodyText(plain), TEXT);
  for (const path of ["/short", "/png"]) {
    const response = await client.get(path, "accept-encoding: br, gzip\r\n");
    assert.deepEqual([fieldOf(response, "content-encoding"), fieldOf(response, "vary")], [null, null]);
  }
});

Deno.test("Without compress nothing is compressed", async () => {
  await using server = serving(() => new Response(TEXT, { headers: HTML }));
  using client = await server.connect();
  const response = await client.get("/", "accept-encoding: br, gzip, zstd\r\n");
  assert.deepEqual([fieldOf(response, "content-encoding"), fieldOf(response, "vary")], [null, null]);
});

Deno.test("A HEAD says what a GET would be answered with, and 304 and 204 stay as they are", async () => {
  await using server = serving((request) => {
    const status = Number(new URL(request.url).pathname.slice(1));
    const headers = { ...HTML, etag: '"a"', "content-length": `${TEXT.length}` };
    if (status !== 200) return new Response(null, { status, headers: { etag: '"a"' } });
    return new Response(TEXT, { status, headers });
  }, { compress: true });
  using client = await server.connect();
  for (const method of ["HEAD", "GET"]) {
    await client.ask(method, "/200", "accept-encoding: br\r\n");
    const response = (await client.responses(1))[0]!;
    assert.deepEqual(["content-encoding", "etag", "vary"].map((name) => fieldOf(response, name)), [
      "br",
      'W/"a"',
      "accept-encoding",
    ]);
    if (method === "HEAD") assert.equal(fieldOf(response, "content-length"), null);
    else assert.equal(Number(fieldOf(response, "content-length")), response.body.length);
  }
  for (const path of ["/304", "/204"]) {
    const response = await client.get(path, "accept-encoding: br\r\n");
    assert.deepEqual([fieldOf(response, "content-encoding"), fieldOf(response, "etag")], [null, '"a"']);
  }
});

for (
  const [coding, make] of [
    ["br", zlib.createBrotliDecompress],
    ["gzip", zlib.createGunzip],
    ["zstd", zlib.createZstdDecompress],
  ] as const
) {
  if (!(coding in DECODE)) continue;
  Deno.test(`An event is there before the next one is made: ${coding}`, async () => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    await using server = serving(() => {
      const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    }, { compress: true });
    using client = await server.connect();
    await client.ask("GET", "/", `accept-encoding: ${coding}\r\n`);
    await client.until("\r\n\r\n");
    const decoder = make();
    let text = "";
    decoder.on("data", (bytes: Uint8Array) => text += new TextDecoder().decode(bytes));
    const feed = (bytes: Uint8Array) => new Promise<void>((resolve) => decoder.write(bytes, () => resolve()));
    let seen = client.text.indexOf("\r\n\r\n") + 4;
    for (const event of ["data: one\n\n", "data: two\n\n", "data: three\n\n"]) {
      controller.enqueue(new TextEncoder().encode(event));
      while (!text.endsWith(event)) {
        await client.read();
        for (const chunk of chunksIn(client.bytes, seen)) {
          seen = chunk.end;
          await feed(chunk.data);
        }
      }
    }
    decoder.destroy();
    controller.close();
  });
}

/** The whole chunks of a chunked body from a place on. */
function* chunksIn(bytes: Uint8Array, from: number): Generator<{ data: Uint8Array; end: number }> {
  for (let at = from;;) {
    const lineEnd = bytes.indexOf(0x0a, at);
    if (lineEnd < 0) return;
    const size = parseInt(new TextDecoder().decode(bytes.subarray(at, lineEnd)), 16);
    const end = lineEnd + 1 + size + 2;
    if (size === 0 || end > bytes.length) return;
    yield { data: bytes.subarray(lineEnd + 1, end - 2), end };
    at = end;
  }
}

Deno.test("A stream is cancelled when its client leaves, and its failure cuts the answer", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using server = serving((request) => {
    const { pathname } = new URL(request.url);
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(TEXT));
      },
      pull(controller) {
        if (pathname === "/wrong") controller.enqueue("a text" as unknown as Uint8Array);
        else if (pathname === "/broken") controller.error(new Error("broken on purpose"));
        else controller.enqueue(new TextEncoder().encode(TEXT));
      },
      cancel: () => cancelled.resolve(),
    });
    return new Response(body, { headers: HTML });
  }, { compress: true });
  {
    using client = await server.connect();
    await client.ask("GET", "/", "accept-encoding: br\r\n");
    await client.until("\r\n\r\n");
  }
  await cancelled.promise;
  for (const path of ["/broken", "/wrong"]) {
    using client = await server.connect();
    await client.ask("GET", path, "accept-encoding: br\r\n");
    while (await client.read());
    assert.doesNotMatch(client.text, /\r\n0\r\n\r\n$/);
  }
});

Deno.test("A stream that is not as long as its Content-Length never looks complete", async () => {
  const errors: unknown[] = [];
  await using server = serving((request) => {
    const headers = { ...HTML, "content-length": new URL(request.url).pathname.slice(1) };
    return new Response(new Blob([TEXT]).stream(), { headers });
  }, {
    compress: true,
    onError(error) {
      errors.push(error);
      return new Response(null, { status: 500 });
    },
  });
  for (const length of [TEXT.length - 1, TEXT.length + 1]) {
    using client = await server.connect();
    await client.ask("GET", `/${length}`, "accept-encoding: br\r\n");
    while (await client.read());
    assert.doesNotMatch(client.text, /\r\n0\r\n\r\n$/);
  }
  assert.equal(errors.length, 2);
  using client = await server.connect();
  assert.equal(decoded(await client.get(`/${TEXT.length}`, "accept-encoding: br\r\n")), TEXT);
});
