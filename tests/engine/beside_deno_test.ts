// A handler sees and answers the same under Deno.serve and under Weft.

import assert from "node:assert/strict";
import { servedByBoth, type SharedHandler } from "../helpers/beside_deno.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "patch"];

/** What follows the head's other fields. */
const BODIES: Record<string, string> = {
  "no body": "\r\n",
  "an empty body": "content-length: 0\r\n\r\n",
  "a body": "content-length: 3\r\n\r\nabc",
  "a chunked body": "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
  "an empty chunked body": "transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
};

/** Ways to look at a request, each reported in a field so that HEAD tells it too. */
const LOOKS: Record<string, (request: Request) => Promise<unknown[]>> = {
  "body, piece by piece": async (request) => {
    const { body } = request;
    if (body === null) return ["null", await request.text(), request.bodyUsed];
    let text = "";
    for await (const piece of body) text += new TextDecoder().decode(piece);
    return ["stream", text, request.bodyUsed];
  },
  "text, twice": async (request) => {
    const first = await request.text();
    const second = await request.text().catch((error) => error.name);
    return [first, request.bodyUsed, second, request.body === null];
  },
  "every other way to read it": async (request) => {
    const copies = [request.clone(), request.clone(), request.clone()] as const;
    const sizes = [(await copies[0].bytes()).length, (await copies[1].blob()).size, (await copies[2].text()).length];
    return [...sizes, request.bodyUsed, (await request.arrayBuffer()).byteLength, request.bodyUsed];
  },
  "a copy": (request) => {
    const copy = new Request("http://other/", request);
    return Promise.resolve([copy.method, copy.body === null, request.bodyUsed]);
  },
};

for (const [name, look] of Object.entries(LOOKS)) {
  Deno.test(`A request has the body that it has under Deno.serve: ${name}`, async () => {
    const handler: SharedHandler = async (request) =>
      new Response(null, { headers: { "x-seen": JSON.stringify(await look(request)) } });
    for (const policy of ["stream", "auto", "whole"] as const) {
      await using both = servedByBoth(handler, { body: policy });
      for (const method of METHODS) {
        for (const [kind, rest] of Object.entries(BODIES)) {
          const { deno, weft } = await both.ask(`${method} / HTTP/1.1\r\nhost: a\r\n${rest}`);
          const seen = weft?.fields.find((field) => field.startsWith("x-seen"));
          assert.equal(seen, deno?.fields.find((field) => field.startsWith("x-seen")), `${method} with ${kind}`);
          assert.ok(seen !== undefined);
        }
      }
    }
  });
}

/** What RFC 9110 has and Deno spells in another way. */
const SPELLED: Record<number, string> = {
  203: "Non-Authoritative Information",
  413: "Content Too Large",
  422: "Unprocessable Content",
};

Deno.test("Each status that a Response can have is sent with the reason phrase that Deno.serve sends", async () => {
  await using both = servedByBoth((request) =>
    new Response(null, { status: Number(new URL(request.url).pathname.slice(1)) })
  );
  for (let status = 200; status <= 599; status++) {
    const { deno, weft } = await both.ask(`GET /${status} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    assert.equal(weft?.status, status);
    assert.equal(weft.reason, SPELLED[status] ?? deno?.reason, `${status}`);
  }
});
