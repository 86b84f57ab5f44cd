// Which answers are compressed, in which coding, and what their fields say then.

import assert from "node:assert/strict";
import type { Answer } from "../../src/wire/answer.ts";
import { chooseCoding, codedFields, isCompressible } from "../../src/wire/content_coding.ts";

const ALL = ["br", "zstd", "gzip"] as const;
const LONG = "x".repeat(64);

const CHOICES: [accept: string | null, expected: string | null][] = [
  [null, null],
  ["", null],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["gzip, deflate, br", "br"],
  ["gzip, deflate, br, zstd", "br"],
  ["zstd, gzip", "zstd"],
  ["*", "br"],
  ["*;q=0", null],
  ["gzip, *;q=0", "gzip"],
  ["*, br;q=0", "zstd"],
  ["br;q=0.5, gzip;q=0.8", "gzip"],
  ["br;q=0, gzip;q=0", null],
  ["gzip;q=0.5, identity", null],
  ["gzip;q=0.5, identity;q=0.5", "gzip"],
  ["identity", null],
  ["deflate, compress", null],
  ["gzip ; q=1.0", "gzip"],
  ["gzip;q=7, br;q=nonsense", null],
];

Deno.test("The coding with the highest weight is chosen, and among equals the best", () => {
  for (const [accept, expected] of CHOICES) assert.equal(chooseCoding(accept, ALL), expected, `${accept}`);
  assert.equal(chooseCoding("br, zstd", ["gzip"]), null);
});

function answer(type: string, more: Partial<Answer> = {}, fields: [string, string][] = []): Answer {
  return { status: 200, reason: "", body: LONG, ...more, fields: [["Content-Type", type], ...fields] };
}

Deno.test("Text of some length is compressed, and nothing that must not be changed", () => {
  const types = ["text/html", "text/plain;charset=UTF-8", "text/event-stream", "application/json", "image/svg+xml"];
  for (const type of [...types, "application/problem+json", "application/javascript", "application/wasm"]) {
    assert.equal(isCompressible(answer(type)), true, type);
  }
  for (const type of ["image/png", "video/mp4", "application/zip", "application/octet-stream", "font/woff2", ""]) {
    assert.equal(isCompressible(answer(type)), false, type);
  }
  for (const status of [101, 204, 205, 206, 304]) assert.equal(isCompressible(answer("text/html", { status })), false);
  assert.equal(isCompressible(answer("text/html", { status: 404 })), true);
  assert.equal(isCompressible(answer("text/html", { body: null })), false);
  assert.equal(isCompressible(answer("text/html", { body: LONG.slice(1) })), false);
  assert.equal(isCompressible({ ...answer("text/html"), fields: [] }), false);
  const refused: [string, string][] = [
    ["Content-Encoding", "gzip"],
    ["content-range", "bytes 0-9/100"],
    ["cache-control", "public, No-Transform"],
    ["content-length", "63"],
    ["Content-Digest", "sha-256=:x48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"],
    ["repr-digest", "sha-256=:x48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"],
    ["digest", "sha-256=x48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="],
    ["content-md5", "Q2hlY2sgSW50ZWdyaXR5IQ=="],
  ];
  for (const field of refused) assert.equal(isCompressible(answer("text/html", {}, [field])), false, field[0]);
  for (const field of [["cache-control", "no-store"], ["content-length", "64"]] as [string, string][]) {
    assert.equal(isCompressible(answer("text/html", {}, [field])), true, field[1]);
  }
});

Deno.test("The fields of a compressed answer have no length, a weak tag, the coding and Vary", () => {
  const fields: [string, string][] = [["Content-Length", "64"], ["ETag", '"a"'], ["x", "y"]];
  assert.deepEqual(codedFields(fields, "br"), [
    ["ETag", 'W/"a"'],
    ["x", "y"],
    ["vary", "accept-encoding"],
    ["content-encoding", "br"],
  ]);
  assert.deepEqual(codedFields(fields, null), [...fields, ["vary", "accept-encoding"]]);
  assert.deepEqual(codedFields([["etag", 'W/"a"']], "gzip")[0], ["etag", 'W/"a"']);
  for (const vary of ["*", "Accept-Encoding", "origin, accept-encoding"]) {
    assert.deepEqual(codedFields([["Vary", vary]], null), [["Vary", vary]]);
  }
  assert.deepEqual(codedFields([["Vary", "origin"]], null), [["Vary", "origin"], ["vary", "accept-encoding"]]);
});
