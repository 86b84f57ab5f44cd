// Knows: what the head of a part says, in the spellings of many clients, and what is no head.

import assert from "node:assert/strict";
import { boundaryOf, readPartHead } from "../../src/uploads/part_head.ts";

function readText(...lines: string[]) {
  return readPartHead(new TextEncoder().encode(lines.join("\r\n")));
}

/** A disposition's parameters, the field and the name that come of them. */
const DISPOSITIONS: [parameters: string, field: string, name: string | null][] = [
  ['name="a"', "a", null],
  ["name=a", "a", null],
  ['name=""', "", null],
  ['name="a b;c=d"', "a b;c=d", null],
  ['NAME="a" ; FileName="b.txt"', "a", "b.txt"],
  ['name="a";filename="b.txt";', "a", "b.txt"],
  ["name=a; filename=b.txt", "a", "b.txt"],
  ['name="日本"; filename="日本.txt"', "日本", "日本.txt"],
  ['name="say %22hi%22%0D%0A"; filename="a%22b.txt"', 'say "hi"\r\n', "a_b.txt"],
  ['name="say \\"hi\\""; filename="a\\"b\\\\c.txt"', 'say "hi"', "c.txt"],
  ['name="100%41"; filename="100%41.txt"', "100%41", "100%41.txt"],
  ['name="a"; filename="C:\\temp\\new.txt"', "a", "new.txt"],
  ['name="a"; filename="x.txt"; filename*=UTF-8\'\'%e2%82%ac%20rates.txt', "a", "€ rates.txt"],
  ["name=a; filename*=utf-8'en'a%2Fb%2F..%2Fc.txt", "a", "c.txt"],
  ["name=a; filename*=iso-8859-1''%a3.txt", "a", "£.txt"],
  ["name=a; filename=plain.txt; filename*=koi8-r''%c1.txt", "a", "plain.txt"],
  ["name=a; filename=plain.txt; filename*=utf-8''%zz", "a", "plain.txt"],
  ["name=a; filename=plain.txt; filename*=utf-8''%e2", "a", "_"],
];

Deno.test("A part says which field it belongs to, and what its file is called", () => {
  for (const [parameters, field, name] of DISPOSITIONS) {
    const head = readText(`Content-Disposition: form-data; ${parameters}`);
    assert.deepEqual([head.field, head.name], [field, name], parameters);
  }
});

Deno.test("A name that is no UTF-8 is read as far as it goes", () => {
  const bytes = Uint8Array.from(
    'Content-Disposition: form-data; name="a"; filename="caf\xe9.txt"',
    (c) => c.charCodeAt(0),
  );
  assert.equal(readPartHead(bytes).name, "caf_.txt");
});

Deno.test("A part says its type, in lower case and without parameters; what is none is octets", () => {
  const types = [
    ["Content-Type: Text/Plain; charset=UTF-8", "text/plain"],
    ["content-type:image/svg+xml", "image/svg+xml"],
    ["Content-Type: <script>", "application/octet-stream"],
    ["Content-Type:", "application/octet-stream"],
    ["X-Other: text/plain", "application/octet-stream"],
  ];
  for (const [line, type] of types) {
    assert.equal(readText(line, 'Content-Disposition: form-data; name="a"; filename="b"').type, type);
  }
});

Deno.test("A line of a head may go on in the next", () => {
  assert.equal(readText("Content-Disposition: form-data;", ' name="a";', '\tfilename="b.txt"').name, "b.txt");
});

Deno.test("What could be read in two ways, or is no head, is refused", () => {
  const heads = [
    [""],
    ["Content-Type: text/plain"],
    ["Content-Disposition: attachment; name=a"],
    ["Content-Disposition: form-data"],
    ["Content-Disposition: form-data; filename=b"],
    ["Content-Disposition: form-data; name=a; name=b"],
    ['Content-Disposition: form-data; name="a'],
    ['Content-Disposition: form-data; name="a" filename="b"'],
    ["Content-Disposition: form-data; name"],
    ["Content-Disposition: form-data; name=a", "Content-Disposition: form-data; name=b"],
    ["Content-Disposition: form-data; name=a", "Content-Type: a/b", "Content-Type: a/c"],
    ["Content-Disposition: form-data; name=a", "no field"],
    ["Content-Disposition: form-data; name=a", ": x"],
    ["Content-Disposition: form-data; name=a\nContent-Type: a/b"],
    ["Content-Disposition: form-data; name=a", "Content-Transfer-Encoding: base64"],
  ];
  for (const lines of heads) {
    assert.throws(() => readText(...lines), { name: "UploadError", code: "bad-part", status: 400 }, lines.join("|"));
  }
});

Deno.test("The boundary is read out of the request's type", () => {
  const types = [
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b:c=d"', "a b:c=d"],
    ["multipart/form-data;boundary=----WebKitFormBoundaryA1", "----WebKitFormBoundaryA1"],
    [`multipart/form-data; boundary=${"x".repeat(70)}`, "x".repeat(70)],
  ];
  for (const [type, boundary] of types) assert.equal(boundaryOf(type), boundary);
});

Deno.test("A type that is no form with files is 415, one without a boundary is 400", () => {
  for (const type of [null, "", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=a"]) {
    assert.throws(() => boundaryOf(type), { name: "UploadError", code: "not-multipart", status: 415 }, `${type}`);
  }
  for (
    const parameters of [
      "",
      "; boundary",
      "; boundary=",
      `; boundary=${"x".repeat(71)}`,
      '; boundary="a "',
      "; boundary=é",
    ]
  ) {
    const type = `multipart/form-data${parameters}`;
    assert.throws(() => boundaryOf(type), { name: "UploadError", code: "bad-boundary", status: 400 }, type);
  }
  assert.throws(() => boundaryOf("multipart/form-data; boundary=a; boundary=b"), { code: "bad-boundary" });
});
