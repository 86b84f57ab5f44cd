// An idle connection keeps nothing of the answer that it sent last: a body of bytes may have any size.

import assert from "node:assert/strict";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Handler } from "../../src/message/handler.ts";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Larger than what is copied into the buffers that connections share. */
const BODY_BYTES = 1024 * 1024;

/** Each answer that was made, and each buffer that was written, until they are collected. */
const made: WeakRef<object>[] = [];

function note<Kept extends object>(kept: Kept): Kept {
  made.push(new WeakRef(kept));
  return kept;
}

function bytes(): Response {
  return note(new Response(new Uint8Array(BODY_BYTES)));
}

function stream(): Response {
  const body = note(new Uint8Array(BODY_BYTES));
  return note(new Response(ReadableStream.from([body]), { headers: { "content-length": `${BODY_BYTES}` } }));
}

async function later(response: () => Response): Promise<Response> {
  await settled();
  return response();
}

interface Case {
  handler: Handler;
  accept?: () => Response | Promise<Response>;
  onError?: () => Response | Promise<Response>;
  method?: string;
}

const fail = () => {
  throw note(new Error("the handler's own"));
};

const CASES: Record<string, Case> = {
  "bytes": { handler: bytes },
  "bytes with a status and fields": {
    handler: () => note(new Response(new Uint8Array(BODY_BYTES), { status: 201, headers: { a: "b" } })),
  },
  "a promise of bytes": { handler: () => Promise.resolve(bytes()) },
  "bytes that come later": { handler: () => later(bytes) },
  "a text": { handler: () => note(new Response("x".repeat(BODY_BYTES))) },
  "a stream": { handler: stream },
  "a stream that comes later": { handler: () => later(stream) },
  "bytes for HEAD": { handler: bytes, method: "HEAD" },
  "bytes of onError": { handler: fail, onError: bytes },
  "bytes of onError that come later": { handler: () => later(fail), onError: () => later(bytes) },
  "bytes of accept": { handler: fail, accept: bytes },
  "bytes of accept that come later": { handler: fail, accept: () => later(bytes) },
};

for (const isObserved of [false, true]) {
  for (const hasBody of [false, true]) {
    const what = `${hasBody ? "with a body " : ""}${isObserved ? "whose phases are read " : ""}`;
    Deno.test(`An idle connection keeps nothing of its answer to a request ${what}`.trimEnd(), async () => {
      for (const [name, { handler, method, ...parts }] of Object.entries(CASES)) {
        made.length = 0;
        const readers = isObserved ? [{ see() {} }] : [];
        await using fake = fakeEngine(handler, { body: "auto" }, { ...parts, readers });
        const client = fake.listener.connect();
        const { socket } = client;
        let isAnswered = false;
        let length = 0;
        const write = socket.write.bind(socket);
        socket.write = (piece) => {
          if (piece.length >= BODY_BYTES) note(piece.buffer);
          length += piece.length;
          isAnswered = method === "HEAD" || length > BODY_BYTES;
          return write(piece);
        };
        const framing = hasBody ? "content-length: 1\r\n\r\nx" : "\r\n";
        client.send(`${method ?? (hasBody ? "POST" : "GET")} / HTTP/1.1\r\nhost: a\r\n${framing}`);
        await client.until(() => isAnswered && client.isRead);
        client.writes.length = 0;
        // What the last turn of the loop holds goes with the next one.
        for (let turn = 0; turn < 5; turn++) await settled();
        collectGarbage();
        assert.ok(made.length > 0, name);
        assert.equal(client.isClosed, false, name);
        const kept = made.map((held) => held.deref()?.constructor.name).filter((kind) => kind !== undefined);
        assert.deepEqual(kept, [], name);
      }
    });
  }
}
