// Which copies of a request frameworks make, and that the files and the progress of an upload follow all of them.

import assert from "node:assert/strict";
import { Hono } from "npm:hono@^4";
import { receiveUploads } from "../../mod.ts";
import type { Handler } from "../../src/message/handler.ts";
import { uploadProgress } from "../../src/progress/upload_progress.ts";
import { Uploads } from "../../src/progress/uploads.ts";
import { settled } from "../helpers/duplex.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { file, formBytes } from "../helpers/multipart.ts";
import { bodyText } from "../helpers/responses.ts";
import { realEngine, serving } from "../helpers/serving.ts";
import { beginUpload } from "../helpers/uploading.ts";

type Copy = (request: Request) => Request | Promise<Request>;

/** Copies that have the head of the request that they are made of. */
const COPIES: Record<string, Copy> = {
  "the request itself": (request) => request,
  "a clone": (request) => request.clone(),
  "the clone of a copy": (request) => new Request(request).clone(),
  "new Request(request)": (request) => new Request(request),
  "new Request(request, { headers })": (request) => {
    const headers = new Headers(request.headers);
    headers.set("x-forwarded-host", "a.example");
    return new Request(request, { headers });
  },
  "new Request(request, { signal })": (request) => new Request(request, { signal: new AbortController().signal }),
  "new Request(another URL, request)": (request) => new Request("http://localhost/inner", request),
  "a request with the same stream": ({ method, headers, body }) =>
    new Request("http://localhost/", { method, headers, body, duplex: "half" } as RequestInit),
  "a request with a stream made of its stream": ({ method, headers, body }) =>
    new Request("http://localhost/", {
      method,
      headers,
      body: body!.pipeThrough(new TransformStream()),
      duplex: "half",
    } as RequestInit),
  "a request with its bytes": async (request) => {
    const { method, headers } = request;
    return new Request("http://localhost/", { method, headers, body: await request.arrayBuffer() });
  },
  "a Proxy that is one": (request) =>
    new Proxy(request, {
      get(target, name) {
        const value = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
};

function names(directory: string): string[] {
  return Array.from(Deno.readDirSync(directory), ({ name }) => name);
}

/** Waits until the files of every request are gone. */
async function empty(directory: string): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (names(directory).length > 0) {
    if (performance.now() > deadline) throw new Error(`these files stay: ${names(directory)}`);
    await settled();
  }
}

/** The head of an upload whose boundary is `b`. */
function head(length: number): string {
  return `POST /up HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${length}\r\n\r\n`;
}

for (const [what, copy] of Object.entries(COPIES)) {
  Deno.test(`Files go when the exchange ends, received from ${what}`, async () => {
    const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
    for (const body of ["auto", "whole", "stream"] as const) {
      await using real = realEngine(async (request) => {
        const { files } = await receiveUploads(await copy(request), { directory });
        assert.equal(names(directory).length, 1);
        return new Response(await itemAt(files, 0).text());
      }, { body });
      for (const size of [10, 300_000]) {
        const form = new FormData();
        form.append("f", new Blob(["x".repeat(size)]));
        const response = await fetch(real.url, { method: "POST", body: form });
        assert.deepEqual([response.status, (await response.text()).length], [200, size]);
        await empty(directory);
      }
    }
    Deno.removeSync(directory);
  });
}

Deno.test("Files go when the exchange ends, received under a mounted application of Hono", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const app = new Hono();
  app.mount("/mounted", async (request: Request) => {
    const { files } = await receiveUploads(request, { directory });
    return Response.json([new URL(request.url).pathname, names(directory).length, files.map(({ name }) => name)]);
  });
  await using real = realEngine(app.fetch as Handler);
  const form = new FormData();
  form.append("f", new File(["x"], "x.txt"));
  const response = await fetch(`${real.url}/mounted/up`, { method: "POST", body: form });
  assert.deepEqual(await response.json(), ["/up", 1, ["x.txt"]]);
  await empty(directory);
  Deno.removeSync(directory);
});

Deno.test("Files of a copy go when the client leaves while the handler runs", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  await using real = realEngine(async (request) => {
    await receiveUploads(request.clone(), { directory });
    return await new Promise(() => {});
  });
  const client = await real.connect();
  const form = formBytes([file("f", "a", "1")], "b");
  await client.send(head(form.length));
  await client.send(form);
  while (names(directory).length === 0) await settled();
  client.close();
  real.engine.abort();
  await empty(directory);
  Deno.removeSync(directory);
});

Deno.test("Copies of two uploads with one boundary keep their files until both are answered", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const answers: PromiseWithResolvers<void>[] = [];
  const texts: (() => Promise<string>)[] = [];
  await using real = realEngine(async (request) => {
    const { files } = await receiveUploads(new Request(request), { directory });
    const answer = Promise.withResolvers<void>();
    answers.push(answer);
    texts.push(() => itemAt(files, 0).text());
    await answer.promise;
    return new Response("done");
  });
  using first = await real.connect();
  using second = await real.connect();
  const form = formBytes([file("f", "a", "1")], "b");
  for (const client of [first, second]) {
    await client.send(head(form.length));
    await client.send(form);
  }
  while (answers.length < 2) await settled();
  const answered = [first.responses(1), second.responses(1)];
  itemAt(answers, 0).resolve();
  await Promise.race(answered);
  assert.equal(await itemAt(texts, 1)(), "1");
  itemAt(answers, 1).resolve();
  await Promise.all(answered);
  await empty(directory);
  Deno.removeSync(directory);
});

Deno.test("A request that copies nothing is not bound to the uploads under way", async () => {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const bytes = formBytes([file("f", "a", "own")], "another");
  let keep: { dispose(): Promise<void>; files: readonly { text(): Promise<string> }[] } | null = null;
  await using real = realEngine(async (request) => {
    if (request.method === "GET") return new Response("the exchange before is over");
    await request.text();
    const headers = { "content-type": "multipart/form-data; boundary=another" };
    keep = await receiveUploads(new Request("http://localhost/", { method: "POST", headers, body: bytes }), {
      directory,
    });
    return new Response("done");
  });
  using client = await real.connect();
  const form = formBytes([file("f", "a", "1")], "b");
  await client.send(head(form.length));
  await client.send(form);
  await client.responses(1);
  await client.get("/");
  assert.equal(await itemAt(keep!.files, 0).text(), "own");
  await keep!.dispose();
  await empty(directory);
  Deno.removeSync(directory);
});

const ID = "holiday-film";

for (const [what, copy] of Object.entries(COPIES)) {
  if (what === "a request with its bytes") continue; // It exists only when everything has come.
  Deno.test(`Progress is followed if the wrapped handler is given only ${what}`, async () => {
    using uploads = new Uploads();
    const inner = uploadProgress(async (request: Request) => new Response(await request.text()), { uploads });
    await using server = serving(async (request) => await inner(await copy(request)), { body: "stream" });
    // A copy with another URL names the upload only by the header.
    const fields = `x-progress-id: ${ID}\r\n`;
    using client = await beginUpload(server, "/", { size: 10, fields });
    await client.send("12345");
    while (uploads.localProgressOf(ID)?.received !== 5) await settled();
    assert.equal(uploads.localProgressOf(ID)!.state, "uploading");
    await client.send("67890");
    const [response] = firstItems(await client.responses(1), 1);
    assert.equal(bodyText(response), "1234567890");
    while (uploads.localProgressOf(ID)!.state === "uploading") await settled();
    const { state, received, status } = uploads.localProgressOf(ID)!;
    assert.deepEqual([state, received, status], ["done", 10, 200]);
  });
}

Deno.test("Progress is followed and answered under a mounted application of Hono", async () => {
  using uploads = new Uploads();
  const inner = uploadProgress(async (request: Request) => new Response(await request.text()), { uploads });
  const app = new Hono();
  app.mount("/mounted", (request: Request) => inner(request));
  await using server = serving(app.fetch as Handler, { body: "stream" });
  using client = await beginUpload(server, `/mounted/up?progress_id=${ID}`, { size: 10 });
  await client.send("12345");
  while (uploads.localProgressOf(ID)?.received !== 5) await settled();
  using asking = await server.connect();
  const progress = JSON.parse(bodyText(await asking.get(`/mounted/?progress_id=${ID}`)));
  assert.deepEqual([progress.state, progress.received, progress.size], ["uploading", 5, 10]);
  await client.send("67890");
  await client.responses(1);
});
