// Applications and clients that people have: the same application under Deno.serve and here, asked by the same client.

import assert from "node:assert/strict";
import { Hono } from "npm:hono@^4";
import { upgradeWebSocket } from "npm:hono@^4/deno";
import crossws from "npm:crossws@^0.4/adapters/deno";
import { buildSchema } from "npm:graphql@^16";
import { createClient } from "npm:graphql-ws@^6";
import { makeHandler } from "npm:graphql-ws@^6/use/deno";
import WS from "npm:ws@^8";
import type { Handler } from "../../src/message/handler.ts";
import { browserForTests } from "../helpers/browser.ts";
import { serving } from "../helpers/serving.ts";

const hono = new Hono();
hono.use(async (context, next) => {
  await next();
  context.set("seen" as never, context.res.status as never);
});
hono.get(
  "/hono",
  upgradeWebSocket((context) => ({
    onOpen: (_event, socket) => socket.send(`hello ${context.req.query("name")}`),
    onMessage: ({ data }, socket) => socket.send(`said ${data}`),
  })),
);

const cross = crossws({
  hooks: {
    open(peer) {
      peer.subscribe("room");
      peer.send(`open ${new URL(peer.request.url).pathname}`);
    },
    message: (peer, message) => void peer.send(`echo ${message.text()}`),
  },
});

const subscribe = makeHandler({
  schema: buildSchema("type Query { hello: String } type Subscription { count(to: Int!): Int }"),
  roots: {
    subscription: {
      async *count({ to }: { to: number }) {
        for (let count = 1; count <= to; count++) yield { count };
      },
    },
  },
});

function application(request: Request, info: unknown): Response | Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/crossws") return cross.handleUpgrade(request, info as Deno.ServeHandlerInfo<Deno.NetAddr>);
  if (pathname !== "/graphql") return hono.fetch(request);
  const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "graphql-transport-ws", idleTimeout: 12 });
  subscribe(socket);
  return response;
}

/** Serves the application here and under Deno.serve, and calls with the root of each. */
async function onBoth(ask: (root: string) => Promise<unknown>): Promise<{ weft: unknown; deno: unknown }> {
  await using server = serving(application as Handler);
  const native = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, application);
  try {
    return {
      weft: await ask(server.url.replace("http", "ws")),
      deno: await ask(`ws://127.0.0.1:${native.addr.port}`),
    };
  } finally {
    await native.shutdown();
  }
}

/** Talks with npm's ws: what it heard, and the code of the end. */
function talk(
  url: string,
  { says, hears, compress = false }: { says: (string | Uint8Array)[]; hears: number; compress?: boolean },
) {
  return new Promise<string[]>((resolve, reject) => {
    const heard: string[] = [];
    const client = new WS(url, { perMessageDeflate: compress });
    client.on("open", () => says.forEach((each) => client.send(each)));
    client.on("message", (data: unknown) => {
      heard.push(String(data));
      if (heard.length === hears) client.close(1000);
    });
    client.on("close", (code: number) => resolve([...heard, `${code} ${client.extensions}`]));
    client.on("error", reject);
  });
}

Deno.test("Hono's upgradeWebSocket of hono/deno does the same here as under Deno.serve", async () => {
  const { weft, deno } = await onBoth((root) => talk(`${root}/hono?name=Ada`, { says: ["a", "b"], hears: 3 }));
  assert.deepEqual(weft, ["hello Ada", "said a", "said b", "1000 "]);
  assert.deepEqual(deno, weft);
});

Deno.test("crossws does the same here as under Deno.serve", async () => {
  const { weft, deno } = await onBoth((root) => talk(`${root}/crossws`, { says: ["x"], hears: 2 }));
  assert.deepEqual(weft, ["open /crossws", "echo x", "1000 "]);
  assert.deepEqual(deno, weft);
});

Deno.test("graphql-ws serves subscriptions", async () => {
  await using server = serving(application as Handler);
  const client = createClient({ url: `${server.url.replace("http", "ws")}/graphql`, webSocketImpl: WebSocket });
  const counts: unknown[] = [];
  for await (const { data } of client.iterate({ query: "subscription { count(to: 3) }" })) counts.push(data?.count);
  await client.dispose();
  await server.server.shutdown();
  assert.deepEqual(counts, [1, 2, 3]);
});

Deno.test("npm's ws exchanges compressed messages that depend on each other", async () => {
  const handler: Handler = (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request, { compress: true } as Deno.UpgradeWebSocketOptions);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  };
  await using server = serving(handler);
  const says = [
    "x".repeat(5_000),
    JSON.stringify({ list: Array.from({ length: 300 }, (_, i) => `entry ${i}`) }),
    JSON.stringify({ list: Array.from({ length: 300 }, (_, i) => `entry ${i + 1}`) }),
    "short",
    "",
    "\u20ac".repeat(40_000),
  ];
  const heard = await talk(server.url.replace("http", "ws"), { says, hears: says.length, compress: true });
  // Not deepEqual, whose message would show all of it.
  heard.forEach((each, i) => assert.ok(each === (says[i] ?? "1000 permessage-deflate"), `message ${i}`));
  assert.equal(heard.length, says.length + 1);
});

const browser = await browserForTests();

Deno.test({
  name: "Chromium talks to a WebSocket, and is told how it ends",
  ignore: browser === null,
  async fn() {
    await using server = serving((request) => {
      if (request.headers.get("upgrade") !== "websocket") {
        return new Response("<!doctype html><title>chat</title>", { headers: { "content-type": "text/html" } });
      }
      const { socket, response } = Deno.upgradeWebSocket(
        request,
        { protocol: "chat", compress: true } as Deno.UpgradeWebSocketOptions,
      );
      socket.onmessage = ({ data }) => data === "end" ? socket.close(4001, "as you like") : socket.send(data);
      return response;
    });
    const page = await browser!().open(server.url);
    const heard = await page.evaluate(`new Promise((resolve) => {
      const heard = [];
      const socket = new WebSocket(location.href.replace("http", "ws"), ["chat"]);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        socket.send("h\\u00e9".repeat(500));
        socket.send(new Uint8Array(70000));
        socket.send("end");
      };
      socket.onmessage = ({ data }) => heard.push(typeof data === "string" ? data.length : data.byteLength);
      socket.onclose = ({ code, reason, wasClean }) =>
        resolve([...heard, socket.protocol, socket.extensions, code, reason, wasClean]);
    })`);
    assert.deepEqual(heard, [
      1000,
      70000,
      "chat",
      "permessage-deflate; server_no_context_takeover",
      4001,
      "as you like",
      true,
    ]);
  },
});
