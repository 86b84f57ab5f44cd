// What the demo answers, over real sockets.

import assert from "node:assert/strict";
import type { ConnectionFacts } from "../../src/inspect/dump.ts";
import { type ServingDemo, servingDemo } from "../helpers/serving_demo.ts";

interface Told {
  total: number;
  connections: ConnectionFacts[];
}

/** Reads the events of a stream. */
async function* eventsOf<T>(response: Response): AsyncGenerator<T> {
  let text = "";
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      yield JSON.parse(text.slice("data: ".length, end));
      text = text.slice(end + 2);
    }
  }
}

function post({ url }: Pick<ServingDemo, "url">, path: string, init: RequestInit): Promise<Response> {
  return fetch(url + path, { method: "POST", ...init });
}

Deno.test("Every file that the page names is served, under a policy that allows nothing else", async () => {
  await using served = servingDemo();
  const seen = new Set<string>();
  const load = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const response = await fetch(served.url + path);
    const text = await response.text();
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'; script-src 'self'; style-src/);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    for (const [, name = ""] of text.matchAll(/(?:\bsrc=|<link [^>]*href=|^import .*from )"([^"]+)"/gm)) {
      await load(new URL(name, new URL(path, served.url)).pathname);
    }
    if (path !== "/") return;
    assert.doesNotMatch(
      text,
      /<style|\sstyle=|<script>|\son\w+=|https?:\/\//,
      "nothing inline, nothing from elsewhere",
    );
  };
  await load("/");
  assert.deepEqual([...seen].sort(), [
    "/",
    "/demo/mark.svg",
    "/demo/page.css",
    "/demo/page.js",
    "/demo/stream.js",
    "/demo/table.js",
    "/demo/thread.js",
    "/progress/client/progress_client.js",
  ]);
  const missing = await fetch(`${served.url}/constructor`);
  assert.equal(missing.status, 404);
  assert.match(await missing.text(), /the demo is at \//);
});

Deno.test("An upload is counted: JSON for a script, a page for a browser that left its own for it", async () => {
  await using served = servingDemo();
  const body = new Uint8Array(3_000_000);
  const told = await (await post(served, "/upload", { body })).json();
  assert.equal(told.bytes, 3_000_000);
  const response = await post(served, "/upload", { body, headers: { accept: "text/html,*/*;q=0.8" } });
  assert.match(response.headers.get("content-type")!, /^text\/html/);
  assert.match(await response.text(), /read 3,000,000 bytes/);
});

Deno.test("An upload takes as long as its rate says", async () => {
  await using served = servingDemo();
  const { bytes, ms } = await (await post(served, "/upload?rate=2000000", { body: new Uint8Array(600_000) })).json();
  assert.equal(bytes, 600_000);
  assert.ok(ms >= 290, `300 ms at this rate, it took ${ms}`);
});

Deno.test("A rate that is none is refused, and so is an upload that is none", async () => {
  await using served = servingDemo();
  for (const rate of ["0", "-1", "1e3", "fast", "9".repeat(13)]) {
    const response = await post(served, `/upload?rate=${rate}`, { body: "x" });
    assert.equal(response.status, 400, rate);
    assert.match(await response.text(), /^rate: expected/);
  }
  const response = await fetch(`${served.url}/upload`);
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "POST");
  await response.text();
});

Deno.test("The progress of an upload can be asked for while the table tells its phase", async () => {
  await using served = servingDemo();
  const uploading = post(served, "/upload?rate=4000000&progress_id=holiday-film", { body: new Uint8Array(2_000_000) });
  const state = await fetch(`${served.url}/state`);
  for await (const { total, connections } of eventsOf<Told>(state)) {
    assert.equal(total, connections.length);
    const found = connections.find(({ path }) => path === "/upload");
    if (found === undefined || found.body!.received === 0) continue;
    assert.equal(found.phase, "dispatch");
    assert.equal(found.body!.size, 2_000_000);
    assert.ok(connections.some(({ path, phase }) => path === "/state" && phase === "write"));
    break;
  }
  const progress = await (await fetch(`${served.url}/?progress_id=holiday-film`)).json();
  assert.equal(progress.state, "uploading");
  assert.equal(progress.size, 2_000_000);
  await (await uploading).text();
});

Deno.test("The table is told at most five times a second, and no longer when no page looks", async () => {
  await using served = servingDemo();
  const response = await fetch(`${served.url}/state`);
  const startedAt = performance.now();
  let count = 0;
  for await (const _ of eventsOf<Told>(response)) if (++count === 5) break;
  const ms = performance.now() - startedAt;
  assert.ok(ms >= 4 * 200, `five events in ${ms} ms`);
  // Leaving the loop has cancelled the body; the connection is gone once the server knows.
  const raw = await fetch(`${served.url}/state`);
  for await (const { connections } of eventsOf<Told>(raw)) {
    if (connections.filter(({ path }) => path === "/state").length === 1) break;
  }
});

Deno.test("The table ends when the server stops, and does not hold it up", async () => {
  await using served = servingDemo();
  const events = eventsOf<Told>(await fetch(`${served.url}/state`));
  await events.next();
  served.engine.drain();
  while (!(await events.next()).done);
  await served.engine.finished;
  assert.equal(served.engine.connectionCounts.cut, 0);
  assert.deepEqual(served.lines, []);
});

Deno.test("A client that leaves in the middle of an upload or of the stream leaves no error", async () => {
  await using served = servingDemo();
  const stop = new AbortController();
  // More than the system would take in the server's stead.
  const upload = post(served, "/upload?rate=10000000&progress_id=left-alone", {
    body: new Uint8Array(50_000_000),
    signal: stop.signal,
  });
  const stream = await fetch(`${served.url}/stream`, { signal: stop.signal });
  await stream.body!.getReader().read();
  for await (const { received } of served.uploads.progressChanges("left-alone")) if (received > 0) break;
  stop.abort();
  await assert.rejects(upload);
  let last = "";
  for await (const { state } of served.uploads.progressChanges("left-alone")) last = state;
  assert.equal(last, "aborted");
  assert.deepEqual(served.lines, []);
});

Deno.test("The echo gives a request back, and holds no long one", async () => {
  await using served = servingDemo();
  const short = await fetch(`${served.url}/echo`, { method: "POST", body: "warp" });
  assert.match(await short.text(), /^POST http:.*\n[\s\S]*\n\nwarp$/);
  const long = await fetch(`${served.url}/echo`, { method: "POST", body: new Uint8Array(2 ** 20 + 1) });
  assert.equal(long.status, 413);
  await long.body?.cancel();
});
