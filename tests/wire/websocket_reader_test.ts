// The conformance cases of RFC 6455, section by section. Each is read whole, byte by byte, and split at every place.

import assert from "node:assert/strict";
import { FrameError, OPCODE } from "../../src/wire/websocket_codes.ts";
import { type Inflater, MessageReader } from "../../src/wire/websocket_reader.ts";
import { joined } from "../../src/wire/octets.ts";
import { type ClientFrame, closing, frame } from "../helpers/web_sockets.ts";

const { continuation, binary, close, ping, pong } = OPCODE;
const FIRST = 0x00; // The flags of a frame that is not the last.

/** What a reader tells: each event in a few words. A failure is the last. */
type Told = readonly (string | number)[];

/** Reads pieces and notes everything that the reader tells. */
function read(
  pieces: readonly Uint8Array[],
  { most = 1 << 20, inflater = null }: { most?: number; inflater?: Inflater | null } = {},
): Told {
  const reader = new MessageReader({ maxMessageBytes: most }, inflater);
  const told: (string | number)[] = [];
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const room = reader.room();
        assert.ok(room.length > 0, "there is always room");
        const count = Math.min(room.length, piece.length - at);
        room.set(piece.subarray(at, at + count));
        reader.filled(count);
        at += count;
        for (let received = reader.next(); received !== "needMore"; received = reader.next()) {
          told.push(
            received === "close"
              ? `close ${reader.code} ${reader.text}`
              : `${received} ${received === "text" ? reader.text : Array.from(reader.bytes)}`,
          );
        }
      }
    }
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    told.push(error.code);
  } finally {
    reader.close();
  }
  return told;
}

function splits(bytes: Uint8Array): (readonly Uint8Array[])[] {
  const single = Array.from(bytes, (octet) => Uint8Array.of(octet));
  const halves = Array.from({ length: Math.max(0, bytes.length - 1) }, (_, i) => [
    bytes.subarray(0, i + 1),
    bytes.subarray(i + 1),
  ]);
  return [[bytes], single, ...halves];
}

function bytesOf(frames: readonly ClientFrame[]): Uint8Array {
  const parts = frames.map(frame);
  return joined(parts, parts.reduce((length, part) => length + part.length, 0));
}

const utf8 = (...octets: number[]) => Uint8Array.from(octets);
const X125 = "x".repeat(125);
const X126 = "x".repeat(126);
const X65535 = "x".repeat(65_535);

interface Case {
  name: string;
  frames: readonly ClientFrame[];
  told: Told;
  /** Too long to be split at every place. */
  isLong?: boolean;
}

const CASES: readonly Case[] = [
  { name: "5.6: an empty text", frames: [{}], told: ["text "] },
  { name: "5.6: a text", frames: [{ payload: "Hello" }], told: ["text Hello"] },
  {
    name: "5.6: a text that begins with a byte order mark keeps it",
    frames: [{ payload: "\ufeffa" }],
    told: ["text \ufeffa"],
  },
  { name: "5.6: an empty binary message", frames: [{ opcode: binary }], told: ["binary "] },
  { name: "5.6: a binary message", frames: [{ opcode: binary, payload: utf8(0, 255, 1) }], told: ["binary 0,255,1"] },
  { name: "5.6: two messages", frames: [{ payload: "a" }, { payload: "b" }], told: ["text a", "text b"] },
  { name: "5.2: a payload of 125 bytes", frames: [{ payload: X125 }], told: [`text ${X125}`] },
  { name: "5.2: a payload of 126 bytes", frames: [{ payload: X126 }], told: [`text ${X126}`] },
  { name: "5.2: a payload of 65,535 bytes", frames: [{ payload: X65535 }], told: [`text ${X65535}`], isLong: true },
  {
    name: "5.2: a payload of 65,536 bytes",
    frames: [{ payload: `${X65535}y` }],
    told: [`text ${X65535}y`],
    isLong: true,
  },
  { name: "5.2: a length of 2 bytes that needs none", frames: [{ payload: "a", lengthBytes: 2 }], told: [1002] },
  { name: "5.2: a length of 8 bytes that needs none", frames: [{ payload: "a", lengthBytes: 8 }], told: [1002] },
  { name: "5.2: a length of 8 bytes that needs 2", frames: [{ payload: X126, lengthBytes: 8 }], told: [1002] },
  { name: "5.2: a length whose first bit is set", frames: [{ lengthBytes: 8, length: 2 ** 63 }], told: [1002] },
  { name: "5.2: RSV1 without an extension", frames: [{ flags: 0xc0 }], told: [1002] },
  { name: "5.2: RSV2", frames: [{ flags: 0xa0 }], told: [1002] },
  { name: "5.2: RSV3", frames: [{ flags: 0x90 }], told: [1002] },
  { name: "5.2: a reserved bit on a ping", frames: [{ opcode: ping, flags: 0xc0 }], told: [1002] },
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `5.2: the opcode ${opcode}`,
    frames: [{ payload: "a" }, { opcode }],
    told: ["text a", 1002],
  })),
  { name: "5.1: a frame without a mask", frames: [{ payload: "a", mask: null }], told: [1002] },
  { name: "5.1: an empty frame without a mask", frames: [{ mask: null }], told: [1002] },
  { name: "5.1: a ping without a mask", frames: [{ opcode: ping, mask: null }], told: [1002] },
  { name: "5.3: a mask of zeros", frames: [{ payload: "ab", mask: [0, 0, 0, 0] }], told: ["text ab"] },
  {
    name: "5.4: two fragments",
    frames: [{ payload: "He", flags: FIRST }, { opcode: continuation, payload: "llo" }],
    told: ["text Hello"],
  },
  {
    name: "5.4: three fragments of bytes, one of them empty",
    frames: [
      { opcode: binary, payload: utf8(1), flags: FIRST },
      { opcode: continuation, flags: FIRST },
      { opcode: continuation, payload: utf8(2, 3) },
    ],
    told: ["binary 1,2,3"],
  },
  {
    name: "5.4: empty fragments",
    frames: [{ flags: FIRST }, { opcode: continuation, flags: FIRST }, { opcode: continuation }],
    told: ["text "],
  },
  {
    name: "5.4: control frames between fragments",
    frames: [
      { payload: "a", flags: FIRST },
      { opcode: ping, payload: utf8(7) },
      { opcode: pong },
      { opcode: continuation, payload: "b" },
    ],
    told: ["ping 7", "pong ", "text ab"],
  },
  {
    name: "5.4: a Close frame between fragments",
    frames: [{ payload: "a", flags: FIRST }, { opcode: close, payload: closing(1000) }],
    told: ["close 1000 "],
  },
  { name: "5.4: a continuation without a beginning", frames: [{ opcode: continuation, payload: "a" }], told: [1002] },
  {
    name: "5.4: a continuation after the last fragment",
    frames: [{ payload: "a", flags: FIRST }, { opcode: continuation }, { opcode: continuation }],
    told: ["text a", 1002],
  },
  { name: "5.4: a message within a message", frames: [{ flags: FIRST }, { payload: "b" }], told: [1002] },
  {
    name: "5.5: a ping of 125 bytes",
    frames: [{ opcode: ping, payload: X125 }],
    told: [`ping ${Array(125).fill(120)}`],
  },
  { name: "5.5: a ping of 126 bytes", frames: [{ opcode: ping, payload: X126 }], told: [1002] },
  { name: "5.5: a Close frame of 126 bytes", frames: [{ opcode: close, payload: X126 }], told: [1002] },
  { name: "5.5: a ping in fragments", frames: [{ opcode: ping, flags: FIRST }], told: [1002] },
  { name: "5.5: a pong in fragments", frames: [{ opcode: pong, flags: FIRST }], told: [1002] },
  { name: "5.5: a Close frame in fragments", frames: [{ opcode: close, flags: FIRST }], told: [1002] },
  { name: "5.5.1: a Close frame without a code", frames: [{ opcode: close }], told: ["close 1005 "] },
  { name: "5.5.1: half a code", frames: [{ opcode: close, payload: utf8(3) }], told: [1002] },
  {
    name: "5.5.1: a code and a reason",
    frames: [{ opcode: close, payload: closing(1000, "h\u00e9") }],
    told: ["close 1000 h\u00e9"],
  },
  {
    name: "5.5.1: a reason of 123 bytes",
    frames: [{ opcode: close, payload: closing(1000, "r".repeat(123)) }],
    told: [`close 1000 ${"r".repeat(123)}`],
  },
  {
    name: "5.5.1: a reason that is not UTF-8",
    frames: [{ opcode: close, payload: utf8(3, 232, 0xc3) }],
    told: [1007],
  },
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999].map((code) => ({
    name: `7.4: the code ${code}`,
    frames: [{ opcode: close, payload: closing(code) }],
    told: [`close ${code} `],
  })),
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535].map((code) => ({
    name: `7.4: the code ${code}, which cannot be sent`,
    frames: [{ opcode: close, payload: closing(code) }],
    told: [1002],
  })),
  ...["\u00fcber", "\u20ac", "\u{1f9f5}", "\ufffd", "\ud7ff\ue000", "\u{10ffff}", "a\u0000b"].map((payload) => ({
    name: `8.1: the text ${JSON.stringify(payload)}`,
    frames: [{ payload }],
    told: [`text ${payload}`],
  })),
  ...[
    [0x80],
    [0xbf],
    [0xc0, 0xaf],
    [0xc1, 0xbf],
    [0xc3],
    [0xc3, 0x28],
    [0xe0, 0x80, 0xaf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xed, 0xbf, 0xbf],
    [0xf0, 0x80, 0x80, 0xaf],
    [0xf0, 0x9f, 0xa7],
    [0xf4, 0x90, 0x80, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xfe],
    [0xff],
    [0xef, 0xbf, 0xbd, 0xff],
  ].map((octets) => ({
    name: `8.1: the bytes ${octets.map((octet) => octet.toString(16)).join(" ")}, which are not UTF-8`,
    frames: [{ payload: utf8(0x61, ...octets) }],
    told: [1007],
  })),
  {
    name: "8.1: a character in three fragments",
    frames: [
      { payload: utf8(0xe2), flags: FIRST },
      { opcode: continuation, payload: utf8(0x82), flags: FIRST },
      { opcode: continuation, payload: utf8(0xac) },
    ],
    told: ["text \u20ac"],
  },
  {
    name: "8.1: a character whose end does not come with the last fragment",
    frames: [{ payload: utf8(0xe2), flags: FIRST }, { opcode: continuation, payload: utf8(0x82) }],
    told: [1007],
  },
  {
    name: "8.1: binary messages may hold anything",
    frames: [{ opcode: binary, payload: utf8(0xff, 0xc0) }],
    told: ["binary 255,192"],
  },
];

for (const { name, frames, told, isLong = false } of CASES) {
  Deno.test(`A reader of frames knows ${name}`, () => {
    const bytes = bytesOf(frames);
    if (isLong) {
      const thirds = [bytes.subarray(0, 9), bytes.subarray(9, 30_000), bytes.subarray(30_000)];
      for (const pieces of [[bytes], thirds]) assert.deepEqual(read(pieces), told);
      return;
    }
    for (const pieces of splits(bytes)) assert.deepEqual(read(pieces), told);
    // Nothing follows a failure or a Close frame.
    if (/^(close|\d)/.test(String(told.at(-1)))) return;
    // What follows is not taken for a part of it.
    assert.deepEqual(read([joined([bytes, frame({ payload: "more" })], bytes.length + 10)]), [...told, "text more"]);
  });
}

Deno.test("A text that is not UTF-8 is found before its frame, or its message, is complete", () => {
  const bytes = frame({ payload: utf8(0x61, 0xf4, 0x90, 0x61, 0x61, 0x61) });
  assert.deepEqual(read([bytes.subarray(0, 9)]), [1007], "the second byte of a character is wrong");
  const first = frame({ payload: utf8(0xce, 0xba, 0xff), flags: FIRST });
  assert.deepEqual(read([first]), [1007]);
});

Deno.test("A wrong header is found with its first wrong byte", () => {
  assert.deepEqual(read([utf8(0x83)]), [1002]);
  assert.deepEqual(read([utf8(0x81, 0x01)]), [1002]);
  assert.deepEqual(read([utf8(0x89, 0xfe)]), [1002]);
});

Deno.test("A message over the limit is refused before it comes: by its header, or by the sum of its fragments", () => {
  const most = 1000;
  assert.deepEqual(read([frame({ payload: "x".repeat(1000) })], { most }), [`text ${"x".repeat(1000)}`]);
  assert.deepEqual(read([frame({ payload: "x".repeat(1001) }).subarray(0, 4)], { most }), [1009]);
  const half: ClientFrame = { opcode: binary, payload: new Uint8Array(501), flags: FIRST };
  assert.deepEqual(read([bytesOf([half, { ...half, opcode: continuation }]).subarray(0, 520)], { most }), [1009]);
  assert.deepEqual(read([frame({ lengthBytes: 8, length: 2 ** 53 }).subarray(0, 10)], { most }), [1009]);
  assert.deepEqual(read([frame({ opcode: ping, payload: X125 })], { most: 1 }), [`ping ${Array(125).fill(120)}`]);
});

Deno.test("A message in more fragments than any sender needs is refused", () => {
  const empty = frame({ opcode: continuation, flags: FIRST });
  const flood = new Uint8Array(empty.length * 140_000);
  for (let at = 0; at < flood.length; at += empty.length) flood.set(empty, at);
  assert.deepEqual(read([frame({ flags: FIRST }), flood]), [1008]);
});

Deno.test("A long binary message is read into an array of its own, whatever pieces it comes in", () => {
  const payload = Uint8Array.from({ length: 3_000_001 }, (_, i) => i * 7);
  const whole = frame({ opcode: binary, payload });
  for (const step of [1_000, 65_536, 1_000_003]) {
    const reader = new MessageReader({ maxMessageBytes: 1 << 23 });
    let received = "needMore";
    for (let at = 0; at < whole.length;) {
      assert.equal(received, "needMore");
      const room = reader.room();
      const count = Math.min(step, room.length, whole.length - at);
      room.set(whole.subarray(at, at + count));
      reader.filled(count);
      at += count;
      received = reader.next();
    }
    assert.equal(received, "binary");
    assert.equal(reader.bytes.length, reader.bytes.buffer.byteLength);
    assert.deepEqual(reader.bytes, payload);
    reader.close();
  }
});

Deno.test("A socket whose messages outgrow the small buffer gets a large one, and keeps it until they are short again", () => {
  const reader = new MessageReader({ maxMessageBytes: 1 << 20 });
  /** Gives how many reads a message took. */
  const take = (bytes: Uint8Array): number => {
    let reads = 0;
    for (let at = 0; at < bytes.length; reads++) {
      assert.equal(reader.next(), "needMore");
      const room = reader.room();
      const count = Math.min(room.length, bytes.length - at);
      room.set(bytes.subarray(at, at + count));
      reader.filled(count);
      at += count;
    }
    assert.equal(reader.next(), "text");
    return reads;
  };
  const small = reader.room().length;
  const long = frame({ payload: "x".repeat(small) });
  assert.deepEqual([take(long), take(long), take(long)], [2, 1, 1]);
  const short = frame({ payload: "x" });
  for (let i = 0; i < 10; i++) assert.equal(take(short), 1);
  assert.equal(reader.room().length, small, "an idle socket waits with a small buffer");
  reader.close();
});

Deno.test("A message is let go of when it was taken, and the next one is read", () => {
  const reader = new MessageReader({ maxMessageBytes: 1024 });
  reader.put(bytesOf([{ opcode: OPCODE.text, payload: "first" }, { opcode: binary, payload: utf8(1, 2) }]));
  assert.equal(reader.next(), "text");
  assert.equal(reader.text, "first");
  reader.letGo();
  assert.equal(reader.text, "");
  assert.equal(reader.next(), "binary");
  assert.deepEqual([...reader.bytes], [1, 2]);
  reader.letGo();
  assert.equal(reader.bytes.length, 0);
  reader.close();
});

Deno.test("A frame that only says to be long takes no memory for it", () => {
  const reader = new MessageReader({ maxMessageBytes: 1 << 30 });
  const header = frame({ opcode: binary, payload: utf8(1), length: 1 << 30 });
  reader.room().set(header);
  reader.filled(header.length);
  assert.equal(reader.next(), "needMore");
  assert.ok(reader.room().length <= 1 << 20);
  reader.close();
});

Deno.test("A compressed message is given to the inflater as a whole, and only its first frame may say so", () => {
  const inflater: Inflater = { inflate: (bytes) => bytes.map((octet) => octet + 1) };
  const frames = [
    { payload: "GdkKn".replace("K", "k"), flags: 0xc0 },
    { payload: "9", flags: 0x40 },
    { opcode: ping },
    { opcode: continuation, payload: "8" },
    { opcode: binary, payload: utf8(1), flags: 0xc0 },
    { payload: "plain" },
  ];
  for (const pieces of splits(bytesOf(frames))) {
    assert.deepEqual(read(pieces, { inflater }), ["text Hello", "ping ", "text :9", "binary 2", "text plain"]);
  }
  const again = [{ flags: 0x40 }, { opcode: continuation, flags: 0xc0 }];
  assert.deepEqual(read([bytesOf(again)], { inflater }), [1002]);
  assert.deepEqual(read([frame({ opcode: ping, flags: 0xc0 })], { inflater }), [1002]);
});
