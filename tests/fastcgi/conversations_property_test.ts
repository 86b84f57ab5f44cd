// Random applications behind random requests: what looks complete to a client is what the application has sent, every client
// gets an answer or is cut off, and every connection comes back.

import assert from "node:assert/strict";
import fc from "npm:fast-check@^4";
import { type AppRequest, record, responder, STDOUT } from "../helpers/fastcgi_responder.ts";
import { front } from "../helpers/fastcgi_front.ts";

/** What the application does with a request. */
interface Script {
  head: "right" | "right" | "none" | "broken";
  length: "none" | "right" | "more" | "less";
  /** Sizes of the records of the body. */
  pieces: number[];
  padding: number;
  stderr: boolean;
  readsBody: "first" | "last" | "never";
  end: "end" | "close" | "garbage";
  isOneWrite: boolean;
}

interface Asked {
  method: "GET" | "POST" | "PUT" | "HEAD";
  bodyBytes: number;
  isChunked: boolean;
  script: Script;
}

const script: fc.Arbitrary<Script> = fc.record({
  head: fc.constantFrom("right", "right", "right", "right", "none", "broken"),
  length: fc.constantFrom("none", "right", "more", "less"),
  pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 65_535 })), { maxLength: 6 }),
  padding: fc.integer({ min: 0, max: 255 }),
  stderr: fc.boolean(),
  readsBody: fc.constantFrom("first", "first", "last", "never"),
  end: fc.constantFrom("end", "end", "end", "close", "garbage"),
  isOneWrite: fc.boolean(),
}) as fc.Arbitrary<Script>;

const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "HEAD"),
  bodyBytes: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 400_000 })),
  isChunked: fc.boolean(),
  script,
}) as fc.Arbitrary<Asked>;

function bodyOf(pieces: number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: pieces.reduce((sum, size) => sum + size, 0) }, (_, i) => i * 7 + (i >> 8));
}

const LENGTHS = { none: null, right: 0, more: 5, less: -1 };

/** True if the application sends what can be passed on whole. */
function isSound({ head, length, pieces, end }: Script): boolean {
  const isLess = length === "less" && pieces.length > 0;
  return head === "right" && length !== "more" && !isLess && end === "end";
}

async function play(
  request: AppRequest,
  { head, length, pieces, padding, stderr, readsBody, end, isOneWrite }: Script,
): Promise<void> {
  if (readsBody === "first") await request.body();
  const parts: Uint8Array[] = [];
  const send = async (...bytes: Uint8Array[]) => {
    if (isOneWrite) parts.push(...bytes);
    else await request.send(...bytes);
  };
  const body = bodyOf(pieces);
  const more = LENGTHS[length];
  const promised = more === null ? "" : `Content-Length: ${Math.max(0, body.length + more)}\r\n`;
  if (head === "right") await send(record(STDOUT, `A: b\r\n${promised}\r\n`, { padding }));
  if (head === "broken") await send(record(STDOUT, "this is not a head\r\n\r\n", { padding }));
  if (stderr) await send(record(7, "a line\n", { padding }));
  let at = 0;
  if (head === "right") {
    for (const size of pieces) await send(record(STDOUT, body.subarray(at, at += size), { padding }));
  }
  if (end === "garbage") await send(new Uint8Array(16).fill(9));
  if (end === "end") await send(record(STDOUT, ""), record(3, "\0\0\0\0\0\0\0\0"));
  if (isOneWrite) await request.send(Uint8Array.from(parts.flatMap((part) => [...part])));
  if (readsBody === "last") await readRest(request);
  if (end !== "end") request.close();
}

/** Reads the body. The rest of it is not sent to an application that has answered. */
async function readRest(request: AppRequest): Promise<void> {
  try {
    await request.body();
  } catch (error) {
    const isEnded = error instanceof Error && /the connection ended|reset by peer/.test(error.message);
    if (!isEnded) throw error;
  }
}

Deno.test("What looks complete is what the application has sent, and every connection comes back", async () => {
  const scripts = new Map<string, Script>();
  await using app = responder(async (request) => {
    const script = scripts.get(request.variables.PATH_INFO ?? "");
    assert.ok(script !== undefined);
    await play(request, script);
  });
  let count = 0;
  for (
    const [keepConnections, body] of [[false, "whole"], [true, "stream"], [true, "whole"], [false, "stream"]] as const
  ) {
    const options = { address: app.address, keepConnections, maxConnections: 3, timeoutMs: 10_000 };
    await using server = front(options, { body });
    const ask = async ({ method, bodyBytes, isChunked, script }: Asked): Promise<void> => {
      const path = `/${count++}`;
      scripts.set(path, script);
      const content = bodyOf([bodyBytes]);
      const hasBody = method === "POST" || method === "PUT";
      const sent = !hasBody ? null : isChunked ? new Blob([content]).stream() : content;
      let outcome: "whole" | "cut" | number;
      try {
        const response = await fetch(server.url + path, { method, body: sent, ...{ duplex: "half" } });
        const bytes = await response.bytes();
        outcome = response.status === 200 ? "whole" : response.status;
        if (outcome === "whole" && method !== "HEAD") {
          const expected = bodyOf(script.pieces);
          // All that was promised may have come before the application did something wrong.
          const isAll = bytes.length === expected.length ||
            (script.length === "less" && bytes.length === expected.length - 1);
          assert.ok(isAll, `${bytes.length} of ${expected.length} bytes`);
          assert.deepEqual(bytes, expected.subarray(0, bytes.length));
          assert.ok(
            script.end === "end" || script.length === "right" || script.length === "less",
            "its end was not told",
          );
        }
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        outcome = "cut";
      }
      // A program that closes without having read the body may take its answer back.
      const mayReset = hasBody && bodyBytes > 0 && script.readsBody !== "first";
      if (isSound(script) && !mayReset) assert.equal(outcome, "whole", JSON.stringify(script));
      if (script.head !== "right") assert.ok(outcome === 502 || outcome === "cut", `${outcome}`);
    };
    await fc.assert(
      fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 8 }), async (all) => {
        await Promise.all(all.map(ask));
        scripts.clear();
        while (server.handler.backends.busy > 0) await Deno.lstat(".");
        assert.equal(server.handler.backends.waiting, 0);
        assert.deepEqual(server.said.filter((line) => line.includes("--backend-timeout")), []);
      }),
      { numRuns: 15 },
    );
  }
});
