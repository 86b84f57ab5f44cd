// `trustProxy`: what an application behind a proxy sees of its clients.

import assert from "node:assert/strict";
import type { Handler, HandlerInfo } from "../../src/message/handler.ts";
import { accessLog } from "../../src/inspect/access_log.ts";
import { serve } from "../../src/engine/serve.ts";
import { certificates } from "../helpers/certificates.ts";
import { RawClient } from "../helpers/raw_client.ts";
import { bodyText } from "../helpers/responses.ts";
import { serving } from "../helpers/serving.ts";

const CLIENT = "x-forwarded-for: 203.0.113.9\r\nx-forwarded-proto: https\r\nx-forwarded-host: shop.example\r\n";

function seen(request: Request, { remoteAddr }: HandlerInfo): Response {
  const from = remoteAddr.transport === "tcp" ? `${remoteAddr.hostname}` : "unix";
  return new Response(`${request.url} ${from}`);
}

/** What SvelteKit does before a form action (its `csrf.checkOrigin`): a form of another origin is refused. */
const formAction: Handler = async (request, info) => {
  const origin = request.headers.get("origin");
  if (request.method === "POST" && origin !== new URL(request.url).origin) {
    return new Response(`Cross-site POST form submissions are forbidden`, { status: 403 });
  }
  const form = await request.formData();
  const { hostname } = info.remoteAddr as { hostname: string };
  return new Response(`bought ${form.get("what")} from ${hostname}`);
};

/** A proxy that ends TLS, as nginx or a load balancer does. */
async function tlsProxy(upstream: string): Promise<AsyncDisposable & { origin: string; client: Deno.HttpClient }> {
  const { ca, cert, key } = await certificates();
  const options = { port: 0, hostname: "127.0.0.1", cert, key, onListen() {} };
  const server = Deno.serve(options, async (request) => {
    const { pathname, protocol, host } = new URL(request.url);
    const headers = new Headers(request.headers);
    // All ends are on one machine here; a real client has an address that is not a proxy's.
    headers.append("x-forwarded-for", "203.0.113.9");
    headers.set("x-forwarded-proto", protocol.slice(0, -1));
    headers.set("x-forwarded-host", host);
    return await fetch(upstream + pathname, { method: request.method, headers, body: await request.bytes() });
  });
  const client = Deno.createHttpClient({ caCerts: [ca] });
  return {
    origin: `https://localhost:${server.addr.port}`,
    client,
    async [Symbol.asyncDispose]() {
      client.close();
      await server.shutdown();
    },
  };
}

async function submit({ origin, client }: { origin: string; client: Deno.HttpClient }, as = origin): Promise<Response> {
  const body = new URLSearchParams({ what: "yarn" });
  const headers = { origin: as, "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "http" };
  return await fetch(`${origin}/buy`, { method: "POST", body, client, headers });
}

Deno.test("A form behind a proxy that ends TLS passes a check of its origin, with the proxy trusted", async () => {
  await using server = serving(formAction, { trustProxy: ["127.0.0.1"] });
  await using proxy = await tlsProxy(server.url);
  const response = await submit(proxy);
  assert.equal(await response.text(), "bought yarn from 203.0.113.9");
  assert.equal(response.status, 200);
  const foreign = await submit(proxy, "https://evil.example");
  assert.equal(foreign.status, 403);
  await foreign.body?.cancel();
});

Deno.test("Without trust nothing of these fields is believed", async () => {
  for (const trustProxy of [[], ["10.0.0.0/8"], "unix"]) {
    await using server = serving(seen, { trustProxy });
    using client = await server.connect();
    const response = await client.get("/a", CLIENT);
    assert.equal(bodyText(response), "http://test/a 127.0.0.1");
  }
});

Deno.test("A trusted peer tells the client, the scheme and the host of each request", async () => {
  await using server = serving(seen, { trustProxy: "10.0.0.0/8, 127.0.0.0/8" });
  using client = await server.connect();
  assert.equal(bodyText(await client.get("/a?b", CLIENT)), "https://shop.example/a?b 203.0.113.9");
  assert.equal(bodyText(await client.get("/a")), "http://test/a 127.0.0.1");
  const forwarded = 'forwarded: for="[2001:db8::1]:99";proto=https;host=tea.example\r\n';
  assert.equal(bodyText(await client.get("/a", forwarded)), "https://tea.example/a 2001:db8::1");
  assert.equal(bodyText(await client.get("http://target.example/a?b", CLIENT)), "https://shop.example/a?b 203.0.113.9");
  const scheme = "x-forwarded-proto: https\r\n";
  assert.equal(
    bodyText(await client.get("http://target.example:81/a", scheme)),
    "https://target.example:81/a 127.0.0.1",
  );
  assert.equal(bodyText(await client.get("http://target.example/a")), "http://target.example/a 127.0.0.1");
});

Deno.test("The real Request and the preview of accept have the client's URL too", async () => {
  const urls: string[] = [];
  await using server = serving((request) => new Response(new Request(request).url), {
    trustProxy: ["127.0.0.1"],
    accept: ({ url }) => void urls.push(url),
  });
  using client = await server.connect();
  assert.equal(bodyText(await client.get("/a", CLIENT)), "https://shop.example/a");
  assert.deepEqual(urls, ["https://shop.example/a"]);
});

Deno.test("The access log names the client", async () => {
  const lines: string[] = [];
  const now = () => 0;
  const log = accessLog({ format: "short", write: (line) => lines.push(line), now, date: now });
  await using server = serving(seen, { trustProxy: ["127.0.0.1"], readers: [log] });
  {
    using client = await server.connect();
    await client.get("/a", `${CLIENT}connection: close\r\n`);
    await client.rest();
  }
  assert.match(lines.join(""), /^203\.0\.113\.9 GET \/a 200 /);
});

Deno.test("A peer over a Unix socket is trusted if unix is listed", async () => {
  const directory = await Deno.makeTempDir();
  for (const [trustProxy, expected] of [["unix", "https://shop.example/ 203.0.113.9"], ["::/0", "http://test/ unix"]]) {
    const path = `${directory}/${trustProxy!.length}.sock`;
    await using server = serving(seen, { path, trustProxy });
    using client = await server.connect();
    assert.equal(bodyText(await client.get("/", CLIENT)), expected);
  }
  await Deno.remove(directory, { recursive: true });
});

Deno.test("What is not an address or a range is refused when the server is made", () => {
  const handler = () => new Response("not reached");
  for (const trustProxy of ["localhost", ["127.0.0.1", "10.0.0.0/33"], ""]) {
    assert.throws(() => serve({ port: 0, trustProxy, onListen() {} }, handler), {
      name: "RangeError",
      message: /^trustProxy: expected an IP address, a range/,
    });
  }
  assert.throws(() => serve({ port: 0, trustProxy: true as unknown as string, onListen() {} }, handler), TypeError);
});

Deno.test("A request of many hops is as good as one, and costs its head only", async () => {
  await using server = serving(seen, { trustProxy: ["127.0.0.1", "10.0.0.0/8"] });
  using client = await RawClient.connect(server.server.addr);
  const hops = Array(1_500).fill("10.0.0.1").join(", ");
  const response = await client.get("/", `x-forwarded-for: 203.0.113.9, ${hops}\r\n`);
  assert.equal(bodyText(response), "http://test/ 203.0.113.9");
});
