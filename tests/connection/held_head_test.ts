// 100 (Continue) goes before the head of an answer that is made of the request's own body.

import assert from "node:assert/strict";
import { settled } from "../helpers/duplex.ts";
import { fakeEngine } from "../helpers/fake_engine.ts";

Deno.test("An echo of the body asks for it before it answers, if the client waits to be asked", async () => {
  await using fake = fakeEngine((request) => new Response(request.body));
  const client = fake.listener.connect();
  client.send("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n");
  await settled();
  const asked = new TextDecoder().decode(client.bytes);
  assert.equal(asked, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  await settled();
  const answered = new TextDecoder().decode(client.bytes).slice(asked.length);
  assert.match(
    answered,
    /^HTTP\/1\.1 200 OK\r\n[^]*transfer-encoding: chunked\r\n[^]*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/,
  );
});
