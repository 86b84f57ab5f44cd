// What is believed of X-Forwarded-For, -Proto, -Host and Forwarded, and what is not.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { type Forwarded, readForwarded } from "../../src/wire/forwarded.ts";
import { IpRanges } from "../../src/wire/ip_ranges.ts";

const RUNS = { numRuns: 2000 };
const PROXIES = new IpRanges(["10.0.0.0/8", "fd00::/8", "unix"]);

function read(fields: Record<string, string>): Forwarded {
  return readForwarded((name) => fields[name] ?? null, PROXIES);
}

/** A client as `hostname:port`, then scheme and host; "-" for what is not told. */
function shown({ client, scheme, host }: Forwarded): string {
  return `${client === null ? "-" : `${client.hostname}:${client.port}`} ${scheme ?? "-"} ${host ?? "-"}`;
}

const X_CASES: [nodes: string, schemes: string, hosts: string, expected: string][] = [
  ["", "", "", "- - -"],
  ["203.0.113.9", "https", "shop.example", "203.0.113.9:0 https shop.example"],
  // One proxy: what stands left of its own entry is the client's.
  ["6.6.6.6, 203.0.113.9", "", "", "203.0.113.9:0 - -"],
  ["127.0.0.1, 203.0.113.9", "https, http", "evil.example, shop.example", "203.0.113.9:0 http shop.example"],
  // Two proxies, the outer one is 10.0.0.7.
  ["203.0.113.9, 10.0.0.7", "", "", "203.0.113.9:0 - -"],
  ["6.6.6.6, 203.0.113.9, 10.0.0.7", "", "", "203.0.113.9:0 - -"],
  ["203.0.113.9, 10.0.0.7", "https, http", "shop.example, inner", "203.0.113.9:0 https shop.example"],
  [
    "6.6.6.6, 203.0.113.9, 10.0.0.7",
    "http, https, http",
    "evil, shop.example, inner",
    "203.0.113.9:0 https shop.example",
  ],
  // Not every proxy adds a scheme.
  ["203.0.113.9, 10.0.0.7", "https", "", "203.0.113.9:0 https -"],
  // Only proxies: the outermost is the client.
  ["10.0.0.8, 10.0.0.7", "", "", "10.0.0.8:0 - -"],
  // What is not an address ends the walk.
  ["unknown", "https", "", "- https -"],
  ["203.0.113.9, unknown", "", "", "- - -"],
  ["203.0.113.9, unknown, 10.0.0.7", "", "", "10.0.0.7:0 - -"],
  ["203.0.113.9, unix:", "", "", "203.0.113.9:0 - -"],
  // Ports and IPv6.
  ["203.0.113.9:4711", "", "", "203.0.113.9:4711 - -"],
  ["[2001:db8::1]:4711", "", "", "2001:db8::1:4711 - -"],
  ["2001:db8::1", "", "", "2001:db8::1:0 - -"],
  ["203.0.113.9, fd00::7", "", "", "203.0.113.9:0 - -"],
  ["203.0.113.9, ::ffff:10.0.0.7", "", "", "203.0.113.9:0 - -"],
  ["203.0.113.9:65536", "", "", "- - -"],
  ["[203.0.113.9]", "", "", "- - -"],
  [",203.0.113.9,,", ",https,", ", shop.example", "203.0.113.9:0 https shop.example"],
  // Without X-Forwarded-For there is one hop, the peer.
  ["", "http, https", "evil.example, shop.example", "- https shop.example"],
  // Schemes and hosts.
  ["", "HTTPS", "shop.example:8443", "- https shop.example:8443"],
  ["", "wss", "[::1]:80", "- https [::1]:80"],
  ["", "ws", "a b", "- http -"],
  ["", "ftp", "a/b", "- - -"],
  ["", "javascript", "user@shop.example", "- - -"],
];

Deno.test("X-Forwarded fields are read from the right, as far as the proxies are trusted", () => {
  for (const [nodes, schemes, hosts, expected] of X_CASES) {
    const fields = { "x-forwarded-for": nodes, "x-forwarded-proto": schemes, "x-forwarded-host": hosts };
    assert.equal(shown(read(fields)), expected, JSON.stringify(fields));
  }
});

const CASES: [forwarded: string, expected: string][] = [
  ["", "- - -"],
  ["for=203.0.113.9", "203.0.113.9:0 - -"],
  ["for=203.0.113.9;proto=https;by=10.0.0.7;host=shop.example", "203.0.113.9:0 https shop.example"],
  [
    'For="[2001:db8:cafe::17]:4711"; PROTO=HTTPS;Host="shop.example:8443"',
    "2001:db8:cafe::17:4711 https shop.example:8443",
  ],
  ['for="203.0.113.9:_hidden"', "203.0.113.9:0 - -"],
  ["for=203.0.113.9:80", "203.0.113.9:80 - -"],
  ["for=203.0.113.9, for=10.0.0.7", "203.0.113.9:0 - -"],
  ["for=6.6.6.6, for=203.0.113.9, for=10.0.0.7", "203.0.113.9:0 - -"],
  ["for=6.6.6.6;proto=http;host=evil, for=203.0.113.9;proto=https;host=shop", "203.0.113.9:0 https shop"],
  // The outer proxy tells the scheme, the inner one the host.
  ["for=203.0.113.9;proto=https, for=10.0.0.7;proto=http;host=shop.example", "203.0.113.9:0 https shop.example"],
  ["for=unknown;proto=https", "- https -"],
  ["for=_hidden, for=10.0.0.7;proto=https", "10.0.0.7:0 https -"],
  ["proto=https", "- https -"],
  ['for=203.0.113.9;for="127.0.0.1"', "- - -"],
  // A client's open quote does not hide what the proxy adds.
  ['for="6.6.6.6, for=203.0.113.9', "203.0.113.9:0 - -"],
  ['for=6.6.6.6;x=", for=203.0.113.9;proto=https', "203.0.113.9:0 https -"],
  ['for="203.0.113\\.9"', "203.0.113.9:0 - -"],
  ["for = 203.0.113.9", "- - -"],
  ["nonsense", "- - -"],
  ["for=203.0.113.9;", "203.0.113.9:0 - -"],
];

Deno.test("Forwarded is read from the right, as far as the proxies are trusted", () => {
  for (const [forwarded, expected] of CASES) assert.equal(shown(read({ forwarded })), expected, forwarded);
});

Deno.test("Forwarded is not read if there is an X-Forwarded field: the client may have made it up", () => {
  for (const name of ["for", "proto", "host"]) {
    const fields = { [`x-forwarded-${name}`]: "", forwarded: "for=127.0.0.1;proto=https;host=evil" };
    assert.equal(shown(read(fields)), "- - -");
  }
});

const untrusted = fc.constantFrom("203.0.113.9", "2001:db8::1", "198.51.100.1", "127.0.0.1");
const trusted = fc.constantFrom("10.0.0.1", "10.9.9.9", "fd00::1");
const junk = fc.string({ unit: fc.constantFrom(...'0123456789.:,;="\\[] forptunkwxyz_'), maxLength: 40 });

Deno.test("Whatever a client sends in these fields, it is not believed", () => {
  fc.assert(
    fc.property(untrusted, fc.array(trusted, { maxLength: 3 }), junk, (client, proxies, invented) => {
      // Each proxy adds the address that it has seen: the client's, then those of the proxies before it.
      const seen = [client, ...proxies];
      const host = (i: number) => `host${i}.example`;
      const x = {
        "x-forwarded-for": [invented, ...seen].join(", "),
        "x-forwarded-proto": [invented, ...seen.map((_, i) => i === 0 ? "https" : "http")].join(", "),
        "x-forwarded-host": [invented, ...seen.map((_, i) => host(i))].join(", "),
      };
      assert.deepEqual(read(x), { client: { hostname: client, port: 0 }, scheme: "https", host: host(0) });
      const elements = seen.map((node, i) => {
        const proto = i === 0 ? "https" : "http";
        return `for="${node.includes(":") ? `[${node}]` : node}";proto=${proto};host=${host(i)}`;
      });
      const forwarded = [invented, ...elements].join(", ");
      assert.deepEqual(read({ forwarded }), { client: { hostname: client, port: 0 }, scheme: "https", host: host(0) });
    }),
    RUNS,
  );
});
