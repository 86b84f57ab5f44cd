// A request's body that is sent on keeps its length.

import assert from "node:assert/strict";
import { besideDenoTest } from "../helpers/beside_deno.ts";
import { serve } from "../../src/engine/serve.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

const SHORT = 10;
/** Longer than what is kept in memory. */
const LONG = 300_000;

/** Ways to send a request on. */
const WAYS: Record<string, (url: string, request: Request) => Promise<Response>> = {
  "fetch(url, request)": (url, request) => fetch(url, request),
  "fetch(new Request(url, request))": (url, request) => fetch(new Request(url, request)),
  "fetch(url, { body: request.body })": (url, { method, body }) => fetch(url, { method, body }),
  "fetch(url, { body: await request.blob() })": async (url, request) =>
    fetch(url, { method: request.method, body: await request.blob() }),
};

/** `new Request(url, request)` wraps the stream in another one of Deno's, whose length Deno does not know. */
function keepsLength(way: string, size: number): boolean {
  return size === SHORT || way !== "fetch(new Request(url, request))";
}

async function framingAndSize(request: Request): Promise<Response> {
  const { length } = await request.bytes();
  return new Response(`${request.headers.get("content-length") ?? request.headers.get("transfer-encoding")} ${length}`);
}

besideDenoTest(
  "A body that is sent on has the Content-Length that it has under Deno.serve, under each policy",
  async () => {
    await using origin = serving(framingAndSize);
    for (const [way, send] of Object.entries(WAYS)) {
      const handler = (request: Request) => send(origin.url, request);
      const stop = new AbortController();
      const quiet = { port: 0, hostname: "127.0.0.1", signal: stop.signal, onListen() {} };
      const deno = Deno.serve(quiet, handler);
      const ours = (["stream", "auto", "whole"] as const).map((body) => serve({ ...quiet, body }, handler));
      const ports = [deno, ...ours].map(({ addr }) => (addr as Deno.NetAddr).port);
      for (const size of [SHORT, LONG, 0]) {
        if (size === 0 && way.includes("blob")) continue; // Deno's fetch sends an empty Blob chunked.
        const expected = keepsLength(way, size) || size === 0 ? `${size} ${size}` : `chunked ${size}`;
        for (const port of ports) {
          const response = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: new Uint8Array(size) });
          assert.equal(await response.text(), expected, `${way}, ${size} bytes`);
        }
      }
      stop.abort();
      await Promise.all([deno, ...ours].map(({ finished }) => finished));
    }
  },
);

Deno.test("A body that comes after its head is sent on with its length, and a chunked one in chunks", async () => {
  await using origin = serving(framingAndSize);
  await using proxy = serving((request) => fetch(origin.url, request));
  using client = await proxy.connect();
  await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\nexpect: 100-continue\r\n\r\n");
  await client.until("100 Continue");
  await client.send("abc");
  await client.send("def");
  const [interim, answer] = await client.responses(2);
  assert.equal(interim?.status, 100);
  assert.equal(bodyText(answer!), "6 6");
  await client.send("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  assert.equal(bodyText((await client.responses(1))[0]!), "chunked 3");
});

Deno.test("A client that leaves in the middle of a body that is sent on is no whole request at the origin", async () => {
  const began = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<string>();
  await using origin = serving(async (request) => {
    began.resolve();
    try {
      seen.resolve(`whole ${(await request.bytes()).length}`);
    } catch (error) {
      seen.resolve((error as Error).name);
    }
    return new Response();
  });
  await using proxy = serving((request) => fetch(origin.url, request));
  const client = await proxy.connect();
  await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nabc");
  await began.promise;
  client.close();
  assert.equal(await seen.promise, "ProtocolError");
});

Deno.test("A stream whose length is told can be read in every other way, and keeps the class of its errors", async () => {
  const reads: Record<string, (request: Request) => Promise<unknown>> = {
    text: async (request) => [request.body !== null, (await request.text()).length],
    clone: async (request) => [request.body !== null, (await request.clone().bytes()).length],
    pieces: async (request) => {
      let size = 0;
      for await (const piece of request.body!) size += piece.length;
      return [true, size];
    },
    response: async (request) => [true, (await new Response(request.body).bytes()).length],
    pipe: async (request) => {
      let size = 0;
      await request.body!.pipeTo(new WritableStream({ write: (piece) => void (size += piece.length) }));
      return [true, size];
    },
    tee: async (request) => [true, (await new Response(request.body!.tee()[0]).bytes()).length],
  };
  await using served = serving(async (request) =>
    Response.json(await reads[new URL(request.url).pathname.slice(1)]!(request))
  );
  for (const name of Object.keys(reads)) {
    const response = await fetch(`${served.url}/${name}`, { method: "POST", body: new Uint8Array(LONG) });
    assert.deepEqual(await response.json(), [true, LONG], name);
  }
  using client = await served.connect();
  await client.send("POST /text HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\nabc");
  await client.end();
  assert.equal((await client.rest())[0]?.status, 400);
});

besideDenoTest("new Response(request.body) keeps the length of a body in memory, as under Deno.serve", async () => {
  for (const body of ["stream", "auto", "whole"] as const) {
    await using served = serving((request) => new Response(request.body), { body });
    using client = await served.connect();
    await client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc");
    const [response] = await client.responses(1);
    assert.deepEqual([fieldOf(response!, "content-length"), bodyText(response!)], ["3", "abc"]);
  }
});

Deno.test("Bodies that came together with their heads are told apart when they are pipelined", async () => {
  await using served = serving(async (request) => {
    const text = await request.text();
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    return new Response(text);
  });
  using client = await served.connect();
  const post = (text: string) => `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  await client.send(["one", "second", "3"].map(post).join(""));
  assert.deepEqual((await client.responses(3)).map(bodyText), ["one", "second", "3"]);
});
