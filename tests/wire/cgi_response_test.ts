// What the head of a CGI response becomes: whole, byte by byte and with a body that follows; and what is refused.

import assert from "node:assert/strict";
import { CgiError, type CgiHead, CgiHeadReader } from "../../src/wire/cgi_response.ts";
import { decodeLatin1, latin1 } from "../helpers/wire.ts";

function read(text: string, { step = text.length, maxBytes = 1000 } = {}): { head: CgiHead; rest: string } {
  const reader = new CgiHeadReader(maxBytes, decodeLatin1);
  const bytes = latin1(text);
  for (let at = 0; at < bytes.length; at += step) {
    const bodyAt = reader.read(bytes, at, Math.min(at + step, bytes.length));
    if (bodyAt >= 0) return { head: reader.head(), rest: text.slice(bodyAt) };
  }
  throw new Error("the head goes on");
}

function head(status: number, ...fields: [string, string][]): CgiHead {
  return { status, reason: "", fields, contentLength: -1 };
}

const HEADS: [name: string, text: string, head: CgiHead][] = [
  ["a status", "Status: 404\r\n\r\n", head(404)],
  ["a status with its reason", "Status: 418 I'm a teapot\r\n\r\n", { ...head(418), reason: "I'm a teapot" }],
  ["no status", "Content-Type: text/html\r\n\r\n", head(200, ["Content-Type", "text/html"])],
  ["a Location only", "Location: /there\r\n\r\n", head(302, ["Location", "/there"])],
  ["a Location with a status", "Location: /new\r\nStatus: 201 Created\r\n\r\n", {
    ...head(201, ["Location", "/new"]),
    reason: "Created",
  }],
  ["many cookies, in their order", "Set-Cookie: a=1\nX: y\nset-cookie: b=2; Path=/\nSet-Cookie: c=3\n\n", {
    ...head(200, ["Set-Cookie", "a=1"], ["X", "y"], ["set-cookie", "b=2; Path=/"], ["Set-Cookie", "c=3"]),
  }],
  ["a length", "Content-Length: 12\n\n", { ...head(200, ["Content-Length", "12"]), contentLength: 12 }],
  ["a length twice", "Content-Length: 12\nContent-Length: 12\n\n", {
    ...head(200, ["Content-Length", "12"]),
    contentLength: 12,
  }],
  ["an empty field, and white space", "X-Empty:\nX-Wide: \t a b \t\nX-Tight:c\n\n", {
    ...head(200, ["X-Empty", ""], ["X-Wide", "a b"], ["X-Tight", "c"]),
  }],
  ["lines that end in both ways", "A: 1\r\nB: 2\nC: 3\r\n\n", head(200, ["A", "1"], ["B", "2"], ["C", "3"])],
  ["bytes above ASCII", "X: \xe4\xff\n\n", head(200, ["X", "\xe4\xff"])],
  [
    "fields that concern a connection of its own",
    "Connection: close\nKeep-Alive: 5\nTransfer-Encoding: chunked\nA: b\n\n",
    {
      ...head(200, ["A", "b"]),
    },
  ],
];

for (const [name, text, expected] of HEADS) {
  Deno.test(`A response with ${name} is read, whole and byte by byte`, () => {
    for (const body of ["", "\n\nbody"]) {
      for (const step of [text.length + body.length, 1, 2, 5]) {
        const { head, rest } = read(text + body, { step });
        assert.deepEqual(head, expected, `pieces of ${step}`);
        assert.equal(rest, body);
      }
    }
  });
}

const BROKEN: [name: string, text: string, message: RegExp][] = [
  ["nothing but an empty line", "\r\n", /has no field/],
  [
    "a status line of HTTP",
    "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
    /expected a field and its value, got "HTTP\/1.1 200 OK"/,
  ],
  ["a page without a head", "<html>\n\n", /got "<html>"/],
  ["a folded line", "A: b\r\n c\r\n\r\n", /got " c"/],
  ["a name with a space", "A b: c\r\n\r\n", /got "A b: c"/],
  ["a value with a carriage return", "A: b\rc\r\n\r\n", /control character/],
  ["a value with a NUL", "A: b\0c\r\n\r\n", /control character/],
  ["a status that is a word", "Status: OK\r\n\r\n", /expected a status from 200 to 599, got "OK"/],
  ["an interim status", "Status: 101 Switching\r\n\r\n", /from 200 to 599/],
  ["a status above 599", "Status: 999\r\n\r\n", /from 200 to 599/],
  ["two statuses", "Status: 200\r\nStatus: 404\r\n\r\n", /one field Status, got two/],
  ["a length that is a word", "Content-Length: many\r\n\r\n", /Content-Length of digits/],
  ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", /one Content-Length/],
];

for (const [name, text, message] of BROKEN) {
  Deno.test(`A response with ${name} is refused`, () => {
    for (const step of [text.length, 1]) {
      assert.throws(() => read(text, { step }), (error) => error instanceof CgiError && message.test(error.message));
    }
  });
}

Deno.test("A head may have as many bytes as the limit says, and not one more", () => {
  const text = `A: ${"x".repeat(93)}\r\n\r\n`;
  assert.equal(text.length, 100);
  for (const step of [200, 1]) {
    assert.equal(read(text + "body", { step, maxBytes: 100 }).rest, "body");
    assert.throws(() => read(text, { step, maxBytes: 99 }), CgiError);
  }
});

Deno.test("A head without an end is refused at the limit", () => {
  assert.throws(() => read("x".repeat(2000), { step: 64 }), /more than 1000 bytes/);
});
