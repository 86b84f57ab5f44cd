// A LightResponse is read and sent as the runtime's own Response is. Here that is Deno's; tests/npm/ does the same on Node.

import assert from "node:assert/strict";
import { LightResponse } from "../../src/message/light_response.ts";
import { readAnswer } from "../../src/message/read_answer.ts";

type Arguments = [body?: BodyInit | null, init?: ResponseInit];

/** Made anew for each Response, because a stream is read once. */
const SAMPLES: Readonly<Record<string, () => Arguments>> = {
  "nothing": () => [],
  "null and a status": () => [null, { status: 204 }],
  "a text": () => ["words"],
  "an empty text": () => [""],
  "a text with fields":
    () => ["words", { status: 201, statusText: "Made", headers: { "X-A": "1", "x-b": "two words" } }],
  "a text with its own type": () => ["{}", { headers: { "Content-Type": "application/json" } }],
  "fields as pairs": () => ["words", { headers: [["set-cookie", "a=1"], ["set-cookie", "b=2"]] }],
  "fields as Headers": () => ["words", { headers: new Headers({ a: "1", "content-type": "text/css" }) }],
  "fields that are trimmed": () => ["words", { headers: { a: " 1 " } }],
  "fields that an iterator gives": () => ["words", { headers: [["a", "1"], ["b", "2"]].values() as never }],
  "fields that an iterator gives, to be trimmed": () => [
    "words",
    { headers: [["a", "1"], ["b", " 2 "], ["c", "3"]].values() as never },
  ],
  "a text that begins with a byte order mark": () => ["\ufeff{}"],
  "a text with half a character": () => ["a\ud800b"],
  "no more than a text": () => ["words", null as never],
  "bytes": () => [new Uint8Array([1, 2, 3])],
  "a part of a buffer": () => [new Uint8Array([1, 2, 3]).subarray(1)],
  "an ArrayBuffer": () => [new Uint8Array([1, 2, 3]).buffer],
  "a Blob": () => [new Blob(["words"], { type: "text/css" })],
  "a query": () => [new URLSearchParams({ a: "1" })],
  "a stream": () => [new Blob(["words"]).stream()],
  "a stream with a type": () => [new Blob(["words"]).stream(), { headers: { "content-type": "text/css" } }],
};

const light = (...given: Arguments) => new LightResponse(...given) as unknown as Response;
const native = (...given: Arguments) => new Response(...given);

/** What is sent for a Response. */
async function sent(response: Response): Promise<unknown> {
  const { status, reason, fields, body } = readAnswer(response);
  const bytes = await new Response(body as BodyInit | null).arrayBuffer();
  const lower = fields.map(([name, value]) => `${name.toLowerCase()}: ${value}`).sort();
  return { status, reason, fields: lower, body: new TextDecoder().decode(bytes) };
}

for (const [what, make] of Object.entries(SAMPLES)) {
  Deno.test(`A LightResponse of ${what} is sent as a native one`, async () => {
    assert.deepEqual(await sent(light(...make())), await sent(native(...make())));
  });

  Deno.test(`A LightResponse of ${what} tells what a native one tells`, async () => {
    const [one, other] = [light(...make()), native(...make())];
    for (const name of ["status", "ok", "statusText", "type", "url", "redirected", "bodyUsed"] as const) {
      assert.equal(one[name], other[name], name);
    }
    assert.deepEqual([...one.headers], [...other.headers]);
    assert.equal(one.body === null, other.body === null);
    assert.equal(await one.clone().text(), await other.clone().text());
    assert.equal(await one.text(), await other.text());
    assert.equal(one.bodyUsed, other.bodyUsed);
  });
}

Deno.test("A LightResponse sends the fields that were changed after it was made", async () => {
  const response = light("words", { headers: { a: "1" } });
  response.headers.set("a", "2");
  response.headers.append("b", "3");
  const changed = { ...await sent(native("words", { headers: { a: "2", b: "3" } })) as object };
  assert.deepEqual(await sent(response), changed);
});

Deno.test("A LightResponse does not see changes of what it was made of", async () => {
  const bytes = new Uint8Array([65]);
  const headers = { a: "1" };
  const response = light(bytes, { headers });
  bytes[0] = 66;
  headers.a = "2";
  assert.deepEqual(
    await sent(response),
    await sent(native("A", { headers: { a: "1", "content-type": "" } })).then(
      (answer) => ({ ...answer as object, fields: ["a: 1"] }),
    ),
  );
});

Deno.test("A LightResponse is sent once", async () => {
  for (const body of ["words", new Uint8Array([1]), new Blob(["words"]).stream()]) {
    const response = light(body);
    await sent(response);
    assert.throws(() => readAnswer(response), /used already/);
  }
  const read = light("words");
  assert.equal(await read.text(), "words");
  assert.throws(() => readAnswer(read), /used already/);
});

Deno.test("A LightResponse refuses what a native one refuses, with its words", () => {
  const refused: Arguments[] = [
    ["words", { status: 204 }],
    ["words", { status: 99 }],
    ["words", { status: 600 }],
    ["words", { headers: { "a b": "1" } }],
    ["words", { headers: { a: "1\r\nb: 2" } }],
    ["words", { statusText: "a\nb" }],
    ["words", { headers: [["a", "1", "2"]] as never }],
  ];
  for (const given of refused) {
    let message = "";
    try {
      native(...given);
    } catch (error) {
      message = (error as Error).message;
    }
    assert.notEqual(message, "", JSON.stringify(given));
    assert.throws(() => light(...given), { message });
  }
});

Deno.test("A LightResponse of JSON has the fields that an iterator gives", async () => {
  for (const value of ["1", " 2 "]) {
    const init = () => ({ headers: [["a", "1"], ["b", value]].values() as never });
    assert.deepEqual(await sent(LightResponse.json({ a: 1 }, init())), await sent(Response.json({ a: 1 }, init())));
  }
});

Deno.test("A LightResponse gives its text as a client decodes it", async () => {
  for (const text of ["words", "\ufeffwords", "a\ud800b", "\u00e9\u2603"]) {
    const bytes = new TextEncoder().encode(text);
    assert.equal(await light(text).text(), new TextDecoder().decode(bytes), JSON.stringify(text));
  }
  assert.deepEqual(await light("\ufeff{}").json(), {});
});

Deno.test("A LightResponse of JSON has its type, and the caller's if there is one", async () => {
  for (const init of [undefined, { status: 201 }, { headers: { "content-type": "application/problem+json" } }]) {
    assert.deepEqual(await sent(LightResponse.json({ a: 1 }, init)), await sent(Response.json({ a: 1 }, init)));
  }
  assert.throws(() => LightResponse.json(undefined), TypeError);
});

Deno.test("A LightResponse and a native one are instances of both classes", () => {
  class Own extends (LightResponse as unknown as typeof Response) {}
  assert.ok(light() instanceof Response);
  assert.ok(native() instanceof LightResponse);
  assert.ok(new Own("words") instanceof Own);
  assert.ok(!(native() instanceof Own));
  assert.equal(light().constructor, LightResponse);
  assert.equal(LightResponse.redirect("http://localhost/").status, 302);
  assert.equal(LightResponse.error().type, "error");
});

Deno.test("The head of a LightResponse is known if it says its type alone", () => {
  const cases: readonly [given: Arguments, isKnown: boolean][] = [
    [["words"], true],
    [["words", { headers: { "Content-Type": "text/css" } }], true],
    [["words", { status: 200, headers: [["content-type", "text/css"]] }], true],
    [["words", { headers: { "content-type": "text/css", a: "1" } }], false],
    [["words", { status: 201 }], false],
    // A head that is known has the usual words.
    [["words", { statusText: "Fine" }], false],
  ];
  for (const [given, isKnown] of cases) {
    assert.equal(readAnswer(light(...given)).block !== null, isKnown, JSON.stringify(given[1]));
  }
});
