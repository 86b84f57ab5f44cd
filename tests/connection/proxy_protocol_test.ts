// The header of the PROXY protocol at the start of a connection, in any pieces, with the client's side left open.

import assert from "node:assert/strict";
import { trustedProxies } from "../../src/connection/proxies.ts";
import { IpRanges } from "../../src/wire/ip_ranges.ts";
import type { Handler } from "../../src/message/handler.ts";
import type { Address } from "../../src/platform/ports.ts";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { headerV2, IPV6_ENDS, OVER_TLS } from "../helpers/proxy_headers.ts";
import { bodyText, join, readResponses } from "../helpers/responses.ts";
import { latin1 } from "../helpers/wire.ts";

const GET = "GET /a HTTP/1.1\r\nhost: shop.example\r\n\r\n";
const LINE = "PROXY TCP4 203.0.113.9 192.0.2.2 56324 443\r\n";
const PEER = "127.0.0.1 8000 http";

function show(address: Address): string {
  return address.transport === "tcp" ? address.hostname : "unix";
}

const seen: Handler = ({ url }, { remoteAddr, localAddr }) =>
  new Response(`${show(remoteAddr)} ${(localAddr as { port: number }).port} ${new URL(url).protocol.slice(0, -1)}`);

function behind(list: readonly string[]) {
  return fakeEngine(seen, {}, { proxies: trustedProxies(new IpRanges(list), { hasHeader: true }) });
}

const HEADERS: [name: string, header: Uint8Array, expected: string][] = [
  ["version 1", latin1(LINE), "203.0.113.9 443 http"],
  ["version 1 with IPv6", latin1("PROXY TCP6 2001:db8::9 2001:db8::2 56324 443\r\n"), "2001:db8::9 443 http"],
  ["version 1, not known", latin1("PROXY UNKNOWN\r\n"), PEER],
  ["version 2", headerV2(), "203.0.113.9 443 http"],
  [
    "version 2 with IPv6 over TLS",
    headerV2({ family: 0x21, addresses: IPV6_ENDS, values: OVER_TLS }),
    "2001:db8::9 443 https",
  ],
  ["version 2, local", headerV2({ command: 0x20, family: 0, addresses: new Uint8Array() }), PEER],
];

for (const [name, header, expected] of HEADERS) {
  Deno.test(`A trusted peer's header is read in any pieces: ${name}`, async () => {
    await using fake = behind(["127.0.0.1"]);
    const all = join([header, latin1(GET + GET)]);
    // Whole, byte by byte, and in two pieces cut at each place.
    const cuts = [[all], [...all].map((byte) => Uint8Array.of(byte))];
    for (let at = 1; at < all.length; at++) cuts.push([all.subarray(0, at), all.subarray(at)]);
    for (const pieces of cuts) {
      const client = fake.listener.connect();
      for (const piece of pieces) {
        client.send(piece);
        await settled();
      }
      const { responses } = readResponses(client.bytes, { methods: ["GET", "GET"] });
      assert.deepEqual(responses.map(bodyText), [expected, expected], `in ${pieces.length} pieces`);
      client.end();
    }
  });
}

const REFUSED: [name: string, bytes: string | Uint8Array][] = [
  ["no header", GET],
  ["a malformed header", "PROXY TCP4 here there 1 2\r\n" + GET],
  ["a header of version 3", join([headerV2({ command: 0x31 }), latin1(GET)])],
];

Deno.test("A trusted peer that does not begin with a header is refused, and the application is not called", async () => {
  let calls = 0;
  const proxies = trustedProxies(new IpRanges(["127.0.0.1"]), { hasHeader: true });
  await using fake = fakeEngine(
    () => {
      calls++;
      return new Response("not reached");
    },
    {},
    { proxies },
  );
  for (const [name, bytes] of REFUSED) {
    const client = fake.listener.connect();
    client.send(bytes);
    await settled();
    assert.match(client.text, /^HTTP\/1\.1 400 [^]*expected a header of the PROXY protocol/, name);
    assert.equal(client.ended, true, name);
    client.end();
  }
  assert.equal(calls, 0);
});

Deno.test("A header of a peer that is not trusted is a malformed request, and without one it is served", async () => {
  await using fake = behind(["10.0.0.0/8"]);
  for (const header of [latin1(LINE), headerV2()]) {
    const client = fake.listener.connect();
    client.send(join([header, latin1(GET)]));
    await settled();
    assert.match(client.text, /^HTTP\/1\.1 400 /);
    client.end();
  }
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  assert.equal(bodyText(readResponses(client.bytes).responses[0]!), PEER);
});

Deno.test("A second header is a malformed request", async () => {
  await using fake = behind(["127.0.0.1"]);
  const client = fake.listener.connect();
  client.send(LINE + LINE + GET);
  await settled();
  assert.match(client.text, /^HTTP\/1\.1 400 /);
});

Deno.test("A peer that leaves before or in its header is let go without an answer", async () => {
  await using fake = behind(["127.0.0.1"]);
  for (const sent of ["", "PROXY TC"]) {
    for (const end of ["end", "reset"] as const) {
      const client = fake.listener.connect();
      client.send(sent);
      await settled();
      client[end]();
      await settled();
      assert.equal(client.isClosed, true);
      assert.equal(client.text, "");
    }
  }
  assert.equal(fake.engine.live.size, 0);
  assert.deepEqual(fake.lines, []);
});

Deno.test("A peer that does not finish its header is closed after the time for a head, or when the engine drains", async () => {
  await using fake = behind(["127.0.0.1"]);
  const slow = fake.listener.connect();
  const silent = fake.listener.connect();
  for (const piece of "PROXY TCP4 ") {
    slow.send(piece);
    await fake.clock.advance(1_000);
  }
  assert.equal(slow.isClosed, true);
  assert.equal(slow.text, "");
  assert.equal(silent.isClosed, false, "a peer that has sent nothing may idle");
  const other = fake.listener.connect();
  other.send("PROXY TC");
  await settled();
  fake.engine.drain();
  await fake.clock.advance(1_000);
  await fake.engine.finished;
  assert.equal(other.isClosed, true);
});

Deno.test("The client that the header names is asked for its word about others only if it is trusted too", async () => {
  const forwarded = "GET /a HTTP/1.1\r\nhost: a\r\nx-forwarded-for: 198.51.100.7\r\n\r\n";
  for (const [list, expected] of [[["127.0.0.1"], "203.0.113.9"], [["127.0.0.1", "203.0.113.0/24"], "198.51.100.7"]]) {
    await using fake = behind(list as string[]);
    const client = fake.listener.connect();
    client.send(LINE + forwarded);
    await settled();
    assert.equal(bodyText(readResponses(client.bytes).responses[0]!).split(" ")[0], expected);
  }
});
