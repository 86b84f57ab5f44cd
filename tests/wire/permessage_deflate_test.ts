// What is negotiated for compressed messages, and messages that refer to earlier ones.

import assert from "node:assert/strict";
import { constants, createDeflateRaw, type DeflateRaw } from "node:zlib";
import { rawDeflate } from "../../src/platform/node_zlib.ts";
import { MessageDeflate, negotiate, showTerms } from "../../src/wire/permessage_deflate.ts";
import { FrameError } from "../../src/wire/websocket_codes.ts";

const OFFERS: readonly [offers: string, agreed: string | null][] = [
  ["permessage-deflate", "permessage-deflate; server_no_context_takeover"],
  ["permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover"],
  ["Permessage-Deflate;client_max_window_bits=8", "permessage-deflate; server_no_context_takeover"],
  [
    "permessage-deflate; server_max_window_bits=10; client_no_context_takeover",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
  ],
  [
    'permessage-deflate; server_max_window_bits="9"',
    "permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
  ],
  [
    "permessage-deflate; server_max_window_bits=8, permessage-deflate",
    "permessage-deflate; server_no_context_takeover",
  ],
  ["x-webkit-deflate-frame", null],
  ["permessage-deflate; server_max_window_bits", null],
  ["permessage-deflate; server_max_window_bits=16", null],
  ["permessage-deflate; client_max_window_bits=7", null],
  ["permessage-deflate; client_no_context_takeover=1", null],
  ["permessage-deflate; client_no_context_takeover; client_no_context_takeover", null],
  ["permessage-deflate; unknown", null],
  ["", null],
];

for (const [offers, agreed] of OFFERS) {
  Deno.test(`The offer "${offers}" is ${agreed === null ? "declined" : `answered "${agreed}"`}`, () => {
    const terms = negotiate(offers);
    assert.equal(terms === null ? null : showTerms(terms), agreed);
  });
}

const TERMS = { clientTakeover: true, serverBits: 15 };

/** A client's compressor, which goes on from message to message. */
async function compress(stream: DeflateRaw, bytes: Uint8Array): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const keep = (piece: Uint8Array) => pieces.push(piece);
  stream.on("data", keep);
  stream.write(bytes);
  await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, () => resolve()));
  stream.off("data", keep);
  const whole = await new Blob(pieces as BlobPart[]).bytes();
  return whole.subarray(0, -4);
}

Deno.test("Messages that refer to earlier ones are inflated, over more than a window", async () => {
  const stream = createDeflateRaw();
  const deflate = new MessageDeflate(TERMS, rawDeflate);
  for (let i = 0; i < 30; i++) {
    const message = new TextEncoder().encode(
      JSON.stringify(Array.from({ length: 50 + i * 20 }, (_, k) => `entry ${(k * 7919 + i) % 1000}`)),
    );
    const compressed = await compress(stream, message);
    assert.ok(compressed.length < message.length);
    assert.deepEqual(deflate.inflate(compressed, message.length), message);
  }
  stream.close();
});

Deno.test("A message of the server needs no other one, and what flushing adds is not sent", () => {
  const deflate = new MessageDeflate(TERMS, rawDeflate);
  const message = new TextEncoder().encode("again and again ".repeat(100));
  const first = deflate.deflate(message);
  assert.deepEqual(deflate.deflate(message), first);
  assert.notDeepEqual([...first.slice(-4)], [0, 0, 255, 255]);
  assert.deepEqual(new MessageDeflate(TERMS, rawDeflate).inflate(first, 10_000), message);
});

Deno.test("A message that inflates to more than the limit is refused with 1009 before it is there", () => {
  const bomb = new MessageDeflate(TERMS, rawDeflate).deflate(new Uint8Array(50_000_000));
  assert.ok(bomb.length < 60_000);
  const deflate = new MessageDeflate(TERMS, rawDeflate);
  assert.throws(() => deflate.inflate(bomb, 1_000_000), (error) => error instanceof FrameError && error.code === 1009);
});

Deno.test("A message that is not valid is refused with 1007", () => {
  const deflate = new MessageDeflate(TERMS, rawDeflate);
  const bad = Uint8Array.of(1, 2, 3, 4, 5);
  assert.throws(() => deflate.inflate(bad, 1_000), (error) => error instanceof FrameError && error.code === 1007);
});
