// The forms that old clients send and what becomes of them, and that `strict` refuses them.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "npm:fast-check@^4";
import { type ReceivedForm, receiveUploads, type UploadOptions } from "../../mod.ts";
import { itemAt } from "../helpers/items.ts";
import { file, formBytes, formRequest, type RawPart, value } from "../helpers/multipart.ts";
import { hasProgram, unixTest } from "../helpers/program.ts";
import { realEngine } from "../helpers/serving.ts";

/** Fields and files in the order sent; a file as its name and its text. */
async function shown({ entries }: ReceivedForm): Promise<[string, ...string[]][]> {
  return await Promise.all(
    entries.map(async ([field, entry]): Promise<[string, ...string[]]> =>
      typeof entry === "string" ? [field, entry] : [field, entry.name, await entry.text()]
    ),
  );
}

async function receive(
  parts: readonly RawPart[],
  options: UploadOptions & { pieceBytes?: number } = {},
): Promise<[string, ...string[]][]> {
  const { pieceBytes, ...rest } = options;
  await using form = await receiveUploads(formRequest(formBytes(parts, "b"), { pieceBytes }), rest);
  return await shown(form);
}

function encoded({ head, body }: RawPart, encoding: string): RawPart {
  return { head: [...head, `Content-Transfer-Encoding: ${encoding}`], body };
}

/** A part that holds several files. */
function mixed(field: string, inner: readonly RawPart[]): RawPart {
  return {
    head: [`Content-Disposition: form-data; name="${field}"`, "Content-Type: multipart/mixed; boundary=inner"],
    body: formBytes(inner, "inner"),
  };
}

function inner(name: string, body: string, kind = "file"): RawPart {
  return { head: [`Content-Disposition: ${kind}; filename="${name}"`, "Content-Type: text/plain"], body };
}

const latin1 = (text: string) => Buffer.from(text, "latin1");

/** What a client sends, and what becomes of it. */
const OLD: Record<string, [parts: RawPart[], becomes: [string, ...string[]][]]> = {
  "base64": [
    [
      encoded(value("a", "VGVzdCAxMjM="), "base64"),
      encoded(file("f", "a.txt", "d2\r\nFycA==\r\n"), "BASE64"),
      value("c", "x"),
    ],
    [["a", "Test 123"], ["f", "a.txt", "warp"], ["c", "x"]],
  ],
  "quoted-printable": [
    [
      encoded(value("a", "caf=C3=A9=\r\n!"), "quoted-printable"),
      encoded(file("f", "a.txt", "foo=3Dbar"), "quoted-printable"),
    ],
    [["a", "café!"], ["f", "a.txt", "foo=bar"]],
  ],
  "parts of no field": [
    [
      value("a", "1"),
      { head: [], body: "no head" },
      { head: ["Content-Type: text/plain"], body: "no disposition" },
      { head: ["Content-Disposition: "], body: "an empty one" },
      { head: ["Content-Disposition: attachment; filename=a.txt", "Content-Transfer-Encoding: base64"], body: "YQ" },
      file("f", "a.txt", "2"),
    ],
    [["a", "1"], ["f", "a.txt", "2"]],
  ],
  "quotes in a file's name": [
    [{ head: ['Content-Disposition: form-data; name="f"; filename="a "b" c.txt"'], body: "1" }],
    [["f", "a _b_ c.txt", "1"]],
  ],
  "several files in one part": [
    [
      value("a", "1"),
      mixed("f", [inner("a.txt", "one"), encoded(inner("b.txt", "dHdv", "attachment"), "base64"), {
        head: [],
        body: "-",
      }]),
      value("z", "2"),
    ],
    [["a", "1"], ["f", "a.txt", "one"], ["f", "b.txt", "two"], ["z", "2"]],
  ],
};

for (const [what, [parts, becomes]] of Object.entries(OLD)) {
  Deno.test(`A form with ${what} is received, however it comes, and refused if strict`, async () => {
    for (const pieceBytes of [1, 7, 50, Infinity]) {
      assert.deepEqual(await receive(parts, { pieceBytes }), becomes);
      await assert.rejects(receive(parts, { pieceBytes, strict: true }), { name: "UploadError", code: "bad-part" });
    }
  });
}

Deno.test("The order of fields and files is kept", async () => {
  const parts = [
    file("f", "1.txt", "one"),
    value("a", "1"),
    file("empty", "", ""),
    file("g", "2.txt", ""),
    value("a", "2"),
    file("f", "", "no name"),
    value("b", ""),
  ];
  for (const strict of [false, true]) {
    assert.deepEqual(await receive(parts, { strict }), [
      ["f", "1.txt", "one"],
      ["a", "1"],
      ["g", "2.txt", ""],
      ["a", "2"],
      ["f", "file", "no name"],
      ["b", ""],
    ]);
  }
  await using form = await receiveUploads(formRequest(formBytes(parts, "b")));
  assert.deepEqual(form.entries.filter(([, entry]) => typeof entry !== "string").map(([, entry]) => entry), form.files);
});

/** A part whose type names a charset. */
function inCharset(charset: string, body: Uint8Array): RawPart {
  return { head: ['Content-Disposition: form-data; name="a"', `Content-Type: text/plain; charset=${charset}`], body };
}

Deno.test("A value is read in the charset that its part names", async () => {
  const parts = [
    inCharset("ISO-8859-1", latin1("caf\xe9 \xa4")),
    inCharset('"windows-1252"', latin1("\x80")),
    inCharset("Shift_JIS", latin1("\x93\xfa\x96\x7b")),
    inCharset("utf-16le", latin1("a\0b\0")),
    inCharset("utf-8", Buffer.from("é")),
  ];
  const becomes = [["a", "café ¤"], ["a", "€"], ["a", "日本"], ["a", "ab"], ["a", "é"]];
  for (const pieceBytes of [1, 3, Infinity]) {
    for (const strict of [false, true]) assert.deepEqual(await receive(parts, { pieceBytes, strict }), becomes);
  }
});

Deno.test("A charset that is not known is read as UTF-8, and refused if strict", async () => {
  const parts = [inCharset("utf8mb4", Buffer.from("é"))];
  assert.deepEqual(await receive(parts), [["a", "é"]]);
  await assert.rejects(receive(parts, { strict: true }), {
    code: "bad-part",
    message: /the charset "utf8mb4" .* send UTF-8/,
  });
});

Deno.test("The field _charset_ names the charset of the values and names after it", async () => {
  const head = Buffer.from('Content-Disposition: form-data; name="f"; filename="caf\xe9.txt"', "latin1");
  const bytes = Buffer.concat([
    formBytes([value("_charset_", "iso-8859-1"), value("a", latin1("\xe9")), inCharset("utf-8", Buffer.from("é"))], "b")
      .subarray(0, -"--b--\r\n".length),
    Buffer.from("--b\r\n"),
    head,
    Buffer.from("\r\n\r\n1\r\n--b--\r\n"),
  ]);
  for (const pieceBytes of [1, Infinity]) {
    await using form = await receiveUploads(formRequest(bytes, { pieceBytes }));
    assert.deepEqual(await shown(form), [["_charset_", "iso-8859-1"], ["a", "é"], ["a", "é"], ["f", "café.txt", "1"]]);
  }
  // A head in UTF-16 could not be read, and a charset that is not known says nothing.
  for (const charset of ["utf-16le", "nonsense", "x".repeat(100), ""]) {
    assert.deepEqual(await receive([value("_charset_", charset), value("a", "é")]), [["_charset_", charset], [
      "a",
      "é",
    ]]);
  }
});

Deno.test("Two forms that come at once do not mix the halves of their characters", async () => {
  const bytes = formBytes([value("a", "é日本é")], "b");
  const forms = await Promise.all(
    Array.from({ length: 8 }, (_, nr) => receiveUploads(formRequest(bytes, { pieceBytes: nr % 4 + 1 }))),
  );
  for (const form of forms) assert.equal(form.field("a"), "é日本é");
});

Deno.test("Limits count what is decoded, what is skipped, and every file of a part", async () => {
  const limits: [code: string, options: UploadOptions, parts: RawPart[]][] = [
    ["file-too-large", { maxFileBytes: 3 }, [encoded(file("f", "a", "d2FycA=="), "base64")]],
    ["field-too-large", { maxFieldBytes: 3 }, [encoded(value("a", "d2FycA=="), "base64")]],
    ["too-many-fields", {}, Array.from({ length: 1_001 }, () => ({ head: ["A: b"], body: "x" }))],
    ["too-many-fields", {}, [mixed("f", Array.from({ length: 1_001 }, () => ({ head: [], body: "x" })))]],
    ["too-many-fields", {}, Array.from({ length: 1_001 }, () => mixed("f", []))],
    ["too-many-files", {}, [mixed("f", Array.from({ length: 101 }, () => inner("a.txt", "1")))]],
    ["part-head-too-large", {}, [mixed("f", [inner("a".repeat(17_000), "1")])]],
  ];
  for (const [code, options, parts] of limits) {
    for (const pieceBytes of [50, Infinity]) {
      await assert.rejects(receive(parts, { ...options, pieceBytes }), { name: "UploadError", code, status: 413 });
    }
  }
  const exact = [encoded(file("f", "a", "d2FycA=="), "base64"), encoded(value("a", "d2FycA=="), "base64")];
  assert.deepEqual(await receive(exact, { maxFileBytes: 4, maxFieldBytes: 4 }), [["f", "a", "warp"], ["a", "warp"]]);
});

Deno.test("A part that is malformed inside is refused, and leaves nothing on the disk", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const whole = mixed("f", [inner("a.txt", "one")]);
  const broken: [code: string, part: RawPart][] = [
    ["bad-part", encoded(file("f", "a", "warp!"), "base64")],
    ["bad-part", encoded(file("f", "a", "wa=rp"), "quoted-printable")],
    ["cut-short", { head: whole.head, body: (whole.body as Uint8Array).subarray(0, 70) }],
    ["cut-short", { head: whole.head, body: "" }],
    ["bad-part", mixed("f", [mixed("f", [])])],
    ["bad-part", { head: whole.head, body: "--inner\r\nno field\r\n\r\n1\r\n--inner--" }],
  ];
  for (const [code, part] of broken) {
    for (const pieceBytes of [1, Infinity]) {
      const parts = [file("first", "a", "x"), part, value("last", "1")];
      await assert.rejects(receive(parts, { directory, pieceBytes }), { name: "UploadError", code, status: 400 });
      assert.deepEqual([...Deno.readDirSync(directory)], []);
    }
  }
  Deno.removeSync(directory);
});

Deno.test("Any bytes come back out of an encoded part, however the form is split", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 3_000 }),
      fc.integer({ min: 1, max: 500 }),
      fc.boolean(),
      async (bytes, pieceBytes, isMixed) => {
        const coded = Buffer.from(bytes).toString("base64").replace(/.{76}/g, "$&\r\n");
        const part = encoded(isMixed ? inner("a", coded) : file("f", "a", coded), "base64");
        const parts = [value("v", "1"), isMixed ? mixed("f", [part, inner("b", "")]) : part];
        await using form = await receiveUploads(formRequest(formBytes(parts, "b"), { pieceBytes }));
        const got = await new Response(itemAt(form.files, 0).stream()).bytes();
        assert.ok(Buffer.from(got).equals(bytes));
      },
    ),
    { numRuns: 60 },
  );
});

unixTest("Forms that curl encodes for mail, or nests, are received", async () => {
  if (!await hasProgram("curl")) return;
  await using real = realEngine(async (request) => Response.json(await shown(await receiveUploads(request))));
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  // Lines of every length, spaces at their ends, no line end at the last.
  const text = `${"a long line of 日本 = ".repeat(20)}\n trailing \t\r\n\r\nend`;
  Deno.writeTextFileSync(`${directory}/a.txt`, text);
  Deno.writeTextFileSync(`${directory}/b.txt`, "two");
  const at = (name: string) => `@${directory}/${name}`;
  const args = [
    ["-F", "v=värde = x;encoder=quoted-printable"],
    ["-F", `f=${at("a.txt")};encoder=base64`],
    ["-F", `g=${at("a.txt")};encoder=quoted-printable`],
    ["-F", "h=(;type=multipart/mixed", "-F", `=${at("a.txt")}`, "-F", `=${at("b.txt")};encoder=base64`, "-F", "=)"],
    ["-F", "last=1"],
  ];
  const { stdout } = await new Deno.Command("curl", { args: ["-s", ...args.flat(), real.url] }).output();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    ["v", "värde = x"],
    ["f", "a.txt", text],
    ["g", "a.txt", text],
    ["h", "a.txt", text],
    ["h", "b.txt", "two"],
    ["last", "1"],
  ]);
  Deno.removeSync(directory, { recursive: true });
});
