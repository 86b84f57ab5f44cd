// Which bytes may stand where, byte for byte.

import assert from "node:assert/strict";
import { FIELD_VALUE, hexDigit, showOctet, TARGET, TOKEN } from "../../src/wire/octets.ts";

function allowed(table: Uint8Array): string {
  return Array.from(table, (may, octet) => may === 1 ? String.fromCharCode(octet) : "").join("");
}

function ascii(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i)).join("");
}

Deno.test("A token has the 77 characters of RFC 9110, section 5.6.2, and no others", () => {
  const expected = "!#$%&'*+-.^_`|~" + ascii(0x30, 0x39) + ascii(0x41, 0x5a) + ascii(0x61, 0x7a);
  assert.equal(allowed(TOKEN), [...expected].sort().join(""));
  assert.equal(allowed(TOKEN).length, 77);
});

Deno.test("A target has visible ASCII without the number sign, and bytes of UTF-8", () => {
  assert.equal(allowed(TARGET), ascii(0x21, 0x7e).replace("#", ""));
  for (let octet = 0; octet < 256; octet++) assert.equal(TARGET[octet] === 2, octet >= 0x80);
});

Deno.test("A field value has tab, space, visible ASCII and every byte from 0x80", () => {
  assert.equal(allowed(FIELD_VALUE), "\t" + ascii(0x20, 0x7e) + ascii(0x80, 0xff));
});

Deno.test("A hexadecimal digit has a value in both cases, and no other byte has one", () => {
  for (let octet = 0; octet < 256; octet++) {
    const letter = String.fromCharCode(octet);
    assert.equal(hexDigit(octet), /[0-9a-fA-F]/.test(letter) ? parseInt(letter, 16) : -1, letter);
  }
});

Deno.test("A byte in a message cannot act on a terminal", () => {
  assert.equal(showOctet(0x61), '"a"');
  assert.equal(showOctet(0x0d), "CR");
  assert.equal(showOctet(0x0a), "LF");
  assert.equal(showOctet(0x0b), "0x0b");
  assert.equal(showOctet(0x1b), "0x1b");
  assert.equal(showOctet(0x00), "0x00");
  assert.equal(showOctet(0x20), "0x20");
  assert.equal(showOctet(0xff), "0xff");
});
