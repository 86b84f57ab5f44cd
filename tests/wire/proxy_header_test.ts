// The header of the PROXY protocol, whole and byte by byte, and what is not one.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { MAX_PROXY_HEADER_BYTES, type ProxyHeader, readProxyHeader } from "../../src/wire/proxy_header.ts";
import { ProtocolError } from "../../src/wire/protocol_error.ts";
import { headerV2, IPV4_ENDS, IPV6_ENDS, OVER_TLS, valueOf } from "../helpers/proxy_headers.ts";
import { latin1 } from "../helpers/wire.ts";

const RUNS = { numRuns: 2000 };
const V4 = {
  kind: "proxied",
  source: { hostname: "203.0.113.9", port: 56324 },
  destination: { hostname: "192.0.2.2", port: 443 },
  isTls: false,
} as const;
const V6 = {
  ...V4,
  source: { hostname: "2001:db8::9", port: 56324 },
  destination: { hostname: "2001:db8::2", port: 443 },
} as const;
const LOCAL = { kind: "local" } as const;

const HEADERS: [name: string, bytes: Uint8Array, expected: ProxyHeader][] = [
  ["1 TCP4", latin1("PROXY TCP4 203.0.113.9 192.0.2.2 56324 443\r\n"), V4],
  ["1 TCP6", latin1("PROXY TCP6 2001:db8::9 2001:DB8:0::2 56324 443\r\n"), V6],
  ["1 shortest TCP4", latin1("PROXY TCP4 1.1.1.1 2.2.2.2 0 1\r\n"), {
    ...V4,
    source: { hostname: "1.1.1.1", port: 0 },
    destination: { hostname: "2.2.2.2", port: 1 },
  }],
  ["1 shortest TCP6", latin1("PROXY TCP6 :: :: 0 0\r\n"), {
    ...V4,
    source: { hostname: "::", port: 0 },
    destination: { hostname: "::", port: 0 },
  }],
  ["1 UNKNOWN", latin1("PROXY UNKNOWN\r\n"), LOCAL],
  ["1 longest UNKNOWN", latin1(`PROXY UNKNOWN ${"f".repeat(107 - 16)}\r\n`), LOCAL],
  ["2 IPv4", headerV2(), V4],
  ["2 IPv6", headerV2({ family: 0x21, addresses: IPV6_ENDS }), V6],
  ["2 IPv4 over TLS", headerV2({ values: OVER_TLS }), { ...V4, isTls: true }],
  [
    "2 with other values",
    headerV2({ values: Uint8Array.of(...valueOf(0x03, [1, 2, 3, 4]), ...valueOf(0x04, [])) }),
    V4,
  ],
  ["2 TLS not used", headerV2({ values: valueOf(0x20, [0, 0, 0, 0, 0]) }), V4],
  ["2 LOCAL", headerV2({ command: 0x20, family: 0, addresses: new Uint8Array() }), LOCAL],
  ["2 LOCAL with addresses", headerV2({ command: 0x20 }), LOCAL],
  ["2 not known", headerV2({ family: 0, addresses: new Uint8Array(7) }), LOCAL],
  ["2 Unix", headerV2({ family: 0x31, addresses: new Uint8Array(216) }), LOCAL],
  ["2 longest", headerV2({ values: valueOf(0x04, Array(MAX_PROXY_HEADER_BYTES - 16 - 12 - 3).fill(0)) }), V4],
];

Deno.test("A whole header is read", () => {
  for (const [name, bytes, expected] of HEADERS) assert.deepEqual(readProxyHeader(bytes), expected, name);
});

Deno.test("Every beginning of a header asks for bytes that belong to it, and never for more", () => {
  for (const [name, bytes] of HEADERS) {
    for (let length = 0; length < bytes.length; length++) {
      const read = readProxyHeader(bytes.subarray(0, length));
      assert.equal(read.kind, "needMore", `${name}: ${length} bytes`);
      const { least } = read as ProxyHeader & { kind: "needMore" };
      assert.ok(least >= 1 && length + least <= bytes.length, `${name}: ${length} bytes ask for ${least}`);
    }
  }
});

Deno.test("A header is read in few steps if each brings what is asked for", () => {
  for (const [name, bytes, expected] of HEADERS) {
    let read = readProxyHeader(new Uint8Array());
    let steps = 0;
    for (let length = 0; read.kind === "needMore"; steps++) {
      read = readProxyHeader(bytes.subarray(0, length += read.least));
    }
    assert.deepEqual(read, expected, name);
    assert.ok(steps <= (name.startsWith("2") ? 3 : 50), `${name} took ${steps} steps`);
  }
});

const REFUSED: [name: string, bytes: Uint8Array][] = [
  ["a request", latin1("GET / HTTP/1.1\r\nhost: a\r\n\r\n")],
  ["TLS", Uint8Array.of(0x16, 3, 1, 2, 0)],
  ["1 small letters", latin1("proxy TCP4 ")],
  ["1 another family", latin1("PROXY UDP4 203.0.113.9 192.0.2.2 1 2\r\n")],
  ["1 without CR", latin1("PROXY TCP4 203.0.113.9 192.0.2.2 1 2\nGET ")],
  ["1 CR alone", latin1("PROXY TCP4 203.0.113.9 192.0.2.2 1 2\rG")],
  ["1 too long", latin1(`PROXY UNKNOWN ${"f".repeat(107 - 15)}`)],
  ["1 two spaces", latin1("PROXY TCP4  203.0.113.9 192.0.2.2 1 2\r\n")],
  ["1 a name", latin1("PROXY TCP4 localhost.x 192.0.2.2 1 2\r\n")],
  ["1 IPv6 as TCP4", latin1("PROXY TCP4 2001:db8::9 2001:db8::2 1 2\r\n")],
  ["1 IPv4 as TCP6", latin1("PROXY TCP6 203.0.113.9 192.0.2.2 1 2\r\n")],
  ["1 a zone", latin1("PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n")],
  ["1 a port with a zero", latin1("PROXY TCP4 203.0.113.9 192.0.2.2 01 2\r\n")],
  ["1 a port too high", latin1("PROXY TCP4 203.0.113.9 192.0.2.2 65536 2\r\n")],
  ["1 a port missing", latin1("PROXY TCP4 203.0.113.90 192.0.2.2 1\r\n")],
  ["1 more than that", latin1("PROXY TCP4 203.0.113.9 192.0.2.2 1 2 3\r\n")],
  ["2 version 1", headerV2({ command: 0x11 })],
  ["2 another command", headerV2({ command: 0x22 })],
  ["2 UDP", headerV2({ family: 0x12 })],
  ["2 too short for IPv4", headerV2({ addresses: IPV4_ENDS.subarray(0, 11) })],
  ["2 too short for IPv6", headerV2({ family: 0x21, addresses: IPV6_ENDS.subarray(0, 35) })],
  ["2 too long", headerV2({ length: MAX_PROXY_HEADER_BYTES - 15 })],
  ["2 a value too long", headerV2({ values: Uint8Array.of(4, 0, 2, 0) })],
  ["2 half a value", headerV2({ values: Uint8Array.of(4, 0) })],
];

Deno.test("What is not a header is refused with 400", () => {
  for (const [name, bytes] of REFUSED) {
    assert.throws(() => readProxyHeader(bytes), (error) => {
      assert.ok(error instanceof ProtocolError, name);
      assert.deepEqual([error.code, error.status], ["bad-proxy-header", 400], name);
      return true;
    }, name);
  }
});

Deno.test("Any bytes are a header, a part of one, or refused", () => {
  const start = fc.constantFrom(
    "",
    "PROXY ",
    "PROXY TCP4 ",
    "PROXY TCP6 ::1 ",
    "\r\n\r\n\0\r\nQUIT\n",
    "\r\n\r\n\0\r\nQUIT\n!\x11\0",
  );
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 120 }), (start, rest) => {
      const bytes = Uint8Array.of(...latin1(start), ...rest);
      try {
        const read = readProxyHeader(bytes);
        if (read.kind === "needMore") assert.ok(read.least > 0 && bytes.length + read.least <= MAX_PROXY_HEADER_BYTES);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    RUNS,
  );
});
