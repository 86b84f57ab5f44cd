// `info.earlyHints`: interim responses of 103 before the answer, in order with everything else, with the client's side left open.

import assert from "node:assert/strict";
import type { Handler } from "../../src/message/handler.ts";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { serving } from "../helpers/serving.ts";

const GET = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
const STYLE = { link: "</style.css>; rel=preload; as=style" };
const HINT = "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload; as=style\r\n\r\n";

/** The statuses of everything that has come, in order. */
function statusesIn(text: string): string[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!);
}

/** What comes for these bytes from a fresh client whose system takes few bytes at a time. */
async function answerTo(bytes: string, handler: Handler, maxWrite = Infinity): Promise<string> {
  await using fake = fakeEngine(handler);
  const client = fake.listener.connect({ maxWrite });
  client.send(bytes);
  for (let text = ""; text !== client.text || text === "";) {
    text = client.text;
    await settled();
    await settled();
  }
  return client.text;
}

Deno.test("Early hints leave before the answer, whole and before the handler goes on", async () => {
  const go = Promise.withResolvers<void>();
  await using fake = fakeEngine(async (_request, info) => {
    info.earlyHints(STYLE);
    await go.promise;
    return new Response("hello");
  });
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  assert.equal(client.text, HINT);
  go.resolve();
  await settled();
  assert.match(client.text.slice(HINT.length), /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
});

Deno.test("Hints may be given several times, at once and later, and keep their order", async () => {
  for (const maxWrite of [Infinity, 1, 50]) {
    const text = await answerTo(GET, async (_request, info) => {
      info.earlyHints({ link: "<1>" });
      info.earlyHints([["link", "<2>"], ["link", "<3>"]]);
      await settled();
      info.earlyHints(new Headers({ link: "<4>" }));
      info.earlyHints({ link: "<5>" });
      return new Response("hello");
    }, maxWrite);
    assert.deepEqual(statusesIn(text), ["103", "103", "103", "103", "200"]);
    assert.deepEqual([...text.matchAll(/link: (.*)\r\n/g)].map(([, link]) => link), ["<1>", "<2>, <3>", "<4>", "<5>"]);
    assert.match(text, /hello$/);
  }
});

Deno.test("Hints of a handler that answers at once come before its answer", async () => {
  const text = await answerTo(GET, (_request, info) => {
    info.earlyHints(STYLE);
    return new Response("hello");
  });
  assert.ok(text.startsWith(`${HINT}HTTP/1.1 200 OK\r\n`), text);
});

Deno.test("Hints do not overtake the answers to requests before theirs", async () => {
  for (const isAsync of [false, true]) {
    for (const maxWrite of [Infinity, 7]) {
      let count = 0;
      const text = await answerTo(GET + GET + GET, (_request, info) => {
        const body = `answer ${++count}`;
        info.earlyHints({ link: `<${count}>` });
        if (!isAsync) return new Response(body);
        return settled().then(() => {
          info.earlyHints({ link: "<later>" });
          return new Response(body);
        });
      }, maxWrite);
      const later = isAsync ? ["<later>"] : [];
      const expected = [1, 2, 3].flatMap((number) => [`<${number}>`, ...later, `answer ${number}`]);
      assert.deepEqual([...text.matchAll(/<\w+>|answer \d/g)].map(([found]) => found), expected);
    }
  }
});

Deno.test("A client that waits for 100 gets it in order with the hints", async () => {
  for (const maxWrite of [Infinity, 5]) {
    await using fake = fakeEngine(async (request, info) => {
      info.earlyHints(STYLE);
      const read = request.text();
      info.earlyHints(STYLE);
      return new Response(await read);
    });
    const client = fake.listener.connect({ maxWrite });
    client.send("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n");
    await client.until(({ text }) => text.split("\r\n\r\n").length === 4);
    assert.deepEqual(statusesIn(client.text), ["103", "100", "103"]);
    client.send("body");
    await client.until(({ text }) => text.endsWith("body"));
    assert.equal(statusesIn(client.text).at(-1), "200");
  }
});

Deno.test("HTTP/1.0 clients get no hints", async () => {
  const text = await answerTo("GET / HTTP/1.0\r\n\r\n", (_request, info) => {
    info.earlyHints(STYLE);
    return new Response("hello");
  });
  assert.deepEqual(statusesIn(text), ["200"]);
});

Deno.test("Hints that come too late are ignored: after the head, after the answer, and when the client is gone", async () => {
  let late: () => void = () => assert.fail("the handler was not called");
  await using fake = fakeEngine((request, info) => {
    late = () => info.earlyHints(STYLE);
    if (request.url.endsWith("/never")) return new Promise(() => {});
    return new Response(
      new ReadableStream({
        pull(controller) {
          late();
          controller.enqueue(new TextEncoder().encode("piece"));
          controller.close();
        },
      }, { highWaterMark: 0 }),
    );
  });
  const client = fake.listener.connect();
  client.send(GET);
  await settled();
  late();
  await settled();
  assert.deepEqual(statusesIn(client.text), ["200"]);
  assert.match(client.text, /piece\r\n0\r\n\r\n$/);
  client.send(GET.replace("/ ", "/never "));
  await settled();
  client.reset();
  await settled();
  late();
  await settled();
  assert.deepEqual(statusesIn(client.text), ["200"]);
  assert.deepEqual(fake.lines, []);
});

Deno.test("A client that breaks off while hints are written ends its connection, and nothing is logged", async () => {
  await using fake = fakeEngine(async (_request, info) => {
    info.earlyHints(STYLE);
    await settled();
    info.earlyHints(STYLE);
    return new Response("hello");
  });
  const client = fake.listener.connect({ window: 10 });
  client.send(GET);
  await settled();
  client.reset();
  await settled();
  await settled();
  assert.equal(client.isClosed, true);
  assert.deepEqual(fake.lines, []);
});

Deno.test("Fields that cannot be in an interim response are left out, and those that cannot be sent are an error", async () => {
  const errors: unknown[] = [];
  const text = await answerTo(GET, (_request, info) => {
    const ours = { connection: "close", "content-length": "5", "transfer-encoding": "chunked", "keep-alive": "x" };
    info.earlyHints({ ...STYLE, ...ours });
    const refused: HeadersInit[] = [{ link: "a\r\nset-cookie: b" }, { "bad name": "a" }, { link: "\u0100" }];
    for (const headers of refused) {
      try {
        info.earlyHints(headers);
      } catch (error) {
        errors.push(error);
      }
    }
    return new Response("hello");
  });
  assert.ok(text.startsWith(`${HINT}HTTP/1.1 200 OK\r\n`), text);
  assert.deepEqual(errors.map((error) => error instanceof TypeError), [true, true, true]);
});

Deno.test("Over a real connection a client gets the hints while the handler works, and fetch gets its answer", async () => {
  let go = Promise.withResolvers<void>();
  await using server = serving(async (_request, info) => {
    info.earlyHints(STYLE);
    await go.promise;
    return new Response("hello");
  });
  using client = await server.connect();
  await client.ask("GET", "/");
  await client.until(HINT);
  go.resolve();
  await client.until("hello");
  go = Promise.withResolvers();
  go.resolve();
  assert.equal(await (await fetch(server.url)).text(), "hello");
});
