// What stands in a response's head, what never does, and how its body's end is told.

import assert from "node:assert/strict";
import {
  type Answer,
  type AnswerFraming,
  frameAnswer,
  type HeadTerms,
  readFields,
  writeHead,
  writeInterim,
} from "../../src/wire/answer.ts";
import { reasonOf } from "../../src/wire/reasons.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const NONE: AnswerFraming = { kind: "none" };

function answer(status: number, ...fields: [string, string][]): Answer {
  return { status, reason: "", fields, body: null, block: null };
}

function write(what: Answer, terms: Partial<HeadTerms> = {}): string[] {
  const head = writeHead(what, {
    framing: { kind: "length", length: 0 },
    minor: 1,
    keepAlive: true,
    date: DATE,
    ...terms,
  });
  assert.ok(head.endsWith("\r\n\r\n"));
  return head.slice(0, -4).split("\r\n");
}

Deno.test("A head has its status line, the fields as given, a date, and the length", () => {
  assert.deepEqual(write(answer(200, ["X-One", "1"], ["x-two", "a, b"]), { framing: { kind: "length", length: 5 } }), [
    "HTTP/1.1 200 OK",
    "X-One: 1",
    "x-two: a, b",
    `date: ${DATE}`,
    "content-length: 5",
  ]);
});

Deno.test("Repeated fields stay apart and in order", () => {
  const lines = write(answer(200, ["set-cookie", "a=1"], ["x", ""], ["set-cookie", "b=2"]));
  assert.deepEqual(lines.slice(1, 4), ["set-cookie: a=1", "x: ", "set-cookie: b=2"]);
});

Deno.test("The status line is HTTP/1.1 for a client of HTTP/1.0 too (RFC 9110, section 6.2)", () => {
  assert.equal(write(answer(404), { minor: 0 })[0], "HTTP/1.1 404 Not Found");
});

Deno.test("A reason of the application's own is sent, and a status without one has its space", () => {
  assert.equal(write({ ...answer(200), reason: "Fine" })[0], "HTTP/1.1 200 Fine");
  assert.equal(write(answer(299))[0], "HTTP/1.1 299 ");
  assert.equal(reasonOf(503), "Service Unavailable");
  assert.equal(reasonOf(299), "");
});

Deno.test("An application's date is sent in place of the connection's", () => {
  const lines = write(answer(200, ["Date", "then"], ["etag", "1"], ["upgrade", "a"]));
  assert.deepEqual(lines.filter((line) => /^date:/i.test(line)), ["Date: then"]);
});

Deno.test("A field with as many letters as date is no date", () => {
  assert.ok(write(answer(200, ["etag", '"1"'])).includes(`date: ${DATE}`));
});

Deno.test("Chunks are told by Transfer-Encoding, a body up to the close by nothing", () => {
  assert.ok(write(answer(200), { framing: { kind: "chunked" } }).includes("transfer-encoding: chunked"));
  const lines = write(answer(200), { framing: { kind: "close" }, keepAlive: false });
  assert.deepEqual(lines, ["HTTP/1.1 200 OK", `date: ${DATE}`, "connection: close"]);
});

Deno.test("The last answer says close, an answer to HTTP/1.0 that is not the last says keep-alive", () => {
  const connection = (terms: Partial<HeadTerms>) =>
    write(answer(200), terms).filter((line) => /^connection/.test(line));
  assert.deepEqual(connection({ minor: 1, keepAlive: true }), []);
  assert.deepEqual(connection({ minor: 1, keepAlive: false }), ["connection: close"]);
  assert.deepEqual(connection({ minor: 0, keepAlive: true }), ["connection: keep-alive"]);
  assert.deepEqual(connection({ minor: 0, keepAlive: false }), ["connection: close"]);
});

Deno.test("Framing and the connection's life are not the application's to tell", () => {
  const own: [string, string][] = [
    ["Connection", "keep-alive"],
    ["Keep-Alive", "timeout=5"],
    ["Transfer-Encoding", "gzip"],
    ["Content-Length", "99"],
  ];
  assert.deepEqual(write(answer(200, ...own), { framing: { kind: "length", length: 5 } }), [
    "HTTP/1.1 200 OK",
    `date: ${DATE}`,
    "content-length: 5",
  ]);
  assert.deepEqual(write(answer(200, ...own), { framing: { kind: "chunked" } }), [
    "HTTP/1.1 200 OK",
    `date: ${DATE}`,
    "transfer-encoding: chunked",
  ]);
});

Deno.test("Fields with as many letters as those are sent", () => {
  const others: [string, string][] = [["set-cookie", "a"], ["accept-ranges-", "b"], ["x-transfer-encodi", "c"]];
  const lines = write(answer(200, ...others)).slice(1, 4);
  assert.deepEqual(lines, ["set-cookie: a", "accept-ranges-: b", "x-transfer-encodi: c"]);
});

Deno.test("A head without a body may tell the body's length for HEAD and 304 (RFC 9110, section 8.6)", () => {
  for (const status of [200, 304]) {
    const lines = write(answer(status, ["Content-Length", "99"]), { framing: NONE });
    assert.ok(lines.includes("Content-Length: 99"), `${status}`);
  }
});

Deno.test("204 and 101 never have a length or a coding (RFC 9110, section 8.6; RFC 9112, section 6.1)", () => {
  for (const status of [204, 101]) {
    const lines = write(answer(status, ["Content-Length", "0"], ["Transfer-Encoding", "chunked"]), { framing: NONE });
    assert.equal(lines.length, 2, lines.join("|"));
  }
});

Deno.test("101 has the application's connection options and no others", () => {
  const fields: [string, string][] = [["Upgrade", "websocket"], ["Connection", "Upgrade"]];
  for (const keepAlive of [true, false]) {
    const lines = write(answer(101, ...fields), { framing: NONE, keepAlive });
    assert.deepEqual(lines.slice(0, 3), [
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
    ]);
    assert.equal(lines.length, 4);
  }
});

Deno.test("An answer that offers an upgrade has the connection option for it (RFC 9110, section 7.8)", () => {
  const fields: [string, string][] = [["Upgrade", "TLS/1.3"], ["Connection", "Upgrade"]];
  const connection = (keepAlive: boolean) =>
    write(answer(426, ...fields), { keepAlive }).filter((line) => /^connection/i.test(line));
  assert.deepEqual(connection(true), ["connection: upgrade"]);
  assert.deepEqual(connection(false), ["connection: upgrade", "connection: close"]);
});

Deno.test("A value or a reason with CR, LF, NUL or a character past U+00FF is an error, never sent", () => {
  for (const letter of ["\r", "\n", "\0", "\u0100", "\u20ac", "\u2028", "\ud83d\ude00", "\uffff"]) {
    assert.throws(() => write(answer(200, ["x", `a${letter}b`])), TypeError, JSON.stringify(letter));
    assert.throws(() => write(answer(200, ["date", letter])), TypeError);
    assert.throws(() => write({ ...answer(200), reason: `a${letter}b` }), TypeError);
    assert.throws(() => write(answer(200, [`x${letter}`, "a"])), TypeError);
  }
  assert.throws(() => write(answer(200, ["x", "a\r\nset-cookie: b"])), /"a\\r\\nset-cookie: b"/);
});

Deno.test("A value may have tabs and every character from space to U+00FF", () => {
  const value = "\t" + Array.from({ length: 224 }, (_, i) => String.fromCharCode(32 + i)).join("");
  assert.equal(write(answer(200, ["x", value]))[1], `x: ${value}`);
});

Deno.test("A name that is no token is an error, never sent", () => {
  for (const name of ["", " ", "a b", "a:", ":", "a\t", "a\r\nb", "a(b)", "\xe9", "a/b", '"a"', "a,b", "@"]) {
    assert.throws(() => write(answer(200, [name, "x"])), TypeError, JSON.stringify(name));
  }
  assert.equal(write(answer(200, ["!#$%&'*+-.^_`|~09aZ", "x"]))[1], "!#$%&'*+-.^_`|~09aZ: x");
});

Deno.test("A body that can be measured has its length, for HEAD too", () => {
  for (const method of ["GET", "HEAD", "POST"]) {
    for (const minor of [0, 1] as const) {
      assert.deepEqual(frameAnswer(answer(200), { method, minor }, 7), { kind: "length", length: 7 });
      assert.deepEqual(frameAnswer(answer(200), { method, minor }, 0), { kind: "length", length: 0 });
    }
  }
});

Deno.test("A body that cannot be measured comes in chunks, in HTTP/1.0 up to the close, for HEAD not at all", () => {
  assert.deepEqual(frameAnswer(answer(200), { method: "GET", minor: 1 }, -1), { kind: "chunked" });
  assert.deepEqual(frameAnswer(answer(200), { method: "GET", minor: 0 }, -1), { kind: "close" });
  assert.deepEqual(frameAnswer(answer(200), { method: "HEAD", minor: 1 }, -1), NONE);
  assert.deepEqual(frameAnswer(answer(200), { method: "HEAD", minor: 0 }, -1), NONE);
});

Deno.test("101, 204 and 304 have no body whatever was given (RFC 9112, section 6.3)", () => {
  for (const status of [101, 204, 304]) {
    for (const length of [-1, 0, 7]) {
      assert.deepEqual(frameAnswer(answer(status), { method: "GET", minor: 1 }, length), NONE);
    }
  }
});

Deno.test("The application's own length is read in any case, and none is -1", () => {
  assert.equal(readFields(answer(200)).contentLength, -1);
  assert.equal(readFields(answer(200, ["Content-LENGTH", "12"])).contentLength, 12);
  assert.equal(readFields(answer(200, ["content-lengti", "12"])).contentLength, -1);
});

Deno.test("A length that is no number is the application's error", () => {
  for (const value of ["", "x", "-1", "+1", "1.5", "1 ", "1, 1", "0x1", "1e3", "1\n", "9".repeat(16)]) {
    assert.throws(() => readFields(answer(200, ["content-length", value])), TypeError, JSON.stringify(value));
  }
});

Deno.test("The application may ask for the connection to end", () => {
  const close = (...values: string[]) =>
    readFields(answer(200, ...values.map((value) => ["Connection", value] as [string, string]))).close;
  for (const value of ["close", "Close", "keep-alive, close", "close ,x", " close\t"]) {
    assert.equal(close(value), true, value);
  }
  for (const value of ["", "keep-alive", "closed", "not-close", "close-x"]) assert.equal(close(value), false, value);
  assert.equal(close("close", "keep-alive"), true);
  assert.equal(close(), false);
});

Deno.test("An interim response is a status line and an empty line", () => {
  assert.equal(writeInterim(100), "HTTP/1.1 100 Continue\r\n\r\n");
  assert.equal(writeInterim(103), "HTTP/1.1 103 Early Hints\r\n\r\n");
});
