// Options of the public functions that are undefined count as not set. Types are checked with `exactOptionalPropertyTypes`.

import assert from "node:assert/strict";
import {
  receiveUploads,
  serve,
  type ServeOptions,
  type UploadOptions,
  uploadProgress,
  type UploadProgressOptions,
  Uploads,
  type UploadsOptions,
} from "../mod.ts";
import { file, formBytes, formRequest, value } from "./helpers/multipart.ts";

/** Every option of a function, not set. */
type Unset<Options> = { [Name in keyof Required<Options>]: undefined };

const UNSET: Unset<ServeOptions> = {
  port: undefined,
  patchGlobals: undefined,
  maxMessageBytes: undefined,
  hostname: undefined,
  path: undefined,
  transport: undefined,
  tcpBacklog: undefined,
  keyFormat: undefined,
  trustProxy: undefined,
  proxyProtocol: undefined,
  compress: undefined,
  automaticCompression: undefined,
  fastGlobals: undefined,
  reusePort: undefined,
  cert: undefined,
  key: undefined,
  signal: undefined,
  onListen: undefined,
  onError: undefined,
  accept: undefined,
  readers: undefined,
  body: undefined,
  maxBodyBytes: undefined,
  maxHeaderBytes: undefined,
  maxRequestLineBytes: undefined,
  headerTimeoutMs: undefined,
  minBodyRate: undefined,
  writeTimeoutMs: undefined,
  keepAliveMs: undefined,
  maxConnections: undefined,
  maxInFlight: undefined,
  gracefulTimeoutMs: undefined,
  lastIdleMs: undefined,
  drainDelayMs: undefined,
  health: undefined,
};

Deno.test("An option of serve() that is undefined is not set", async () => {
  await using server = serve({ ...UNSET, port: 0, onListen() {} }, () => new Response("served"));
  assert.ok(server.addr.transport === "tcp");
  assert.equal(server.addr.hostname, "0.0.0.0");
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/`);
  assert.equal(await response.text(), "served");
});

Deno.test("An option of receiveUploads() that is undefined is not set", async () => {
  const unset: Unset<UploadOptions> = {
    maxFiles: undefined,
    maxFields: undefined,
    maxFileBytes: undefined,
    maxFieldBytes: undefined,
    maxFieldsBytes: undefined,
    maxTotalBytes: undefined,
    maxNameLength: undefined,
    directory: undefined,
    sink: undefined,
    strict: undefined,
  };
  const bytes = formBytes([file("film", "a.txt", "text"), value("title", "words")], "b");
  await using form = await receiveUploads(formRequest(bytes), unset);
  assert.equal(await form.file("film")?.text(), "text");
  assert.equal(form.field("title"), "words");
});

Deno.test("An option of upload progress that is undefined is not set", async () => {
  const unset: Unset<UploadsOptions> = { store: undefined, clock: undefined };
  const uploads = new Uploads(unset);
  const changes = uploads.progressChanges("film-0001", { signal: undefined, isStopping: undefined });
  assert.equal((await changes.next()).value?.state, "starting");
  await changes.return();
  const unwrapped: Unset<UploadProgressOptions> = { uploads: undefined };
  await using server = serve({
    port: 0,
    onListen() {},
    handler: uploadProgress(() => new Response("served"), unwrapped),
  });
  assert.ok(server.addr.transport === "tcp");
  const response = await fetch(`http://127.0.0.1:${server.addr.port}/?progress_id=film-0001`);
  assert.equal((await response.json()).state, "starting");
});
