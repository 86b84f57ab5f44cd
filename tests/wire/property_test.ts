// What holds for any request and for any bytes.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { writeHead } from "../../src/wire/answer.ts";
import { FIELD_VALUE, TARGET, TOKEN } from "../../src/wire/octets.ts";
import { itemAt } from "../helpers/items.ts";
import { byteByByte, decodeLatin1, latin1, LIMITS, NEXT_REQUEST, readAll, type SeenRequest } from "../helpers/wire.ts";

/** Enough to meet each rule many times, few enough for all properties to take seconds. */
const RUNS = { numRuns: 2000 };

/** Fields that decide something; the models below say of each what it decides. */
const DECIDING = ["host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"];

const token = textOf(TOKEN, { minLength: 1, maxLength: 12 });
const fieldName = token.filter((name) => !DECIDING.includes(name.toLowerCase()));
const fieldValue = textOf(FIELD_VALUE, { maxLength: 24 }).map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ""));
const blanks = fc.string({ unit: fc.constantFrom(" ", "\t"), maxLength: 3 });
const target = textOf(TARGET, { maxLength: 40 }).map((rest) => "/" + rest);
const host = fc.constantFrom("a.example", "A.Example:8080", "127.0.0.1", "[::1]:81", "my_host", "a:");
const data = fc.uint8Array({ maxLength: 40 }).map((bytes) => decodeLatin1(bytes));
const line = fc.record({ name: fieldName, before: blanks, value: fieldValue, after: blanks });
const extension = fc.oneof(
  token.map((name) => `;${name}`),
  fc.tuple(token, token).map(([name, value]) => `;${name}=${value}`),
  fc.tuple(token, textOf(FIELD_VALUE, { maxLength: 12 })).map(([name, value]) =>
    `;${name}="${value.replace(/["\\]/g, "\\$&")}"`
  ),
);
const extensions = fc.array(extension, { maxLength: 2 }).map((all) => all.join(""));
const chunk = fc.record({
  data: data.filter((text) => text !== ""),
  zeros: fc.nat({ max: 20 }),
  isUpper: fc.boolean(),
  extensions,
});
const body = fc.oneof(
  fc.constant({ kind: "none" as const }),
  fc.record({ kind: fc.constant("length" as const), data: data.filter((text) => text !== "") }),
  fc.record({
    kind: fc.constant("chunked" as const),
    chunks: fc.array(chunk, { maxLength: 4 }),
    last: extensions,
    trailers: fc.array(line, { maxLength: 3 }),
  }),
);

interface Line {
  name: string;
  before: string;
  value: string;
  after: string;
}

/** A request as it goes over the wire, and what must be seen of it. */
interface Sent {
  wire: string;
  seen: SeenRequest;
}

const request: fc.Arbitrary<Sent> = fc.record({
  emptyLines: fc.nat({ max: 2 }),
  method: token.filter((method) => !/^(?:connect|trace|track|get|head|post|put|delete|options)$/i.test(method)),
  target,
  host,
  body,
  lines: fc.array(line, { maxLength: 5 }),
  close: fc.boolean(),
}).map((model) => {
  const framing = linesOf(model.body);
  if (model.close) framing.push({ name: "Connection", before: " ", value: "close", after: "" });
  const lines = [{ name: "HOST", before: " ", value: model.host, after: "" }, ...model.lines, ...framing];
  const head = `${model.method} ${model.target} HTTP/1.1\r\n${written(lines)}\r\n`;
  return {
    wire: "\r\n".repeat(model.emptyLines) + head + encoded(model.body),
    seen: {
      method: model.method,
      target: model.target,
      form: "origin",
      minor: 1,
      host: model.host,
      framing: model.body.kind === "length"
        ? { kind: "length", length: model.body.data.length }
        : { kind: model.body.kind },
      keepAlive: !model.close,
      expectsContinue: false,
      upgrade: null,
      fields: lines.map(({ name, value }) => [name.toLowerCase(), value]),
      body: plain(model.body),
    },
  };
});

type Body = typeof body extends fc.Arbitrary<infer T> ? T : never;

function linesOf(body: Body): Line[] {
  if (body.kind === "none") return [];
  if (body.kind === "length") {
    return [{ name: "content-Length", before: "", value: String(body.data.length), after: " " }];
  }
  return [{ name: "Transfer-Encoding", before: "\t", value: "Chunked", after: "" }];
}

function written(lines: Line[]): string {
  return lines.map(({ name, before, value, after }) => `${name}:${before}${value}${after}\r\n`).join("");
}

function encoded(body: Body): string {
  if (body.kind === "none") return "";
  if (body.kind === "length") return body.data;
  const chunks = body.chunks.map(({ data, zeros, isUpper, extensions }) => {
    const size = "0".repeat(zeros) + data.length.toString(16);
    return `${isUpper ? size.toUpperCase() : size}${extensions}\r\n${data}\r\n`;
  });
  return `${chunks.join("")}0${body.last}\r\n${written(body.trailers)}\r\n`;
}

function plain(body: Body): string {
  if (body.kind === "none") return "";
  return body.kind === "length" ? body.data : body.chunks.map((chunk) => chunk.data).join("");
}

function textOf(table: Uint8Array, length: fc.StringConstraints): fc.Arbitrary<string> {
  const letters = Array.from(table, (may, octet) => may === 1 ? String.fromCharCode(octet) : "").filter(Boolean);
  return fc.string({ unit: fc.constantFrom(...letters), ...length });
}

/** Cuts bytes at places that are given as parts of the whole. */
function cut(bytes: Uint8Array, parts: number[]): Uint8Array[] {
  const places = parts.map((part) => Math.floor(part * bytes.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

/** However bytes come, they give the same; readAll itself fails on any other error and on a reader without rest. */
function sameInPieces(bytes: Uint8Array, parts: number[]): void {
  const whole = readAll([bytes]);
  assert.deepEqual(readAll(cut(bytes, parts)), whole);
  assert.deepEqual(readAll(byteByByte(bytes)), whole);
  assert.notEqual(whole.closed, whole.fault !== null);
}

Deno.test("Any requests, written and then read in any pieces, are the same requests", () => {
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 3 }), cuts, (requests, parts) => {
      const bytes = latin1(requests.map((one) => one.wire).join(""));
      const expected = { requests: requests.map((one) => one.seen), begun: null, fault: null, closed: true };
      for (const pieces of [[bytes], cut(bytes, parts), byteByByte(bytes)]) {
        assert.deepEqual(readAll(pieces), expected);
      }
    }),
    RUNS,
  );
});

Deno.test("Any bytes are read to an end or refused, the same in any pieces", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), cuts, sameInPieces), RUNS);
});

const marks = fc.constantFrom(
  "\r",
  "\n",
  "\r\n",
  " ",
  "\t",
  ":",
  ";",
  "=",
  '"',
  ",",
  "\0",
  "\x7f",
  "\x80",
  "0",
  "a",
  "/",
);
const piece = fc.oneof(
  marks,
  fc.constantFrom(..."GET ,POST ,/ ,HTTP/1.1,HTTP/1.0,host: a\r\n,content-length: 5\r\n,0\r\n\r\n".split(",")),
  fc.constantFrom("transfer-encoding: chunked\r\n", "connection: close\r\n", "expect: 100-continue\r\n"),
);

Deno.test("Any words of the protocol in any order are read to an end or refused, the same in any pieces", () => {
  const salad = fc.array(piece, { maxLength: 30 }).map((pieces) => latin1(pieces.join("")));
  fc.assert(fc.property(salad, cuts, sameInPieces), RUNS);
});

const change = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  removes: fc.nat({ max: 3 }),
  puts: fc.oneof(fc.constant(""), piece),
});

Deno.test("Any damage to a request leaves it read to an end or refused, the same in any pieces", () => {
  fc.assert(
    fc.property(request, fc.array(change, { minLength: 1, maxLength: 4 }), cuts, ({ wire }, changes, parts) => {
      let text = wire + NEXT_REQUEST;
      for (const { at, removes, puts } of changes) {
        const place = Math.floor(at * text.length);
        text = text.slice(0, place) + puts + text.slice(place + removes);
      }
      sameInPieces(latin1(text), parts);
    }),
    RUNS,
  );
});

Deno.test("Small limits refuse what is over them, the same in any pieces", () => {
  fc.assert(
    fc.property(request, fc.integer({ min: 1, max: 200 }), cuts, ({ wire }, maxHeadBytes, parts) => {
      const bytes = latin1(wire);
      const limits = { ...LIMITS, maxHeadBytes };
      const whole = readAll([bytes], limits);
      assert.deepEqual(readAll(cut(bytes, parts), limits), whole);
      assert.deepEqual(readAll(byteByByte(bytes), limits), whole);
      const start = wire.search(/[^\r\n]/);
      const headBytes = wire.indexOf("\r\n\r\n", start) + 4;
      if (headBytes > maxHeadBytes) assert.deepEqual(whole.fault, tooLarge(wire, start, maxHeadBytes));
    }),
    RUNS,
  );
});

/** Which refusal a head gets whose limit lies before, in or after its request line. */
function tooLarge(wire: string, start: number, maxHeadBytes: number): { code: string; status: number } {
  if (maxHeadBytes > wire.indexOf("\r\n", start) + 1 || maxHeadBytes <= start) {
    return { code: "head-too-large", status: 431 };
  }
  return maxHeadBytes > wire.indexOf(" ", start)
    ? { code: "target-too-long", status: 414 }
    : { code: "not-implemented", status: 501 };
}

Deno.test("Any target is accepted if it is UTF-8, and comes percent-encoded", () => {
  const octets = fc.oneof(
    fc.uint8Array({ min: 0x80, max: 0xff, maxLength: 6 }),
    fc.string({ unit: "grapheme", maxLength: 6 }).map((text) =>
      new TextEncoder().encode(text.replace(/[\0-#\x7f]/g, ""))
    ),
  );
  fc.assert(
    fc.property(octets, cuts, (bytes, parts) => {
      const raw = latin1(`GET /${decodeLatin1(bytes)} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
      const { requests, fault } = readAll(cut(raw, parts));
      let text: string;
      try {
        text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
      } catch {
        assert.deepEqual(fault, { code: "bad-target", status: 400 });
        return;
      }
      assert.equal(fault, null);
      const expected = new URL(`http://a.example/${text}`);
      assert.equal(new URL(`http://a.example${itemAt(requests, 0).target}`).href, expected.href);
      assert.match(itemAt(requests, 0).target, /^[!-~]+$/);
    }),
    RUNS,
  );
});

Deno.test("Any field of an answer is sent as one line or not at all", () => {
  const anything = fc.string({
    unit: fc.oneof(fc.constantFrom("a", ":", " ", "\r", "\n", "\0"), fc.string()),
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.oneof(token, anything), anything, anything, (name, value, reason) => {
      const answer = { status: 200, reason, fields: [[name, value]] as const, body: null, block: null };
      const terms = { framing: { kind: "none" }, minor: 1, keepAlive: true, date: "now" } as const;
      try {
        const lines = writeHead(answer, terms).split(/[\r\n]+/);
        assert.ok(lines.length <= 4, lines.join("|"));
      } catch (error) {
        assert.ok(error instanceof TypeError);
      }
    }),
    RUNS,
  );
});
