// The handler's Request behaves as a Request should.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { LazyRequest } from "../../src/message/lazy_request.ts";
import { FIELD_VALUE, TARGET, TOKEN } from "../../src/wire/octets.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { canBorrowHeaders, type IncomingOptions, requestOf } from "../helpers/incoming.ts";

Deno.test("LazyRequest is a Request by every test that code makes", () => {
  const request = requestOf();
  assert.ok(request instanceof Request);
  assert.equal(request.constructor, Request);
  assert.equal(Object.prototype.toString.call(request), "[object Request]");
  assert.ok(request.headers instanceof Headers);
  assert.equal(request.headers.constructor, Headers);
  assert.equal(Object.prototype.toString.call(request.headers), "[object Headers]");
  assert.equal(request.headers, request.headers);
  assert.equal(request.signal, request.signal);
  for (const name of Object.getOwnPropertyNames(Request.prototype)) assert.ok(name in request, name);
});

Deno.test("LazyRequest has every getter of the native one, with the same answer", () => {
  const getters = Object.entries(Object.getOwnPropertyDescriptors(Request.prototype))
    .filter(([, { get }]) => get !== undefined).map(([name]) => name as keyof Request);
  assert.ok(getters.length > 10);
  for (const isTouched of [false, true]) {
    for (const method of ["GET", "POST"]) {
      const request = requestOf({ method, target: "/a?b=c", fields: "x-y: z\r\n" });
      if (isTouched) request.clone();
      const native = new Request("http://example.com/a?b=c", { method, headers: { host: "example.com", "x-y": "z" } });
      // As under Deno.serve, each method that may have a body has one.
      assert.equal(request.body === null, method === "GET");
      for (const name of getters) {
        if (name === "signal" || name === "headers" || name === "body") continue;
        assert.deepEqual(request[name], native[name], name);
      }
      assert.equal(request.signal instanceof AbortSignal, true);
    }
  }
});

Deno.test("LazyRequest answers methods and getters that are borrowed from the native class", async () => {
  // Only Node's own classes can have the private state of its Headers and, from 24 on, of its Request.
  if (canBorrowHeaders) {
    assert.equal(Headers.prototype.get.call(requestOf({ fields: "a: b\r\n" }).headers, "a"), "b");
  }
  if (Object.getOwnPropertySymbols(new Request("http://a/")).length === 0) return;
  const url = Object.getOwnPropertyDescriptor(Request.prototype, "url")!.get!;
  assert.equal(url.call(requestOf({ target: "/x" })), "http://example.com/x");
  assert.equal(await Request.prototype.text.call(requestOf({ body: ["hello"] })), "hello");
});

Deno.test("LazyRequest can be printed", () => {
  for (const options of [{}, { body: ["x"] }] as IncomingOptions[]) {
    const request = requestOf({ ...options, target: "/shown" });
    assert.match(Deno.inspect(request), /^Request \{[^]*url: ["']http:\/\/example\.com\/shown["']/);
    assert.match(Deno.inspect(request.headers), /^Headers \{[^]*example\.com/);
  }
});

Deno.test("LazyRequest can be made a new Request of, body and fields included", async () => {
  for (const isWhole of [true, false]) {
    const request = requestOf({ body: ["hel", "lo"], isWhole, fields: "x-a: 1\r\n", method: "PUT", target: "/p?q" });
    const copy = new Request(request);
    assert.equal(copy.method, "PUT");
    assert.equal(copy.url, "http://example.com/p?q");
    assert.equal(copy.headers.get("x-a"), "1");
    assert.equal(await copy.text(), "hello");
    assert.equal(request.bodyUsed, true);
    await assert.rejects(request.text(), TypeError);
  }
  const changed = new Request(requestOf({ fields: "x-a: 1\r\n" }), {
    method: "POST",
    body: "b",
    headers: { "x-b": "2" },
  });
  assert.deepEqual([changed.method, changed.headers.get("x-a"), changed.headers.get("x-b")], ["POST", null, "2"]);
  assert.equal(await changed.text(), "b");
  const moved = new Request("http://other.example/", requestOf({ body: ["x"] }) as RequestInit);
  assert.deepEqual([moved.url, moved.method], ["http://other.example/", "POST"]);
});

Deno.test("LazyRequest passes its signal on to what is made of it", () => {
  const request = requestOf();
  const copies = [new Request(request), request.clone()];
  request.leave.abort(new Error("gone"));
  assert.equal(request.signal.aborted, true);
  for (const copy of copies) assert.equal(copy.signal.aborted, true);
});

Deno.test("LazyRequest clones before its body is read, not after", async () => {
  for (const isWhole of [true, false]) {
    const request = requestOf({ body: ["hello"], isWhole });
    const clone = request.clone();
    assert.equal(await clone.text(), "hello");
    assert.equal(request.bodyUsed, false);
    assert.equal(await request.text(), "hello");
    assert.throws(() => request.clone(), TypeError);

    const read = requestOf({ body: ["hello"], isWhole });
    await read.text();
    assert.throws(() => read.clone(), TypeError);
    assert.throws(() => new Request(read), TypeError);
  }
});

const READERS = ["text", "json", "bytes", "arrayBuffer", "blob"] as const;

Deno.test("LazyRequest reads its body as text, JSON, bytes, buffer and blob", async () => {
  const json = '{"caf\u00e9":[1,2,3]}';
  const bytes = new TextEncoder().encode(json);
  for (const isWhole of [true, false]) {
    for (const isTouched of [false, true]) {
      const make = () => {
        const body = [bytes.slice(0, 5), bytes.slice(5, 6), bytes.slice(6)];
        const request = requestOf({ body, isWhole, fields: "content-type: application/json\r\n" });
        if (isTouched) request.body;
        return request;
      };
      assert.equal(await make().text(), json);
      assert.deepEqual(await make().json(), { "caf\u00e9": [1, 2, 3] });
      assert.deepEqual([...await make().bytes()], [...bytes]);
      const buffer = await make().arrayBuffer();
      assert.ok(buffer instanceof ArrayBuffer);
      assert.deepEqual(new Uint8Array(buffer), new Uint8Array(bytes));
      const blob = await make().blob();
      assert.equal(blob.type, "application/json");
      assert.equal(await blob.text(), json);
    }
  }
});

Deno.test("LazyRequest drops a byte order mark, as the Fetch standard reads text", async () => {
  for (const isTouched of [false, true]) {
    const request = requestOf({ body: [new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])] });
    if (isTouched) request.body;
    assert.deepEqual(await request.json(), {});
  }
});

Deno.test("LazyRequest rejects a second read with TypeError, whatever read first", async () => {
  for (const isWhole of [true, false]) {
    for (const first of READERS) {
      for (const second of READERS) {
        const request = requestOf({ body: ["{}"], isWhole });
        assert.equal(request.bodyUsed, false);
        const reading = request[first]();
        await assert.rejects(request[second](), TypeError, `${first}, then ${second}`);
        await reading;
        assert.equal(request.bodyUsed, true);
        await assert.rejects(request[second](), TypeError);
      }
    }
  }
});

Deno.test("LazyRequest rejects what is no JSON with SyntaxError", async () => {
  for (const isTouched of [false, true]) {
    const request = requestOf({ body: ["{"] });
    if (isTouched) request.body;
    await assert.rejects(request.json(), SyntaxError);
  }
});

Deno.test("LazyRequest without a body reads as empty, again and again, and stays unused", async () => {
  for (const isTouched of [false, true]) {
    const request = requestOf();
    if (isTouched) request.clone();
    assert.equal(request.body, null);
    assert.equal(await request.text(), "");
    assert.equal(await request.text(), "");
    assert.equal((await request.arrayBuffer()).byteLength, 0);
    assert.equal(request.bodyUsed, false);
    await assert.rejects(request.json(), SyntaxError);
  }
});

Deno.test("LazyRequest streams its body, piece by piece, and pulls no sooner than it is read", async () => {
  const request = requestOf({ body: ["one", "two", "three"] });
  const { body } = request;
  assert.ok(body instanceof ReadableStream);
  assert.equal(request.body, body);
  const seen: string[] = [];
  for await (const piece of body.pipeThrough(new TextDecoderStream())) seen.push(piece);
  assert.deepEqual(seen, ["one", "two", "three"]);
  assert.equal(request.bodyUsed, true);
  await assert.rejects(request.text(), TypeError);
});

Deno.test("LazyRequest whose stream is locked cannot be read otherwise", async () => {
  const request = requestOf({ body: ["x"] });
  const reader = request.body!.getReader();
  await assert.rejects(request.text(), TypeError);
  assert.throws(() => request.clone(), TypeError);
  reader.releaseLock();
  assert.equal(await request.text(), "x");
});

Deno.test("LazyRequest reads a form, urlencoded and multipart, with files", async () => {
  for (const isWhole of [true, false]) {
    const type = "content-type: application/x-www-form-urlencoded\r\n";
    const form = await requestOf({ body: ["a=1&b=%C3%A9&a=2"], fields: type, isWhole }).formData();
    assert.deepEqual([...form], [["a", "1"], ["b", "\u00e9"], ["a", "2"]]);

    const sent = new FormData();
    sent.append("text", "caf\u00e9");
    sent.append("file", new File([new Uint8Array([0, 1, 2, 255])], "a b.bin", { type: "image/png" }));
    const encoded = new Response(sent);
    const fields = `content-type: ${encoded.headers.get("content-type")}\r\n`;
    const bytes = await encoded.bytes();
    const request = requestOf({ body: [bytes.subarray(0, 50), bytes.subarray(50)], fields, isWhole });
    const parts = await request.formData();
    assert.equal(parts.get("text"), "caf\u00e9");
    const file = parts.get("file") as File;
    assert.deepEqual([file.name, file.type, [...await file.bytes()]], ["a b.bin", "image/png", [0, 1, 2, 255]]);
    await assert.rejects(request.formData(), TypeError);
  }
  await assert.rejects(requestOf({ body: ["x"], fields: "content-type: text/plain\r\n" }).formData(), TypeError);
});

Deno.test("LazyRequest gives bytes of its own: changing them changes nothing else", async () => {
  const request = requestOf({ body: ["hello"], isWhole: true });
  const bytes = await request.bytes();
  assert.equal(bytes.buffer.byteLength >= 5, true);
  bytes.fill(0);
  const buffer = await requestOf({ body: ["hello"], isWhole: true }).arrayBuffer();
  assert.equal(buffer.byteLength, 5);
});

Deno.test("LazyRequest keeps a method as it was sent", () => {
  for (const method of ["GET", "POST", "PROPFIND", "patch", "M-SEARCH", "OPTIONS"]) {
    assert.equal(requestOf({ method }).method, method);
  }
});

const octetsOf = (table: Uint8Array, may: number) =>
  Array.from(table, (one, octet) => one === may ? String.fromCharCode(octet) : "").filter(Boolean);
const token = fc.string({ unit: fc.constantFrom(...octetsOf(TOKEN, 1)), minLength: 1, maxLength: 8 });
const words = fc.constantFrom("get", "GET", "Post", "trace", "TRACE", "connect", "patch", "PATCH", "M-SEARCH", "QUERY");
const targetText = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...octetsOf(TARGET, 1)),
    fc.constantFrom("%2e", "//", "/../", "\xc3\xa9", "\xf0\x9f\x98\x80"),
  ),
  maxLength: 20,
});
const fieldLine = fc.tuple(
  token,
  fc.string({ unit: fc.constantFrom(...octetsOf(FIELD_VALUE, 1)), maxLength: 12 }),
).map(([name, value]) => `${name}: ${value}\r\n`);

Deno.test("LazyRequest says the same of any request before and after the real one was made", () => {
  const options = fc.record({
    method: fc.oneof(token, words),
    target: fc.oneof(targetText.map((rest) => `/${rest}`), targetText.map((rest) => `http://b.example/${rest}`)),
    fields: fc.array(fc.oneof(fieldLine, fc.constantFrom("Cookie: a=1\r\n", "cookie: b\r\n")), { maxLength: 4 }),
  });
  let accepted = 0;
  fc.assert(
    fc.property(options, ({ method, target, fields }) => {
      let request: Request;
      try {
        request = requestOf({ method, target, fields: fields.join("") });
      } catch (error) {
        // What is refused at its head never comes to a handler.
        if (error instanceof ProtocolError) return;
        throw error;
      }
      accepted++;
      const hasBody = ({ body }: Request) => body !== null;
      const seen = () => [request.method, request.url, [...request.headers], hasBody(request)];
      const before = seen();
      const copies = [request.clone(), new Request(request)];
      assert.deepEqual(seen(), before);
      for (const copy of copies) assert.deepEqual([copy.method, copy.url, [...copy.headers], hasBody(copy)], before);
    }),
    { numRuns: 1000 },
  );
  assert.ok(accepted > 300, `${accepted} were accepted`);
});

Deno.test("LazyRequest has no body for GET and HEAD, whatever was sent, as under Deno.serve", async () => {
  for (const method of ["GET", "HEAD"]) {
    for (const isWhole of [true, false]) {
      for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
        const fields = `content-type: ${type}\r\n`;
        const make = () => requestOf({ method, body: ["a", "b=c"], isWhole, fields });
        const native = () => new Request("http://example.com/", { method, headers: { "content-type": type } });
        for (const touch of [() => {}, (one: Request) => one.clone(), (one: Request) => one.body]) {
          for (const read of [...READERS, "formData"] as const) {
            const outcomeOf = async (request: Request) => {
              touch(request);
              const outcome = await request[read]().then(
                (value) =>
                  value instanceof FormData ? [...value] : value instanceof Blob ? [value.size, value.type] : value,
                (error) => error.constructor.name,
              );
              return { outcome, body: request.body, bodyUsed: request.bodyUsed, text: await request.text() };
            };
            assert.deepEqual(await outcomeOf(make()), await outcomeOf(native()), `${method} ${read} of ${type}`);
          }
        }
        const request = make();
        assert.equal(await request.clone().text(), "");
        assert.equal(await new Request(request).text(), "");
        assert.equal(request.headers.get("content-type"), type);
      }
    }
  }
});

Deno.test("A request knows what it is made of; a copy of it, and one of another kind, does not", () => {
  const request = requestOf({ body: ["x"] });
  assert.equal(LazyRequest.incoming(request)?.head.method, "POST");
  assert.equal(LazyRequest.incoming(new Request(request)), null);
  assert.equal(LazyRequest.incoming(new Request("http://a/")), null);
});
