// What real clients' forms become under the engine, and that files go when their request ends, however it ends.

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Hono } from "npm:hono@^4";
import { type ReceivedForm, receiveUploads } from "../../mod.ts";
import type { Handler } from "../../src/message/handler.ts";
import { settled } from "../helpers/duplex.ts";
import { firstItems, itemAt } from "../helpers/items.ts";
import { file, formBytes, value } from "../helpers/multipart.ts";
import { hasProgram, unixTest } from "../helpers/program.ts";
import { bodyText, fieldOf } from "../helpers/responses.ts";
import { realEngine } from "../helpers/serving.ts";
import { onTinyDisk } from "../helpers/temporary.ts";

/** An engine, and a directory that is empty at its end. */
interface Receiving extends AsyncDisposable {
  readonly real: ReturnType<typeof realEngine>;
  readonly directory: string;
  /** What was received. */
  readonly received: ReceivedForm[];
  /** Waits until nothing is left of any request. */
  empty(): Promise<void>;
}

function names(directory: string): string[] {
  return Array.from(Deno.readDirSync(directory), ({ name }) => name);
}

function receiving(
  answer: (uploads: ReceivedForm, request: Request) => Response | Promise<Response>,
  options: { limits?: Parameters<typeof realEngine>[1]; uploads?: Parameters<typeof receiveUploads>[1] } = {},
): Receiving {
  const directory = Deno.makeTempDirSync({ prefix: "weft-test-" });
  const received: ReceivedForm[] = [];
  const real = realEngine(async (request) => {
    const uploads = await receiveUploads(request, { directory, ...options.uploads });
    received.push(uploads);
    return await answer(uploads, request);
  }, options.limits);
  const empty = async () => {
    while (names(directory).length > 0) await settled();
  };
  return {
    real,
    directory,
    received,
    empty,
    async [Symbol.asyncDispose]() {
      await real[Symbol.asyncDispose]();
      await empty();
      Deno.removeSync(directory);
    },
  };
}

async function show({ fields, files }: ReceivedForm): Promise<Response> {
  const shown = await Promise.all(
    files.map(async (file) => `${file.field}=${file.name} ${file.type} ${await file.text()}`),
  );
  return Response.json([...Array.from(fields, ([name, values]) => `${name}=${values.join("+")}`), ...shown]);
}

function head(length: number, boundary = "b"): string {
  return `POST /up HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=${boundary}\r\n` +
    `content-length: ${length}\r\n\r\n`;
}

for (const body of ["auto", "whole", "stream"] as const) {
  Deno.test(`A form of fetch is received under "${body}", and its files go with the answer`, async () => {
    await using at = receiving(show, { limits: { body } });
    for (const size of [10, 400_000]) {
      const form = new FormData();
      form.append("title", "ein Webstuhl ä\r\n");
      form.append("photo", new File(["x".repeat(size)], 'a "loom" 日.txt', { type: "text/plain" }));
      form.append("title", "");
      form.append("photo", new Blob(["warp"]));
      const response = await fetch(at.real.url, { method: "POST", body: form });
      assert.deepEqual(await response.json(), [
        "title=ein Webstuhl ä\r\n+",
        `photo=a _loom_ 日.txt text/plain ${"x".repeat(size)}`,
        "photo=blob application/octet-stream warp",
      ]);
      await at.empty();
      assert.equal(itemAt(at.received.at(-1)!.files, 0).path, null);
    }
    const empty = await fetch(at.real.url, { method: "POST", body: new FormData() });
    assert.deepEqual(await empty.json(), []);
    assert.deepEqual(at.real.lines, []);
  });
}

unixTest("A form of curl is received", async () => {
  if (!await hasProgram("curl")) return;
  await using at = receiving(show);
  const directory = Deno.makeTempDirSync();
  const path = `${directory}/we"ft ä.txt`;
  Deno.writeTextFileSync(path, "warp");
  const args = ["-s", "-F", "a=1", "-F", `f=@"${path.replaceAll('"', '\\"')}"`, "-F", `g=@-;filename=../x;type=a/b`];
  const curl = new Deno.Command("curl", { args: [...args, at.real.url], stdin: "piped", stdout: "piped" }).spawn();
  const writer = curl.stdin.getWriter();
  await writer.write(new TextEncoder().encode("from stdin"));
  await writer.close();
  const { stdout } = await curl.output();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    "a=1",
    "f=we_ft ä.txt text/plain warp",
    "g=x a/b from stdin",
  ]);
  Deno.removeSync(directory, { recursive: true });
});

Deno.test("A file is answered from the disk before it goes", async () => {
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  const large = Buffer.concat(Array.from({ length: 30 }, () => bytes));
  await using at = receiving(({ files }) => new Response(itemAt(files, 0).stream()));
  const form = new FormData();
  form.append("f", new Blob([large]));
  const response = await fetch(at.real.url, { method: "POST", body: form });
  assert.ok(Buffer.from(await response.bytes()).equals(large));
  await at.empty();
});

Deno.test("A form that is too large, broken or none is answered with its status if the handler lets the error pass", async () => {
  await using at = receiving(() => new Response("fine"), { uploads: { maxFileBytes: 1_000 } });
  using client = await at.real.connect();
  const asked: [status: number, says: RegExp, request: string][] = [];
  const post = (body: string) => head(body.length) + body;
  const large = new TextDecoder().decode(formBytes([file("f", "a", "x".repeat(1_001))], "b"));
  asked.push([
    413,
    /^413 Content Too Large: the file in field "f" has more than 1000 bytes; send a smaller one\n$/,
    post(large),
  ]);
  asked.push([400, /^400 Bad Request: the form ended before its first boundary/, post("nonsense")]);
  asked.push([
    415,
    /^415 Unsupported Media Type: expected multipart\/form-data, got no content-type/,
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx",
  ]);
  asked.push([200, /^fine$/, post(new TextDecoder().decode(formBytes([file("f", "a", "x")], "b")))]);
  for (const [status, says, request] of asked) {
    await client.send(request);
    const [response] = firstItems(await client.responses(1), 1);
    assert.equal(response.status, status);
    assert.match(bodyText(response), says);
    assert.equal(fieldOf(response, "connection"), null, "the connection goes on");
  }
  assert.deepEqual(at.real.lines, [], "what clients do wrong is not the operator's trouble");
});

Deno.test("A body over the server's limit is one class of error with all the others", async () => {
  let thrown: unknown;
  const directory = Deno.makeTempDirSync();
  await using real = realEngine(async (request) => {
    await receiveUploads(request, { directory }).catch((error) => thrown = error);
    return new Response("caught");
  }, { maxBodyBytes: 1_000 });
  using client = await real.connect();
  const chunk = new TextDecoder().decode(formBytes([file("f", "a", "x".repeat(2_000))], "b"));
  await client.send(head(0).replace("content-length: 0", "transfer-encoding: chunked"));
  await client.send(`${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`);
  await client.responses(1);
  const { name, code, status } = thrown as Record<string, unknown>;
  assert.deepEqual({ name, code, status }, { name: "UploadError", code: "body-too-large", status: 413 });
  assert.deepEqual(names(directory), []);
  Deno.removeSync(directory);
});

Deno.test("Files go however their request ends", async () => {
  const ends: Record<string, (at: Receiving) => Promise<void>> = {
    "the client leaves in the middle of a file": async (at) => {
      const client = await at.real.connect();
      const form = formBytes([file("f", "a", new Uint8Array(3_000_000))], "b");
      await client.send(head(form.length));
      await client.send(form.subarray(0, 1_500_000));
      while (names(at.directory).length === 0) await settled();
      client.close();
      await at.empty();
      assert.equal(at.received.length, 0);
    },
    "the client leaves while the handler runs": async (at) => {
      const client = await at.real.connect();
      const form = formBytes([file("f", "a", "1")], "b");
      await client.send(head(form.length));
      await client.send(form);
      while (at.received.length === 0) await settled();
      assert.equal(names(at.directory).length, 1);
      client.close();
      // A client that is gone is given a second to have meant it; a drain does not wait.
      at.real.engine.abort();
      await at.empty();
    },
    "a drain cuts it in the middle of a file": async (at) => {
      using client = await at.real.connect();
      const form = formBytes([file("f", "a", new Uint8Array(3_000_000))], "b");
      await client.send(head(form.length));
      await client.send(form.subarray(0, 1_500_000));
      while (names(at.directory).length === 0) await settled();
      at.real.engine.abort();
      await at.real.engine.finished;
      await at.empty();
    },
  };
  for (const end of Object.values(ends)) {
    await using at = receiving(() => new Promise(() => {}));
    await end(at);
    const failures = at.real.lines.filter((line) => line.startsWith("ERROR"));
    assert.deepEqual(failures, [], "who left is nobody's failure");
  }
  await using throwing = receiving(() => Promise.reject(new Error("the handler's own")));
  const form = new FormData();
  form.append("f", new Blob(["x"]));
  const response = await fetch(throwing.real.url, { method: "POST", body: form });
  assert.equal(response.status, 500);
  await response.body?.cancel();
  await throwing.empty();
});

Deno.test("A broken form among others harms none of them", async () => {
  await using at = receiving(show);
  const good = formBytes([value("a", "1"), file("f", "a.txt", "x".repeat(50_000))], "b");
  const bad = good.subarray(0, 30_000);
  const answers = await Promise.all(Array.from({ length: 30 }, async (_, nr) => {
    const body = nr % 3 === 0 ? bad : good;
    const headers = { "content-type": "multipart/form-data; boundary=b" };
    const response = await fetch(at.real.url, { method: "POST", headers, body });
    return `${response.status} ${(await response.text()).length}`;
  }));
  const [cut, whole] = [
    new Set(answers.filter((_, nr) => nr % 3 === 0)),
    new Set(answers.filter((_, nr) => nr % 3 !== 0)),
  ];
  assert.equal(cut.size, 1);
  assert.match(itemAt([...cut], 0), /^400/);
  assert.equal(whole.size, 1);
  assert.match(itemAt([...whole], 0), /^200 500\d\d$/);
});

Deno.test("A disk that is full is a 507 and a line for the operator", async () => {
  await onTinyDisk(async (directory) => {
    await using at = receiving(show, { uploads: { directory } });
    const form = new FormData();
    form.append("f", new Blob([new Uint8Array(1_200_000)]));
    const response = await fetch(at.real.url, { method: "POST", body: form });
    assert.equal(response.status, 507);
    await response.body?.cancel();
    assert.match(
      at.real.lines.join("\n"),
      /^ERROR POST \/ answered 507: a temporary file cannot be written in .*set TMPDIR/,
    );
    assert.deepEqual(names(directory), []);
  });
});

Deno.test("Under Hono files are received, go with the answer, and errors keep their status", async () => {
  const directory = Deno.makeTempDirSync();
  const app = new Hono();
  app.post("/", async (c) => {
    const { files } = await receiveUploads(c.req.raw, { directory, maxFiles: 1 });
    return c.json(files.map(({ name }) => name));
  });
  await using real = realEngine(app.fetch as Handler);
  const form = new FormData();
  form.append("f", new File(["x"], "x.txt"));
  const served = await fetch(real.url, { method: "POST", body: form });
  assert.deepEqual(await served.json(), ["x.txt"]);
  while (names(directory).length > 0) await settled();
  form.append("f", new File(["y"], "y.txt"));
  const refused = await fetch(real.url, { method: "POST", body: form });
  assert.equal(refused.status, 413);
  assert.match(await refused.text(), /too many files, the limit is 1/);
  assert.deepEqual(names(directory), []);
  Deno.removeSync(directory);
});
