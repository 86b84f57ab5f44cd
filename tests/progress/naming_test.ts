// How a request names an upload, and which ids fit.

import assert from "node:assert/strict";
import { idIn, isUpload } from "../../src/progress/naming.ts";
import { isUploadId, showBadId } from "../../src/progress/progress.ts";
import { headOf } from "../helpers/incoming.ts";

Deno.test("An upload is named by either name in the query, or by the header", () => {
  const cases: [target: string, header: string | null, id: string | null][] = [
    ["/a?progress_id=one", null, "one"],
    ["/a?x=1&progress_id=one&y=2", null, "one"],
    ["/a?X-Progress-ID=two", null, "two"],
    ["http://host/a?progress_id=one", null, "one"],
    ["/a", "three", "three"],
    ["/a?x=1", "three", "three"],
    ["/progress_id=one", null, null],
    ["/progress?x=1", "three", "three"],
    ["/a?progress_id=one&X-Progress-ID=two", "three", "one"],
    ["/a?X-Progress-ID=two", "three", "two"],
    ["/a?progress_id=first&progress_id=second", null, "first"],
    ["/a?progress_id=", null, ""],
    ["/a?progress_idx=one", null, null],
    ["/a?progress_id=%41bc", null, "Abc"],
    ["/a", null, null],
    ["*", null, null],
  ];
  for (const [target, header, id] of cases) assert.equal(idIn(target, header), id, `${target} ${header}`);
});

Deno.test("An id has 8 to 64 letters, digits, hyphens and underscores", () => {
  for (const id of ["abcdefgh", "A-Z_0-9_", "x".repeat(64), crypto.randomUUID()]) assert.ok(isUploadId(id), id);
  for (
    const id of ["", "abcdefg", "x".repeat(65), "with space", "abcdefg.", "abcdefgh\n", "ümlaut-ümlaut", "one, two3"]
  ) {
    assert.ok(!isUploadId(id), JSON.stringify(id));
  }
});

Deno.test("A wrong id is shown again, but not all of a long one", () => {
  assert.equal(showBadId("short"), 'expected an id of 8 to 64 characters (A-Z a-z 0-9 - _), got "short"');
  assert.match(showBadId("y".repeat(5_000)), /y{80}" and 4920 more characters$/);
});

Deno.test("What has a body is an upload, and so is an empty file", () => {
  const is = (line: string, fields = "") => isUpload(headOf(`${line} HTTP/1.1\r\nhost: a\r\n${fields}\r\n`));
  assert.equal(is("POST /", "content-length: 1\r\n"), true);
  assert.equal(is("PUT /", "transfer-encoding: chunked\r\n"), true);
  assert.equal(is("DELETE /", "content-length: 1\r\n"), true);
  assert.equal(is("GET /", "content-length: 1\r\n"), true);
  for (const method of ["POST", "PUT", "PATCH"]) assert.equal(is(`${method} /`, "content-length: 0\r\n"), true);
  for (const method of ["GET", "HEAD", "OPTIONS", "DELETE"]) assert.equal(is(`${method} /`), false);
});
