// Conversations over a socket, in the groups of the Autobahn test suite: an application that echoes everything answers with
// these frames, however the client's bytes are cut into pieces. The cases of a reader alone are in tests/wire.

import assert from "node:assert/strict";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import fc from "npm:fast-check@^4";
import { OPCODE } from "../../src/wire/websocket_codes.ts";
import { joined } from "../../src/wire/octets.ts";
import { serving } from "../helpers/serving.ts";
import { type ClientFrame, closing, frame, RawSocket, type ServerFrame } from "../helpers/web_sockets.ts";

const { continuation, binary, close, ping, pong } = OPCODE;
const FIRST = 0x00; // The flags of a frame that is not the last.
const DEFLATE = "sec-websocket-extensions: permessage-deflate\r\n";

function serveEcho() {
  return serving((request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { compress: true } as Deno.UpgradeWebSocketOptions);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
}

function bytesOf(frames: readonly ClientFrame[]): Uint8Array {
  const parts = frames.map(frame);
  return joined(parts, parts.reduce((length, part) => length + part.length, 0));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
}

/** Shows an answer in a few words. */
function show({ flags, opcode, payload }: ServerFrame): string {
  assert.equal(flags, 0x80);
  if (opcode === close) return `close ${payload.length === 0 ? "" : payload[0]! << 8 | payload[1]!}`;
  return `${opcode === ping ? "ping" : opcode === pong ? "pong" : opcode === binary ? "binary" : "text"} ${
    text(payload)
  }`;
}

const END: ClientFrame = { opcode: close, payload: closing(1000) };
const HELLO: ClientFrame = { payload: "Hello" };
const text16 = "0123456789abcdef";

interface Case {
  name: string;
  frames: readonly ClientFrame[];
  /** All frames of the answer. The connection ends after them. */
  answer: readonly string[];
}

const CASES: readonly Case[] = [
  ...[0, 1, 125, 126, 127, 128].flatMap((length) =>
    ([[1, "text"], [binary, "binary"]] as const).map(([opcode, kind]) => ({
      name: `1: ${kind} of ${length} bytes`,
      frames: [{ opcode, payload: "*".repeat(length) }, END],
      answer: [`${kind} ${"*".repeat(length)}`, "close 1000"],
    }))
  ),
  {
    name: "2: ten pings, and pongs that were not asked for",
    frames: [
      ...Array.from({ length: 10 }, (_, i) => ({ opcode: ping, payload: `p${i}` })),
      { opcode: pong, payload: "unasked" },
      { opcode: ping, payload: "\u0000\u00ff" },
      { opcode: ping },
      END,
    ],
    answer: [...Array.from({ length: 10 }, (_, i) => `pong p${i}`), "pong \u0000\u00ff", "pong ", "close 1000"],
  },
  ...[0x90, 0xa0, 0xb0].map((flags) => ({
    name: `3: the reserved bits ${flags.toString(2)} after a text and before a ping`,
    frames: [HELLO, { ...HELLO, flags }, { opcode: ping }],
    answer: ["text Hello", "close 1002"],
  })),
  ...[3, 5, 7, 11, 15].map((opcode) => ({
    name: `4: the opcode ${opcode} after a text and before a ping`,
    frames: [HELLO, { opcode, payload: "x" }, { opcode: ping }],
    answer: ["text Hello", "close 1002"],
  })),
  {
    name: "5: fragments with a ping between each two",
    frames: [
      { payload: "f1", flags: FIRST },
      { opcode: ping, payload: "1" },
      { opcode: continuation, payload: "f2", flags: FIRST },
      { opcode: ping, payload: "2" },
      { opcode: continuation, payload: "f3" },
      END,
    ],
    answer: ["pong 1", "pong 2", "text f1f2f3", "close 1000"],
  },
  {
    name: "5: a text in fragments, and a continuation that continues nothing",
    frames: [{ payload: "a", flags: FIRST }, { opcode: continuation, payload: "b" }, { opcode: continuation }],
    answer: ["text ab", "close 1002"],
  },
  {
    name: "5: a text within a text in fragments",
    frames: [{ payload: "a", flags: FIRST }, HELLO],
    answer: ["close 1002"],
  },
  {
    name: "6: a text of which each byte is a fragment",
    frames: [
      ...Array.from(new TextEncoder().encode("\u03ba\u1f79\u{1f9f5}"), (octet, i) => ({
        opcode: i === 0 ? 1 : continuation,
        payload: Uint8Array.of(octet),
        flags: i === 8 ? 0x80 : FIRST,
      })),
      END,
    ],
    answer: ["text \u03ba\u1f79\u{1f9f5}", "close 1000"],
  },
  {
    name: "6: a text whose mistake is in the second fragment; the third does not matter",
    frames: [
      { payload: "\u03ba", flags: FIRST },
      { opcode: continuation, payload: Uint8Array.of(0xf4, 0x90), flags: FIRST },
      { opcode: continuation, payload: Uint8Array.of(0x80, 0x80) },
    ],
    answer: ["close 1007"],
  },
  { name: "7: Close twice", frames: [END, END], answer: ["close 1000"] },
  { name: "7: a ping and a text after Close", frames: [END, { opcode: ping }, HELLO], answer: ["close 1000"] },
  {
    name: "7: Close within a fragmented message",
    frames: [{ payload: "a", flags: FIRST }, END, { opcode: continuation }],
    answer: ["close 1000"],
  },
  { name: "7: Close without a code", frames: [{ opcode: close }], answer: ["close "] },
  { name: "7: half a code", frames: [{ opcode: close, payload: "x" }], answer: ["close 1002"] },
  {
    name: "7: a reason that is too long",
    frames: [{ opcode: close, payload: closing(1000, "r".repeat(124)) }],
    answer: ["close 1002"],
  },
  {
    name: "7: a reason that is not UTF-8",
    frames: [{ opcode: close, payload: Uint8Array.of(3, 232, 0xce, 0xff) }],
    answer: ["close 1007"],
  },
  ...[1000, 1003, 1011, 3000, 4999].map((code) => ({
    name: `7: the code ${code} is said back`,
    frames: [{ opcode: close, payload: closing(code, "why") }],
    answer: [`close ${code}`],
  })),
  ...[0, 999, 1005, 1016, 2999, 65535].map((code) => ({
    name: `7: the code ${code} cannot be sent`,
    frames: [{ opcode: close, payload: closing(code) }],
    answer: ["close 1002"],
  })),
  {
    name: "9: 64 KiB in fragments of 64 bytes",
    frames: [
      ...Array.from({ length: 1024 }, (_, i) => ({
        opcode: i === 0 ? 1 : continuation,
        payload: text16.repeat(4),
        flags: i === 1023 ? 0x80 : FIRST,
      })),
      END,
    ],
    answer: [`text ${text16.repeat(4096)}`, "close 1000"],
  },
  {
    name: "9: 200 messages in one write",
    frames: [...Array.from({ length: 200 }, (_, i) => ({ payload: `${i % 3} ${text16}` })), END],
    answer: [...Array.from({ length: 200 }, (_, i) => `text ${i % 3} ${text16}`), "close 1000"],
  },
];

/** Ways to send bytes, so that the server reads them in different pieces. */
const WAYS: readonly [how: string, step: number][] = [["whole", Infinity], ["byte by byte", 1], ["in pieces", 997]];

for (const { name, frames, answer } of CASES) {
  Deno.test(`A server answers as Autobahn expects, ${name}`, async () => {
    await using server = serveEcho();
    const bytes = bytesOf(frames);
    for (const [how, step] of WAYS) {
      if (step === 1 && bytes.length > 2_000) continue; // Tens of thousands of writes; the reader's own test has them.
      using raw = await RawSocket.connect(server.server.addr);
      for (let at = 0; at < bytes.length && !raw.client.ended; at += step) {
        await raw.client.send(bytes.subarray(at, at + step)).catch(() => {}); // The server may have gone by then.
      }
      assert.deepEqual((await raw.untilEnd()).map(show), answer, how);
    }
  });
}

/** Compresses one message that refers to no other. */
function compressed(payload: string | Uint8Array): Uint8Array {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** Inflates what a server has sent, if it says that it is compressed. */
function inflated({ flags, payload }: ServerFrame): string {
  if ((flags & 0x40) === 0) return text(payload);
  return text(inflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }));
}

Deno.test("Messages of any contents and size come back, 12: compressed, 13: in fragments or not, in whatever pieces", async () => {
  await using server = serveEcho();
  const message = fc.record({
    data: fc.oneof(fc.string({ unit: "grapheme", maxLength: 60 }), fc.string({ minLength: 500, maxLength: 3_000 })),
    isCompressed: fc.boolean(),
    fragments: fc.integer({ min: 1, max: 4 }),
    ping: fc.boolean(),
  });
  const conversation = fc.array(message, { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(conversation, fc.integer({ min: 1, max: 3_000 }), async (messages, step) => {
      const frames: ClientFrame[] = [];
      for (const { data, isCompressed, fragments, ping: withPing } of messages) {
        const payload = isCompressed ? compressed(data) : new TextEncoder().encode(data);
        const size = Math.ceil(payload.length / fragments);
        for (let i = 0; i < fragments; i++) {
          const flags = (i === fragments - 1 ? 0x80 : 0) | (i === 0 && isCompressed ? 0x40 : 0);
          frames.push({
            opcode: i === 0 ? 1 : continuation,
            payload: payload.subarray(i * size, (i + 1) * size),
            flags,
          });
          if (withPing && i === 0) frames.push({ opcode: ping, payload: "between" });
        }
      }
      const bytes = bytesOf([...frames, END]);
      using raw = await RawSocket.connect(server.server.addr, { fields: DEFLATE });
      for (let at = 0; at < bytes.length; at += step) await raw.client.send(bytes.subarray(at, at + step));
      const answers = await raw.untilEnd();
      const texts = answers.filter(({ opcode }) => opcode === 1).map(inflated);
      const pongs = answers.filter(({ opcode }) => opcode === pong).length;
      assert.deepEqual(texts, messages.map(({ data }) => data));
      assert.equal(pongs, messages.filter((each) => each.ping).length);
      assert.equal(answers.at(-1)?.opcode, close);
    }),
    { numRuns: 60 },
  );
});
