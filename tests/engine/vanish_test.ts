// Clients that vanish after any byte leave no connection, no unhandled rejection and no error of the engine.

import assert from "node:assert/strict";
import process from "node:process";
import type { BodyPolicy } from "../../src/connection/options.ts";
import type { Handler } from "../../src/message/handler.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { settled } from "../helpers/duplex.ts";
import { itemAt } from "../helpers/items.ts";
import { realEngine } from "../helpers/serving.ts";

/** Random numbers from a seed, so that a run can be repeated (mulberry32). */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const handler: Handler = async (request, info) => {
  info.completed.catch(() => {});
  switch (new URL(request.url).pathname) {
    case "/read":
      return new Response(await request.text());
    case "/form":
      return Response.json([...(await request.formData()).keys()]);
    case "/echo":
      return new Response(request.body);
    case "/stream":
      return new Response(ReadableStream.from(Array.from({ length: 20 }, () => new Uint8Array(20_000))));
    case "/big":
      return new Response("x".repeat(500_000));
    case "/never":
      return await new Promise(() => {});
    case "/late":
      await settled();
      return new Response("late");
    default:
      return new Response("ok");
  }
};

const SCRIPTS = [
  "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /big HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /stream HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /never HTTP/1.1\r\nhost: a\r\n\r\n",
  "GET /late HTTP/1.1\r\nhost: a\r\n\r\nGET /late HTTP/1.1\r\nhost: a\r\n\r\n",
  `POST /read HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n${"x".repeat(3_000)}`,
  `POST /echo HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n${"x".repeat(3_000)}`,
  `POST /skip HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n${"x".repeat(3_000)}GET / HTTP/1.1\r\nhost: a\r\n\r\n`,
  "POST /read HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n5;x=y\r\nworld\r\n0\r\nt: v\r\n\r\n",
  "POST /read HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\nhello",
  'POST /form HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 60\r\n\r\n--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--b--\r\n\r\n',
  "NONSENSE\r\n\r\n",
];

/** Unhandled rejections while a test ran. */
async function withoutRejections(run: () => Promise<void>): Promise<void> {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  try {
    await run();
    await settled();
  } finally {
    process.off("unhandledRejection", note);
  }
  assert.deepEqual(unhandled, []);
}

/** Asserts that the only errors in the log are those of handlers whose read failed because of the client. */
function assertNoOtherErrors(lines: readonly string[]): void {
  const strange = lines.filter((line) =>
    !/failed: (ProtocolError|TypeError)|the client|answer is not complete/.test(line)
  );
  assert.deepEqual(strange, []);
}

for (const body of ["stream", "auto", "whole"] as BodyPolicy[]) {
  Deno.test(`Clients that vanish after any byte leave no connection and no error, under "${body}", without a network`, async () => {
    await withoutRejections(async () => {
      await using fake = fakeEngine(handler, { body });
      for (const script of SCRIPTS) {
        const step = Math.ceil(script.length / 60);
        for (let cut = 0; cut <= script.length; cut += step) {
          for (const end of ["end", "reset"] as const) {
            const client = fake.listener.connect({ window: cut % 3 === 0 ? 50 : Infinity });
            client.send(script.slice(0, cut));
            if (cut % 2 === 0) await settled();
            client[end]();
          }
        }
      }
      // Connections whose client has ended only its own side are given up at the write timeout, as no answer is taken.
      await fake.clock.advance(70_000);
      assert.equal(fake.engine.live.size, 0);
      assertNoOtherErrors(fake.lines);
      const client = fake.listener.connect();
      client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
      await settled();
      assert.match(client.text, /ok$/);
    });
  });
}

Deno.test("Clients that vanish at random on a real socket leave no connection and no error", async () => {
  const seed = Math.floor(performance.now() * 1_000) | 0;
  const random = chance(seed);
  await withoutRejections(async () => {
    for (const body of ["stream", "auto", "whole"] as BodyPolicy[]) {
      await using real = realEngine(handler, { body, writeTimeoutMs: 500 });
      const one = async () => {
        const script = itemAt(SCRIPTS, Math.floor(random() * SCRIPTS.length));
        const client = await real.connect();
        const bytes = new TextEncoder().encode(script).subarray(0, Math.floor(random() * (script.length + 1)));
        try {
          for (let at = 0; at < bytes.length;) {
            const count = Math.min(bytes.length - at, 1 + Math.floor(random() * 1_500));
            await client.send(bytes.subarray(at, at += count));
          }
          if (random() < 0.3) await client.end();
          if (random() < 0.3 && !script.includes("/never") && bytes.length === script.length) await client.read(10);
        } catch (error) {
          // The server may be the first to close.
          assert.match((error as Error).name, /BrokenPipe|ConnectionReset|ConnectionAborted|NotConnected/);
        }
        client.close();
      };
      for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 20 }, one));
      using witness = await real.connect();
      while (real.engine.live.size > 1) assert.equal((await witness.get("/")).status, 200, `seed ${seed}`);
      assertNoOtherErrors(real.lines);
    }
  });
});

Deno.test("A shutdown while clients vanish ends, with every connection", async () => {
  await withoutRejections(async () => {
    await using real = realEngine(handler, { gracefulTimeoutMs: 200 });
    const clients = await Promise.all(SCRIPTS.map(async (script) => {
      const client = await real.connect();
      await client.send(script.slice(0, -1));
      return client;
    }));
    real.engine.drain();
    await real.engine.finished;
    assert.equal(real.engine.live.size, 0);
    for (const client of clients) client.close();
  });
});

Deno.test("A client that left after it pipelined its next request is noticed", async () => {
  await using fake = fakeEngine(() => new Promise<Response>(() => {}), { writeTimeoutMs: 4_000 });
  const client = fake.listener.connect();
  client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\nGET /next HTTP/1.1\r\nhost: a\r\n\r\n");
  await settled();
  client.end();
  await fake.clock.advance(6_000);
  assert.equal(client.isClosed, true);
  assert.equal(fake.engine.live.size, 0);
});
