// What the head of a part says, in the spellings of many clients, and what is no head.

import assert from "node:assert/strict";
import { boundaryOf, type PartHead, readPartHead } from "../../src/uploads/part_head.ts";
import { itemAt } from "../helpers/items.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What a head says that belongs to a field. */
function readText(...lines: string[]): PartHead {
  const head = read(lines);
  assert.notEqual(head, null, lines.join("|"));
  return head!;
}

function read(lines: string[], options: { strict?: boolean; within?: string } = {}): PartHead | null {
  const { strict = false, within = null } = options;
  return readPartHead(new TextEncoder().encode(lines.join("\r\n")), { strict, decoder, within });
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
  assert.equal(readPartHead(bytes, { strict: false, decoder, within: null })!.name, "caf_.txt");
  const latin1 = new TextDecoder("iso-8859-1");
  assert.equal(readPartHead(bytes, { strict: false, decoder: latin1, within: null })!.name, "café.txt");
});

Deno.test("A part says its type, in lower case and without parameters; what is none is octets", () => {
  const types = [
    ["Content-Type: Text/Plain; charset=UTF-8", "text/plain"],
    ["content-type:image/svg+xml", "image/svg+xml"],
    ["Content-Type: <script>", "application/octet-stream"],
    ["Content-Type:", "application/octet-stream"],
    ["X-Other: text/plain", "application/octet-stream"],
  ] as const;
  for (const [line, type] of types) {
    assert.equal(readText(line, 'Content-Disposition: form-data; name="a"; filename="b"').type, type);
  }
});

Deno.test("A line of a head may go on in the next", () => {
  assert.equal(readText("Content-Disposition: form-data;", ' name="a";', '\tfilename="b.txt"').name, "b.txt");
});

Deno.test("What could be read in two ways, or is no head, is refused", () => {
  const heads = [
    ["Content-Disposition: form-data"],
    ["Content-Disposition: form-data name=a"],
    ["Content-Disposition: =; name=a"],
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
    ["Content-Disposition: form-data; name=a", "Content-Transfer-Encoding: x-uuencode"],
    ["Content-Disposition: form-data; name=a", "Content-Transfer-Encoding: 8bit", "Content-Transfer-Encoding: base64"],
    ["Content-Disposition: form-data; name=a; filename*0=a; filename*1=.txt"],
    ["Content-Disposition: form-data; name=a; filename*0*=utf-8''a"],
    ["Content-Disposition: form-data; name=a", "Content-Type: multipart/mixed"],
    ["Content-Disposition: form-data; name=a", 'Content-Type: multipart/mixed; boundary="a '],
    [
      "Content-Disposition: form-data; name=a",
      "Content-Type: multipart/mixed; boundary=c",
      "Content-Transfer-Encoding: base64",
    ],
  ];
  for (const lines of heads) {
    for (const strict of [false, true]) {
      assert.throws(
        () => read(lines, { strict }),
        { name: "UploadError", code: "bad-part", status: 400 },
        lines.join("|"),
      );
    }
  }
});

/** Names with quotes as Internet Explorer and old Firefox sent them, and what comes of them. */
const QUOTED: [parameters: string, name: string][] = [
  [
    'name="a"; filename=" ? % * | " < > . ; \' @ # $ ^ & ( ) - _ = + { } [ ] ` ~.txt"',
    "_ % _ _ _ _ _ . ; ' @ # $ ^ & ( ) - _ = + { } [ ] ` ~.txt",
  ],
  ['name="a"; filename="say "hi".txt"', "say _hi_.txt"],
  ['name="a"; filename="say "hi""', "say _hi_"],
  ['filename="say "hi".txt"; name="a"', "say _hi_.txt"],
  ['filename="say "hi".txt" ; name=a; ', "say _hi_.txt"],
  ['name="a"; filename="C:\\temp\\say "hi".txt"', "say _hi_.txt"],
  ['name="a"; filename="one; two".txt"', "one; two_.txt"],
];

Deno.test("A quote inside the quotes of a file's name belongs to the name, unless it is strict", () => {
  for (const [parameters, name] of QUOTED) {
    const lines = [`Content-Disposition: form-data; ${parameters}`];
    const head = readText(...lines);
    assert.deepEqual([head.field, head.name], ["a", name], parameters);
    assert.throws(() => read(lines, { strict: true }), { code: "bad-part" }, parameters);
  }
  // The name of a field decides what its value means: it is never guessed.
  for (
    const parameters of [
      'name="a"b"',
      'name="a"b"; filename="c"',
      'name="a"; filename="b"c',
      'name=a; filename="b"c"; name=d',
    ]
  ) {
    assert.throws(() => readText(`Content-Disposition: form-data; ${parameters}`), { code: "bad-part" }, parameters);
  }
});

Deno.test("A part that belongs to no field is skipped, unless it is strict", () => {
  const heads = [
    [""],
    ["Content-Type: text/plain"],
    ["Content-Disposition:"],
    ["Content-Disposition: ", "Content-Type: text/plain"],
    ["Content-Disposition: attachment; name=a"],
    ["Content-Disposition: file; filename=a"],
  ];
  for (const lines of heads) {
    assert.equal(read(lines), null, lines.join("|"));
    assert.throws(() => read(lines, { strict: true }), {
      code: "bad-part",
      message: /has no content-disposition: form-data/,
    }, lines.join("|"));
  }
});

Deno.test("A part says how it is encoded; strict refuses what was encoded for mail", () => {
  const encodings: [value: string, encoding: string | null][] = [
    ["", null],
    ["7bit", null],
    ["8BIT ", null],
    ["binary", null],
    ["Base64", "base64"],
    ["quoted-printable", "quoted-printable"],
  ];
  for (const [value, encoding] of encodings) {
    const lines = ["Content-Disposition: form-data; name=a", `Content-Transfer-Encoding: ${value}`];
    assert.equal(readText(...lines).encoding, encoding, value);
    if (encoding === null) assert.equal(read(lines, { strict: true })!.encoding, null);
    else {
      assert.throws(() => read(lines, { strict: true }), {
        code: "bad-part",
        message: /is encoded for mail \("(base64|quoted-printable)"\); send its bytes as they are/,
      });
    }
  }
});

Deno.test("A part may hold several files, which do not name their field", () => {
  const mixed = ["Content-Disposition: form-data; name=a", 'Content-Type: Multipart/Mixed; boundary="c d"'];
  assert.equal(readText(...mixed).boundary, "c d");
  assert.throws(() => read(mixed, { strict: true }), { code: "bad-part", message: /each as a part of its own/ });
  assert.equal(readText('Content-Disposition: form-data; name=a; filename="b"', itemAt(mixed, 1)).boundary, null);
  for (const kind of ["file", "attachment", "form-data; name=b"]) {
    const head = read([`Content-Disposition: ${kind}; filename="c.txt"`], { within: "a" })!;
    assert.deepEqual([head.field, head.name], ["a", "c.txt"]);
  }
  assert.throws(() => read(mixed, { within: "a" }), { code: "bad-part" });
  assert.equal(read(["Content-Type: text/plain"], { within: "a" }), null);
});

Deno.test("A part may name its charset", () => {
  const charsets: [type: string, charset: string | null][] = [
    ["text/plain", null],
    ["text/plain; charset=ISO-8859-1", "ISO-8859-1"],
    ['text/plain; format=flowed; Charset="utf-8"', "utf-8"],
    ['text/plain; charset="a', null],
  ];
  for (const [type, charset] of charsets) {
    assert.equal(readText("Content-Disposition: form-data; name=a", `Content-Type: ${type}`).charset, charset, type);
  }
});

Deno.test("The boundary is read out of the request's type", () => {
  const types = [
    ["multipart/form-data; boundary=abc", "abc"],
    ['Multipart/Form-Data; charset=utf-8; boundary="a b:c=d"', "a b:c=d"],
    ["multipart/form-data;boundary=----WebKitFormBoundaryA1", "----WebKitFormBoundaryA1"],
    [`multipart/form-data; boundary=${"x".repeat(70)}`, "x".repeat(70)],
  ] as const;
  for (const [type, boundary] of types) assert.equal(boundaryOf(type, { strict: true }), boundary);
});

Deno.test("A type that is no form with files is 415, one without a boundary is 400", () => {
  for (const type of [null, "", "text/plain", "application/x-www-form-urlencoded", "multipart/mixed; boundary=a"]) {
    assert.throws(
      () => boundaryOf(type, { strict: true }),
      { name: "UploadError", code: "not-multipart", status: 415 },
      `${type}`,
    );
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
    assert.throws(
      () => boundaryOf(type, { strict: true }),
      { name: "UploadError", code: "bad-boundary", status: 400 },
      type,
    );
  }
  assert.throws(() => boundaryOf("multipart/form-data; boundary=a; boundary=b", { strict: false }), {
    code: "bad-boundary",
  });
});

Deno.test("A boundary may have backslashes, unless it is strict", () => {
  const type = "multipart/form-data; boundary=\\/\\/\\/";
  assert.equal(boundaryOf(type, { strict: false }), "\\/\\/\\/");
  assert.throws(() => boundaryOf(type, { strict: true }), { code: "bad-boundary" });
});
