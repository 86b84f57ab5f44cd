// What base64 and quoted-printable decode to, however the bytes come, and what is neither.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "npm:fast-check@^4";
import { decoderOf, type TransferEncoding } from "../../src/uploads/transfer_decoder.ts";
import type { UploadError } from "../../src/uploads/upload_error.ts";

const encoder = new TextEncoder();

function decode(encoding: TransferEncoding, pieces: Iterable<Uint8Array>): Buffer {
  const decoder = decoderOf(encoding, "f");
  const out = Array.from(pieces, (piece) => decoder.decode(piece));
  decoder.end();
  return Buffer.concat(out);
}

function* split(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.slice(at, at + size);
}

/** What is encoded, and what it stands for. */
const DECODED: [encoding: TransferEncoding, coded: string, text: string][] = [
  ["base64", "", ""],
  ["base64", "YQ==", "a"],
  ["base64", "YWI=", "ab"],
  ["base64", "YWJj", "abc"],
  ["base64", "YWJjZA==\r\n", "abcd"],
  ["base64", "YW\r\nJj\nZ A\t=\r\n=", "abcd"],
  ["base64", "YWJjZA", "abcd"],
  ["base64", "YWJjZGU", "abcde"],
  ["base64", "+/+/", "\xfb\xff\xbf"],
  // The last bits of a group that is not full stand for nothing.
  ["base64", "YX==", "a"],
  ["quoted-printable", "", ""],
  ["quoted-printable", "foo=3Dbar", "foo=bar"],
  ["quoted-printable", "=e2=82=AC", "\xe2\x82\xac"],
  ["quoted-printable", "one=\r\ntwo=\nthree= \t\r\nfour", "onetwothreefour"],
  ["quoted-printable", "a line \t\r\nand more  \n\r\n", "a line\r\nand more\n\r\n"],
  ["quoted-printable", "at the end   ", "at the end"],
  ["quoted-printable", "kept=20\r\n", "kept \r\n"],
  ["quoted-printable", " in  between ", " in  between"],
  ["quoted-printable", "spaces =3D", "spaces ="],
  ["quoted-printable", "a break at the end=", "a break at the end"],
  ["quoted-printable", "a break at the end= ", "a break at the end"],
  ["quoted-printable", "a break at the end=\r", "a break at the end"],
  ["quoted-printable", "8 bit \xe4", "8 bit \xe4"],
];

for (const encoding of ["base64", "quoted-printable"] as const) {
  Deno.test(`Each piece of ${encoding} decodes to its bytes, also in pieces`, () => {
    for (const [, coded, text] of DECODED.filter(([of]) => of === encoding)) {
      const bytes = Buffer.from(coded, "latin1");
      for (const size of [1, 2, 3, 5, 1000]) {
        assert.equal(
          decode(encoding, split(bytes, size)).toString("latin1"),
          text,
          `${JSON.stringify(coded)} by ${size}`,
        );
      }
    }
  });
}

/** What is malformed, and what the message says of it. */
const MALFORMED: [encoding: TransferEncoding, coded: string, says: RegExp][] = [
  ["base64", "Y", /last group is not complete/],
  ["base64", "YWJjZ", /last group is not complete/],
  ["base64", "YQ=", /last group is not complete/],
  ["base64", "YQ===", /padding in the wrong place/],
  ["base64", "YWJj=", /padding in the wrong place/],
  ["base64", "=", /padding in the wrong place/],
  ["base64", "Y=Q=", /padding in the wrong place/],
  ["base64", "YQ==YQ==", /goes on after its padding/],
  ["base64", "YQ-_", /not in its alphabet/],
  ["base64", "YQ\0=", /not in its alphabet/],
  ["base64", "YQ==!", /not in its alphabet/],
  ["quoted-printable", "100=%", /neither by two digits nor by a line end/],
  ["quoted-printable", "a=b", /in the middle of a character/],
  ["quoted-printable", "a=bx", /neither by two digits nor by a line end/],
  ["quoted-printable", "a= b", /neither by two digits nor by a line end/],
  ["quoted-printable", "a=\rb", /neither by two digits nor by a line end/],
  ["quoted-printable", `a${" ".repeat(999)}b`, /over 998 spaces in a row/],
];

Deno.test("What is malformed is refused with a message that says what and where, however it comes", () => {
  for (const [encoding, coded, says] of MALFORMED) {
    const bytes = Buffer.from(coded, "latin1");
    for (const size of [1, 2, 3, 5, 2000]) {
      assert.throws(() => decode(encoding, split(bytes, size)), (error) => {
        const { name, code, status, message } = error as UploadError;
        assert.deepEqual({ name, code, status }, { name: "UploadError", code: "bad-part", status: 400 });
        assert.match(message, new RegExp(`^the part of field "f" says that it is ${encoding}, but .*send its bytes`));
        assert.match(message, says);
        return true;
      }, JSON.stringify(coded));
    }
  }
});

const pieces = fc.record({
  bytes: fc.uint8Array({ maxLength: 400 }),
  size: fc.integer({ min: 1, max: 90 }),
  width: fc.integer({ min: 1, max: 80 }),
});

Deno.test("Any bytes come back out of base64, whatever its lines and its pieces", () => {
  fc.assert(fc.property(pieces, fc.boolean(), ({ bytes, size, width }, isPadded) => {
    const coded = Buffer.from(bytes).toString("base64").replace(/=+$/, (pads) => isPadded ? pads : "");
    const lines = coded.replace(new RegExp(`.{${width}}`, "g"), "$&\r\n");
    assert.deepEqual([...decode("base64", split(encoder.encode(lines), size))], [...bytes]);
  }));
});

/** Encodes with soft line breaks at a width. Every space is escaped. */
function quotedPrintable(bytes: Uint8Array, width: number): string {
  let out = "";
  let column = 0;
  for (const octet of bytes) {
    const isPlain = octet > 0x20 && octet < 0x7f && octet !== 0x3d;
    const coded = isPlain ? String.fromCharCode(octet) : `=${octet.toString(16).padStart(2, "0").toUpperCase()}`;
    if (column + coded.length > width) {
      out += "=\r\n";
      column = 0;
    }
    out += coded;
    column += coded.length;
  }
  return out;
}

Deno.test("Any bytes come back out of quoted-printable, whatever its lines and its pieces", () => {
  fc.assert(fc.property(pieces, ({ bytes, size, width }) => {
    const coded = encoder.encode(quotedPrintable(bytes, width));
    assert.deepEqual([...decode("quoted-printable", split(coded, size))], [...bytes]);
  }));
});

Deno.test("Any garbage is decoded alike whole and in pieces, and never to more than it was", () => {
  const octet = fc.constantFrom(..."=AZaz09+/ \t\r\n-\0é".split("").map((letter) => letter.charCodeAt(0)));
  const outcome = (encoding: TransferEncoding, parts: Iterable<Uint8Array>) => {
    try {
      return decode(encoding, parts).toString("latin1");
    } catch (error) {
      return (error as Error).message;
    }
  };
  fc.assert(
    fc.property(
      fc.constantFrom("base64" as const, "quoted-printable" as const),
      fc.array(octet, { maxLength: 60 }).map((octets) => Uint8Array.from(octets)),
      fc.integer({ min: 1, max: 20 }),
      (encoding, bytes, size) => {
        const whole = outcome(encoding, [bytes]);
        assert.equal(outcome(encoding, split(bytes, size)), whole);
        if (!whole.startsWith("the part of")) assert.ok(whole.length <= bytes.length);
      },
    ),
    { numRuns: 2_000 },
  );
});
