// Random conversations and random bytes: what a client sends arrives as it was, in whatever pieces it comes; and nothing that a
// client can send makes a reader fail in another way than with a FrameError.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { COMPRESSED, FINAL, FrameError, OPCODE } from "../../src/wire/websocket_codes.ts";
import { rotated, unmask } from "../../src/wire/websocket_mask.ts";
import { MessageReader } from "../../src/wire/websocket_reader.ts";
import { textFrame, writeHeader, writeText } from "../../src/wire/websocket_writer.ts";
import { joined } from "../../src/wire/octets.ts";
import { frame, readFrames } from "../helpers/web_sockets.ts";

const octet = fc.integer({ min: 0, max: 255 });
const mask = fc.tuple(octet, octet, octet, octet);
const payload = fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ minLength: 5_000, maxLength: 9_000 }));
const text = fc.oneof(fc.string({ unit: "grapheme", maxLength: 100 }), fc.string({ unit: "binary", maxLength: 2_000 }));
/** How a message is cut into fragments, and the stream into reads: places, as parts of the whole. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...places.map((place) => Math.floor(place * bytes.length)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return joined([...parts], parts.reduce((length, part) => length + part.length, 0));
}

function readAll(pieces: readonly Uint8Array[]): (string | Uint8Array)[] {
  const reader = new MessageReader({ maxMessageBytes: 1 << 20 });
  const messages: (string | Uint8Array)[] = [];
  try {
    for (const piece of pieces) {
      for (let at = 0; at < piece.length;) {
        const room = reader.room();
        const count = Math.min(room.length, piece.length - at);
        room.set(piece.subarray(at, at + count));
        reader.filled(count);
        at += count;
        for (let kind = reader.next(); kind !== "needMore"; kind = reader.next()) {
          messages.push(kind === "text" ? reader.text : reader.bytes);
        }
      }
    }
  } finally {
    reader.close();
  }
  return messages;
}

Deno.test("Every message arrives as it was sent, in whatever fragments and reads it comes", () => {
  const message = fc.record({ data: fc.oneof(text, payload), fragments: cuts, mask, ping: fc.boolean() });
  fc.assert(fc.property(fc.array(message, { maxLength: 6 }), cuts, (messages, reads) => {
    const expected: (string | Uint8Array)[] = [];
    const parts: Uint8Array[] = [];
    for (const { data, fragments, mask, ping } of messages) {
      const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
      cut(bytes, fragments).forEach((payload, i, { length }) => {
        const opcode = i > 0 ? OPCODE.continuation : typeof data === "string" ? OPCODE.text : OPCODE.binary;
        parts.push(frame({ opcode, payload, mask, flags: i === length - 1 ? FINAL : 0 }));
        if (!ping) return;
        parts.push(frame({ opcode: OPCODE.ping, payload: Uint8Array.of(i), mask }));
        expected.push(Uint8Array.of(i));
      });
      // A ping behind the last fragment comes after the message.
      const isAfter = ping ? expected.pop() : undefined;
      expected.push(typeof data === "string" ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes) : bytes);
      if (isAfter !== undefined) expected.push(isAfter);
    }
    const got = readAll(cut(concat(parts), reads));
    assert.deepEqual(
      got.map((each) => typeof each === "string" ? each : [...each]),
      expected.map((each) => typeof each === "string" ? each : [...each]),
    );
  }));
});

Deno.test("Random bytes make a reader fail with a FrameError or wait, and never in another way", () => {
  const start = fc.constantFrom(0x81, 0x82, 0x01, 0x00, 0x80, 0x88, 0x89, FINAL | COMPRESSED | 1);
  const bytes = fc.tuple(start, fc.uint8Array({ maxLength: 400 })).map(([first, rest]) =>
    Uint8Array.of(first, ...rest)
  );
  fc.assert(fc.property(fc.array(bytes, { maxLength: 8 }), cuts, (parts, reads) => {
    try {
      readAll(cut(concat(parts), reads));
    } catch (error) {
      assert.ok(error instanceof FrameError, String(error));
      assert.ok([1002, 1007, 1008, 1009].includes(error.code));
    }
  }));
});

Deno.test("A change of one bit never gives another result in other pieces", () => {
  const one = fc.record({ data: fc.oneof(text, payload), mask, flip: fc.nat() });
  fc.assert(fc.property(one, cuts, ({ data, mask, flip }, reads) => {
    const bytes = concat([
      frame({ opcode: typeof data === "string" ? OPCODE.text : OPCODE.binary, payload: data, mask }),
      frame({ payload: "after", mask }),
    ]);
    const at = flip % (bytes.length * 8);
    bytes[at >> 3]! ^= 1 << (at & 7);
    const outcome = (pieces: Uint8Array[]) => {
      try {
        return JSON.stringify(readAll(pieces).map((each) => typeof each === "string" ? each : [...each]));
      } catch (error) {
        return error instanceof FrameError ? error.code : Promise.reject(error);
      }
    };
    assert.equal(outcome(cut(bytes, reads)), outcome([bytes]));
  }));
});

Deno.test("A mask gives back what it was put over, from any byte and at any address", () => {
  fc.assert(
    fc.property(payload, mask, fc.nat(9), fc.double({ min: 0, max: 1, noNaN: true }), (bytes, key, before, part) => {
      const masked = new Uint8Array(before + bytes.length + 3);
      masked.set(bytes.map((octet, i) => octet ^ (key[i & 3] ?? 0)), before);
      const view = new DataView(masked.buffer);
      const number = new DataView(Uint8Array.from(key).buffer).getInt32(0, true);
      const middle = before + Math.floor(part * bytes.length);
      unmask(view, before, { to: middle, mask: number });
      unmask(view, middle, { to: before + bytes.length, mask: rotated(number, middle - before) });
      assert.deepEqual(masked.slice(before, before + bytes.length), bytes);
      assert.deepEqual([...masked.slice(0, before), ...masked.slice(before + bytes.length)], Array(before + 3).fill(0));
    }),
  );
});

Deno.test("A server's frames have the header that their length needs", () => {
  const long = fc.integer({ min: 0, max: 70_000 }).map((length) => "x".repeat(length));
  fc.assert(fc.property(fc.oneof(text, long, text.map((each) => each.repeat(40))), (each) => {
    const room = new Uint8Array(each.length * 3 + 10);
    const written = room.slice(0, writeText(room, each));
    assert.deepEqual(written, textFrame(each));
    const frames = readFrames(written);
    assert.equal(frames.length, 1);
    assert.equal(frames[0]?.flags, FINAL);
    assert.deepEqual(frames[0]?.payload, new TextEncoder().encode(each));
  }));
  const header = new Uint8Array(10);
  writeHeader(header, 0x82, 2 ** 40 + 5);
  assert.deepEqual([...header], [0x82, 127, 0, 0, 1, 0, 0, 0, 0, 5]);
});
