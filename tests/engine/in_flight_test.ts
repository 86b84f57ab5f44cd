// `maxInFlight`: how many requests are answered at once, how many wait, and what becomes of the others.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { InFlight } from "../../src/engine/in_flight.ts";
import { serve } from "../../src/engine/serve.ts";
import { serving } from "../helpers/serving.ts";

/** A handler whose answers are held until the test lets them go, by the path of their request. */
function holding() {
  const held = new Map<string, (response: Response) => void>();
  const changed: (() => void)[] = [];
  return {
    held,
    handler: (request: Request) =>
      new Promise<Response>((resolve) => {
        held.set(new URL(request.url).pathname, resolve);
        for (const call of changed.splice(0)) call();
      }),
    /** Waits until the handler was called with a path. */
    async until(path: string) {
      while (!held.has(path)) await new Promise<void>((resolve) => changed.push(resolve));
    },
    release(path: string, response = new Response(path)) {
      held.get(path)!(response);
      held.delete(path);
    },
  };
}

const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`;

/** An engine with a limit, and a client for each path, which asks in this order. */
async function limited(most: number, paths: string[]) {
  const { handler, ...rest } = holding();
  const limit = new InFlight(handler, most);
  const fake = fakeEngine(limit.handler);
  const clients = [];
  for (const path of paths) {
    const client = fake.listener.connect();
    client.send(get(path));
    await settled();
    clients.push(client);
  }
  return { ...rest, limit, fake, clients };
}

Deno.test("At the limit as many requests wait as may run, and the others get 503 with Retry-After", async () => {
  const { held, limit, fake, clients, release } = await limited(2, ["/1", "/2", "/3", "/4", "/5", "/6"]);
  await using _ = fake;
  assert.deepEqual([...held.keys()], ["/1", "/2"]);
  assert.deepEqual(limit.facts(), { running: 2, waiting: 2, refused: 2 });
  for (const client of clients.slice(4)) {
    assert.match(client.text, /^HTTP\/1\.1 503 Service Unavailable\r\n[^]*retry-after: 1\r\n/);
    assert.equal(client.isClosed, false, "the client may ask again on its connection");
  }
  release("/2");
  await settled();
  assert.deepEqual([...held.keys()], ["/1", "/3"], "the first that waits is the first to run");
  release("/1");
  await settled();
  release("/3");
  release("/4");
  await settled();
  for (const [i, client] of clients.slice(0, 4).entries()) assert.match(client.text, new RegExp(`/${i + 1}$`));
  assert.deepEqual(limit.facts(), { running: 0, waiting: 0, refused: 2 });
});

Deno.test("A request that waits and whose client leaves is dropped; a client that ends only its side is answered", async () => {
  const { held, limit, fake, clients, release } = await limited(2, ["/1", "/2", "/3", "/4"]);
  await using _ = fake;
  clients[2]!.reset();
  clients[3]!.end();
  await settled();
  assert.deepEqual(limit.facts(), { running: 2, waiting: 1, refused: 0 });
  release("/1");
  await settled();
  assert.deepEqual([...held.keys()], ["/2", "/4"]);
  release("/2");
  release("/4");
  await settled();
  assert.match(clients[3]!.text, /\/4$/);
  assert.deepEqual(limit.facts(), { running: 0, waiting: 0, refused: 0 });
  assert.deepEqual(fake.lines, []);
});

Deno.test("A request is in flight until its answer is sent, and a client that leaves makes room at once", async () => {
  const { held, limit, fake, clients, release } = await limited(1, ["/1", "/2"]);
  await using _ = fake;
  let end: () => void = () => assert.fail("the stream was not started");
  release("/1", new Response(new ReadableStream({ start: (controller) => void (end = () => controller.close()) })));
  await settled();
  assert.deepEqual([...held.keys()], []);
  end();
  await settled();
  assert.deepEqual([...held.keys()], ["/2"]);
  clients[1]!.reset();
  await settled();
  assert.deepEqual(limit.facts(), { running: 0, waiting: 0, refused: 0 });
});

Deno.test("A handler that throws makes room too, at once and after a wait", async () => {
  const limit = new InFlight(() => {
    throw new Error("thrown on purpose");
  }, 1);
  await using fake = fakeEngine(limit.handler);
  const client = fake.listener.connect();
  // The second and the third come before the place of the one before them is free, and wait for it.
  client.send(get("/1") + get("/2") + get("/3"));
  await settled();
  await settled();
  assert.equal(client.text.match(/HTTP\/1\.1 500 /g)?.length, 3);
  assert.deepEqual(limit.facts(), { running: 0, waiting: 0, refused: 0 });
});

Deno.test("Requests that wait are cut when the engine stops now", async () => {
  const { limit, fake, clients } = await limited(1, ["/1", "/2"]);
  fake.engine.abort();
  await fake.engine.finished;
  await settled();
  assert.deepEqual(clients.map(({ isClosed }) => isClosed), [true, true]);
  assert.deepEqual(limit.facts(), { running: 0, waiting: 0, refused: 0 });
});

Deno.test("serve() takes maxInFlight, and over real connections all who wait are answered", async () => {
  const { handler, until, release } = holding();
  await using server = serving(handler, { maxInFlight: 1 });
  const [one, two, three] = [await server.connect(), await server.connect(), await server.connect()];
  await one.ask("GET", "/1");
  await until("/1");
  // The second waits. When the third is refused, the second was queued before it or is refused itself.
  await two.ask("GET", "/2");
  await three.ask("GET", "/3");
  const refused = await Promise.race([two, three].map(async (client) => {
    const [response] = await client.responses(1);
    return { client, response: response! };
  }));
  assert.equal(refused.response.status, 503);
  assert.equal(fieldOf(refused.response, "retry-after"), "1");
  release("/1");
  assert.equal(bodyText((await one.responses(1))[0]!), "/1");
  const [waiting, path] = refused.client === two ? [three, "/3"] : [two, "/2"];
  await until(path);
  release(path);
  for (const client of [one, two, three]) client.close();
  assert.ok(waiting !== refused.client);
});

Deno.test("maxInFlight that is not a number is refused", () => {
  assert.throws(() => serve({ port: 0, maxInFlight: -1, onListen() {} }, () => new Response()), RangeError);
});
