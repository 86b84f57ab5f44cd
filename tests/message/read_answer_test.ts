// What is read of everything that a handler may return.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readAnswer } from "../../src/message/read_answer.ts";
import type { Answer } from "../../src/wire/answer.ts";
import { text } from "../helpers/responses.ts";

/** The body as text, whatever it is made of. */
async function bodyOf(answer: Answer): Promise<string | null> {
  const { body } = answer;
  if (body === null || typeof body === "string") return body;
  if (body instanceof Uint8Array) return text(body);
  let all = "";
  for await (const piece of body as ReadableStream<Uint8Array>) {
    assert.ok(piece instanceof Uint8Array);
    all += text(piece);
  }
  return all;
}

function fieldsOf(answer: Answer): [string, string][] {
  return answer.fields.map(([name, value]) => [name.toLowerCase(), value]);
}

function streamOf(...pieces: string[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(pieces.map((piece) => new TextEncoder().encode(piece)));
}

/** What the fields are beside the native Response's own. */
const CASES: [string, () => Response, string | null][] = [
  ["nothing", () => new Response(), null],
  ["null", () => new Response(null), null],
  ["null with fields", () => new Response(null, { headers: { a: "b" } }), null],
  ["a text", () => new Response("hello"), "hello"],
  ["an empty text", () => new Response(""), ""],
  ["a text with a status", () => new Response("gone", { status: 410 }), "gone"],
  ["a text with a reason", () => new Response("x", { status: 201, statusText: "Made It" }), "x"],
  ["a text with fields", () => new Response("x", { headers: { "X-A": "1", "content-type": "text/html" } }), "x"],
  ["a text with Headers", () => new Response("x", { headers: new Headers({ "x-a": "1" }) }), "x"],
  ["a text with pairs", () => new Response("x", { headers: [["x-a", "1"], ["x-a", "2"]] }), "x"],
  ["bytes", () => new Response(new Uint8Array([104, 105])), "hi"],
  ["a part of a buffer", () => new Response(new TextEncoder().encode("-hi-").subarray(1, 3)), "hi"],
  ["a buffer", () => new Response(new TextEncoder().encode("hi").buffer), "hi"],
  ["another view", () => new Response(new DataView(new TextEncoder().encode("hi").buffer)), "hi"],
  ["a Blob", () => new Response(new Blob(["bl", "ob"], { type: "image/gif" })), "blob"],
  ["a long Blob", () => new Response(new Blob(["x".repeat(300_000)], { type: "image/gif" })), "x".repeat(300_000)],
  ["parameters", () => new Response(new URLSearchParams({ a: "1", b: "2 3" })), "a=1&b=2+3"],
  ["a stream", () => new Response(streamOf("a", "b", "c")), "abc"],
  ["a stream with fields", () => new Response(streamOf("a"), { headers: { "content-length": "1" } }), "a"],
  ["JSON", () => Response.json({ a: [1] }), '{"a":[1]}'],
  ["JSON with a status and fields", () => Response.json(1, { status: 201, headers: { "x-a": "1" } }), "1"],
  ["JSON of another type", () => Response.json(1, { headers: { "content-type": "application/problem+json" } }), "1"],
  ["a redirect", () => Response.redirect("http://a.example/b", 303), null],
  ["204", () => new Response(null, { status: 204 }), null],
];

for (const [name, make, body] of CASES) {
  for (const isTouched of [false, true]) {
    Deno.test(`readAnswer reads ${name}${isTouched ? ", whose headers were looked at," : ""} as it was made`, async () => {
      const response = make();
      if (isTouched) response.headers.get("x");
      const answer = readAnswer(response);
      const native = make();
      assert.equal(answer.status, native.status);
      assert.equal(answer.reason, native.statusText);
      // Repeated fields may come one by one, or as one.
      assert.deepEqual([...new Headers(fieldsOf(answer))], [...native.headers]);
      assert.equal(await bodyOf(answer), body);
      assert.equal(response.bodyUsed, body !== null, "the handler sees its body used");
    });
  }

  if (body !== null) {
    Deno.test(`readAnswer refuses ${name} that was sent or read before`, async () => {
      const sent = make();
      await bodyOf(readAnswer(sent));
      assert.throws(() => readAnswer(sent), /body of the handler's Response was used already/);
      assert.throws(() => readAnswer(sent), TypeError);
      await assert.rejects(sent.text(), TypeError);
      for (const read of ["text", "bytes", "blob"] as const) {
        const used = make();
        await used[read]();
        assert.throws(() => readAnswer(used), TypeError, read);
      }
      const locked = make();
      locked.body!.getReader();
      assert.throws(() => readAnswer(locked), TypeError);
    });

    Deno.test(`readAnswer reads both of ${name} and its clone`, async () => {
      const response = make();
      const clone = response.clone();
      const [first, second] = [readAnswer(response), readAnswer(clone)];
      assert.deepEqual([await bodyOf(first), await bodyOf(second)], [body, body]);
      assert.deepEqual(fieldsOf(first), fieldsOf(second));
    });
  }
}

Deno.test("readAnswer reads a stream that the handler has looked at", async () => {
  const response = new Response("x");
  assert.ok(response.body instanceof ReadableStream);
  assert.equal(await bodyOf(readAnswer(response)), "x");
});

Deno.test("readAnswer reads a long Blob in pieces, anew for each answer", async () => {
  const parts = [
    Uint8Array.from({ length: 700_001 }, (_, at) => at * 7 + (at >> 9)),
    new Uint8Array(3),
    "é".repeat(99_999),
  ];
  const blob = new Blob(parts);
  const expected = await blob.bytes();
  for (let answered = 0; answered < 2; answered++) {
    const { body } = readAnswer(new Response(blob));
    assert.ok(body instanceof ReadableStream);
    const pieces = await Array.fromAsync(body);
    assert.ok(pieces.every(({ length }) => length > 0 && length <= 256 * 1024));
    assert.ok(Buffer.from(expected).equals(Buffer.concat(pieces)));
  }
});

Deno.test("readAnswer reads a form with its boundary", async () => {
  const form = new FormData();
  form.append("a", "b");
  form.append("file", new File(["content"], "n.txt"));
  const response = new Response(form);
  const answer = readAnswer(response);
  const type = new Map(fieldsOf(answer)).get("content-type")!;
  const parsed = await new Response(await bodyOf(answer), { headers: { "content-type": type } }).formData();
  assert.equal(parsed.get("a"), "b");
  assert.equal(await (parsed.get("file") as File).text(), "content");
});

Deno.test("readAnswer reads a file's stream", async () => {
  const path = new URL(import.meta.url);
  const file = await Deno.open(path);
  assert.equal(await bodyOf(readAnswer(new Response(file.readable))), text(await Deno.readFile(path)));
});

Deno.test("readAnswer sees headers that were changed after the Response was made", async () => {
  for (
    const make of [
      () => new Response("x"),
      () => Response.json(1),
      () => new Response(new Uint8Array(1)),
      () => new Response(),
    ]
  ) {
    const response = make();
    response.headers.set("x-a", "1");
    response.headers.append("set-cookie", "a=1");
    response.headers.append("set-cookie", "b=2");
    response.headers.delete("content-type");
    const fields = fieldsOf(readAnswer(response)).sort();
    assert.deepEqual(fields, [["set-cookie", "a=1"], ["set-cookie", "b=2"], ["x-a", "1"]]);
    await response.body?.cancel().catch(() => {});
  }
});

Deno.test("readAnswer keeps set-cookie apart, however it was given", () => {
  for (
    const headers of [
      [["set-cookie", "a=1"], ["set-cookie", "b=2"]],
      new Headers([["set-cookie", "a=1"], ["set-cookie", "b=2"]]),
    ]
  ) {
    const answer = readAnswer(new Response("x", { headers: headers as HeadersInit }));
    assert.deepEqual(fieldsOf(answer).filter(([name]) => name === "set-cookie").map(([, value]) => value), [
      "a=1",
      "b=2",
    ]);
  }
});

Deno.test("readAnswer reads a Response of a subclass", async () => {
  class Mine extends Response {
    mine = true;
  }
  const answer = readAnswer(new Mine("x", { status: 201, headers: { "x-a": "1" } }));
  assert.deepEqual([answer.status, await bodyOf(answer)], [201, "x"]);
  assert.ok(fieldsOf(answer).some(([name]) => name === "x-a"));
});

Deno.test("readAnswer reads what behaves like a Response, of a library or another realm", async () => {
  const answer = readAnswer({
    status: 207,
    statusText: "",
    headers: new Map([["x-a", "1"]]),
    body: streamOf("a", "b"),
    bodyUsed: false,
    type: "default",
  });
  assert.equal(answer.status, 207);
  assert.deepEqual(fieldsOf(answer), [["x-a", "1"]]);
  assert.equal(await bodyOf(answer), "ab");
  const text = { status: 200, headers: new Headers(), body: "no stream" };
  const used = { status: 200, headers: new Headers(), body: streamOf("a"), bodyUsed: true };
  const locked = { status: 200, headers: new Headers(), body: streamOf("a") };
  locked.body.getReader();
  for (const bad of [text, used, locked]) assert.throws(() => readAnswer(bad), TypeError);
});

Deno.test("readAnswer refuses a status that is none", () => {
  for (const status of [0, 99, 100, 102, 600, 200.5, NaN]) {
    assert.throws(() => readAnswer({ status, headers: new Headers(), body: null }), TypeError, `${status}`);
  }
});

Deno.test("readAnswer refuses Response.error()", () => {
  assert.throws(() => readAnswer(Response.error()), { name: "TypeError", message: /Response\.error\(\)/ });
});

Deno.test("readAnswer says what it got instead of a Response", () => {
  const cases: [unknown, RegExp][] = [
    [undefined, /returned nothing/],
    [null, /returned null/],
    ["hello", /returned a string; return new Response\(it\)$/],
    [42, /returned a number/],
    [{ status: 200 }, /a plain object with the properties status; for JSON, return Response\.json\(it\)$/],
    [{ a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 }, /a plain object with the properties a, b, c, d, e, \.\.\.; /],
    [{}, /an empty object/],
    [[new Response()], /an array/],
    [new Map(), /an instance of Map/],
    [new (class {})(), /an instance of a class without a name/],
    [Object.create(null), /an empty object/],
    [() => new Response(), /a function/],
    [new Request("http://a/"), /an instance of Request/],
    [Object.create(Response.prototype), /an object with the prototype of Response that no constructor has made/],
    [Object.create(class extends Response {}.prototype), /an object with the prototype of Response/],
    [withoutInnerState(new Response("x")), /an object with the prototype of Response/],
  ];
  for (const [value, message] of cases) assert.throws(() => readAnswer(value), { name: "TypeError", message });
});

/** What Deno keeps of a Response under symbols, without the part that holds its body once more was asked for. */
function withoutInnerState(response: Response): unknown {
  const part = Object.create(Response.prototype);
  for (const place of Object.getOwnPropertySymbols(response)) {
    if (place.description?.startsWith("serve fast")) {
      part[place] = (response as unknown as Record<symbol, unknown>)[place];
    }
    if (place.description === "lazy static body") part[place] = null;
  }
  return part;
}
