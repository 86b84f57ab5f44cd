// Which texts are IP addresses, and which address is in which range.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { IpRanges, readAddress, showAddress } from "../../src/wire/ip_ranges.ts";

const RUNS = { numRuns: 1000 };
const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
const ipv6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).filter(([a, b]) => (a ?? 0) + (b ?? 0) > 0);

const IN: [ranges: string, address: string][] = [
  ["10.0.0.0/8", "10.255.0.1"],
  ["10.1.2.3/8", "10.0.0.1"],
  ["192.0.2.128/25", "192.0.2.200"],
  ["192.0.2.1", "192.0.2.1"],
  ["0.0.0.0/0", "203.0.113.9"],
  ["127.0.0.1", "::ffff:127.0.0.1"],
  ["127.0.0.1", "::ffff:7f00:1"],
  ["::ffff:127.0.0.1", "127.0.0.1"],
  ["::ffff:10.0.0.0/104", "10.9.9.9"],
  ["::1", "0:0:0:0:0:0:0:1"],
  ["::/0", "2001:db8::1"],
  ["2001:db8::/33", "2001:db8:7fff::1"],
  ["fe80::/10", "fe80::1%eth0"],
  ["203.0.113.1,2001:DB8::/32", "2001:db8::a"],
];
const OUT: typeof IN = [
  ["10.0.0.0/8", "11.0.0.1"],
  ["192.0.2.128/25", "192.0.2.127"],
  ["192.0.2.1", "192.0.2.2"],
  ["0.0.0.0/0", "2001:db8::1"],
  ["::/0", "127.0.0.1"],
  ["::/0", "::ffff:127.0.0.1"],
  ["2001:db8::/33", "2001:db8:8000::1"],
  ["127.0.0.1", "127.0.0.1 "],
  ["127.0.0.1", "127.0.0.01"],
  ["127.0.0.1", ""],
  ["127.0.0.1", "unknown"],
  ["unix", "127.0.0.1"],
];

Deno.test("An address is in a range if its first bits are the range's", () => {
  for (const [ranges, address] of IN) assert.equal(new IpRanges(ranges.split(",")).has(address), true, address);
  for (const [ranges, address] of OUT) assert.equal(new IpRanges(ranges.split(",")).has(address), false, address);
});

Deno.test("The answer for one address does not depend on the one before", () => {
  const ranges = new IpRanges(["10.0.0.0/8"]);
  const asked = ["10.0.0.1", "10.0.0.1", "11.0.0.1", "10.0.0.1", "", "10.0.0.1"];
  assert.deepEqual(asked.map((address) => ranges.has(address)), [true, true, false, true, false, true]);
});

Deno.test("unix means peers over a Unix socket, with and without nginx's colon", () => {
  assert.equal(new IpRanges(["unix"]).hasUnix, true);
  assert.equal(new IpRanges(["10.0.0.0/8", "unix:"]).hasUnix, true);
  assert.equal(new IpRanges(["10.0.0.0/8"]).hasUnix, false);
});

Deno.test("What is not an address or a range is refused and named", () => {
  const texts = ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0/8", "::/129", "::ffff:1.2.3.4/95"];
  for (const text of [...texts, "fe80::1%eth0", "1::2::3", ":::", "12345::", "1:2:3:4:5:6:7", "::1.2.3.4:5", "/8"]) {
    assert.throws(() => new IpRanges(["127.0.0.1", text]), (error) => {
      assert.ok(error instanceof RangeError);
      assert.match(error.message, new RegExp(`got ${JSON.stringify(text).replace(/[.$/]/g, "\\$&")}$`));
      return true;
    });
  }
});

Deno.test("A zone is a name of an interface, and nothing that could be taken for more in a line of a log", () => {
  for (const zone of ["eth0", "1", "br-lan.5", "25wg0", "a_b~c"]) assert.notEqual(readAddress(`fe80::1%${zone}`), null);
  for (const zone of ["", "x y", 'x" 200 "', "<b>", "a/b", "a%b", "\xe9", "]", "a:b", "a,b", "\t"]) {
    assert.equal(readAddress(`fe80::1%${zone}`), null, zone);
  }
});

Deno.test("An address is read as it was written, in each way of writing it", () => {
  fc.assert(fc.property(ipv4, (bytes) => assert.deepEqual(readAddress(showAddress(bytes)), bytes)), RUNS);
  fc.assert(
    fc.property(ipv6, (bytes) => {
      assert.deepEqual(readAddress(showAddress(bytes)), bytes);
      const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8 | bytes[2 * i + 1]!).toString(16));
      assert.deepEqual(readAddress(groups.join(":").toUpperCase()), bytes);
      const dotted = `${groups.slice(0, 6).join(":")}:${bytes.slice(12).join(".")}`;
      assert.deepEqual(readAddress(dotted), bytes);
    }),
    RUNS,
  );
});

/** The number that an address is. */
function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n);
}

Deno.test("A range has the addresses that a comparison of whole numbers finds", () => {
  for (const [address, length] of [[ipv4, 32], [ipv6, 128]] as const) {
    const near = fc.tuple(address, address, fc.nat({ max: length })).map(([one, other, shared]) => {
      // The first bits of one and the rest of the other, so that ranges are hit and missed alike.
      const mask = (1n << BigInt(length - shared)) - 1n;
      const value = (numberOf(one) & ~mask) | (numberOf(other) & mask);
      const bytes = Uint8Array.from(
        { length: length / 8 },
        (_, i) => Number(value >> BigInt(length - 8 - 8 * i) & 0xffn),
      );
      return [one, bytes] as const;
    });
    fc.assert(
      fc.property(near, fc.nat({ max: length }), ([one, other], bits) => {
        fc.pre(length === 32 || other[0]! + other[1]! > 0);
        const shift = BigInt(length - bits);
        const expected = numberOf(one) >> shift === numberOf(other) >> shift;
        const ranges = new IpRanges([`${showAddress(one)}/${bits}`]);
        assert.equal(ranges.has(showAddress(other)), expected);
      }),
      RUNS,
    );
  }
});

Deno.test("No text makes the reader of addresses throw", () => {
  const text = fc.string({ unit: fc.constantFrom(..."0123456789abcdef:./%g"), maxLength: 24 });
  fc.assert(fc.property(text, (text) => void readAddress(text)), RUNS);
});
