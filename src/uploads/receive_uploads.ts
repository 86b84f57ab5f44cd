// How a request with a form becomes fields and files, and that they go when the request ends.
// Reading goes on while one chunk's files are written, and never further: memory stays small, the socket is pushed back.

import { Exchange } from "../connection/exchange.ts";
import { exchangesUnderWay } from "../connection/under_way.ts";
import { LazyRequest } from "../message/lazy_request.ts";
import { platform } from "../platform/runtime.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import { FormIntake } from "./form_intake.ts";
import { MultipartReader } from "./multipart_reader.ts";
import { boundaryOf } from "./part_head.ts";
import type { ReceivedFile } from "./received_file.ts";
import { tooLarge, UploadError } from "./upload_error.ts";
import { settleLimits, type UploadOptions } from "./upload_limits.ts";
import { UploadStore } from "./upload_store.ts";

/** Not a literal in the import: Deno fetches what a literal names before the program starts, needed or not. */
const SEARCH = "npm:multipasta@^0.2.8/Search";

/** What a form has brought. Disposed of, its files are removed, but for those that were moved away. */
export interface ReceivedForm extends AsyncDisposable {
  /** The values of each field that is not a file, in the order sent. */
  readonly fields: ReadonlyMap<string, readonly string[]>;
  /** The files, in the order sent. */
  readonly files: readonly ReceivedFile[];
  /** Fields and files together, in the order sent: the field's name, and its value or its file. */
  readonly entries: readonly (readonly [field: string, value: string | ReceivedFile])[];
  /**
   * The last value of a field.
   *
   * @param name the field's
   * @returns the value; null if there is none
   */
  field(name: string): string | null;
  /**
   * The last file of a field.
   *
   * @param name the field's
   * @returns the file; null if there is none
   */
  file(name: string): ReceivedFile | null;
  /** Removes the files now. Under Weft it happens by itself when the request ends. Never rejects; may be called again. */
  dispose(): Promise<void>;
}

/**
 * Receives a form with files (`multipart/form-data`): files go to temporary files or a sink as they come, values to memory.
 *
 * Each file has a name made by Weft, in a directory of its own that only this user can read. It is removed when the
 * request ends, however it ends, unless it was moved away. The request may also be a copy that a framework has made, if it
 * has kept the content-type. Under another server, write `await using`. Only a process that is killed leaves files behind,
 * in directories `weft-*` under TMPDIR.
 *
 * Nothing that a client says of a file is checked but its name, which is made safe.
 *
 * @param request the request; its body is read to the end
 * @param options limits, and where files go
 * @returns fields and files, once all have come
 * @throws {UploadError} if the client has sent no form, a broken one or too much; a handler may let it pass, which is
 * answered with its status
 * @throws {StorageError} if there is no room; let it pass, which is answered with 507 and logged
 * @throws {TypeError} if the body was read already
 * @throws {RangeError} if an option is out of range
 *
 * @example
 * ```ts
 * import { receiveUploads, serve } from "@weft/engine";
 * import assert from "node:assert/strict";
 *
 * await using server = serve({ port: 0, onListen() {} }, async (request) => {
 *   const { files, field } = await receiveUploads(request, { maxFiles: 5 });
 *   // Stays where it is moved to: await files[0].moveTo(`/srv/photos/${id}.jpg`);
 *   return Response.json({ title: field("title"), got: files.map(({ name, size }) => `${name}: ${size} bytes`) });
 * });
 *
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 * const form = new FormData();
 * form.set("title", "a loom");
 * form.set("photo", new File(["warp and weft"], "loom.txt"));
 * const response = await fetch(`http://127.0.0.1:${server.addr.port}/`, { method: "POST", body: form });
 * assert.deepEqual(await response.json(), { title: "a loom", got: ["loom.txt: 13 bytes"] });
 * ```
 */
export async function receiveUploads(request: Request, options: UploadOptions = {}): Promise<ReceivedForm> {
  const limits = settleLimits(options);
  const strict = options.strict === true;
  const boundary = boundaryOf(request.headers.get("content-type"), { strict });
  if (request.bodyUsed) throw new TypeError("expected a request whose body was not read yet");
  checkTotal(Number(request.headers.get("content-length")), limits.maxTotalBytes);
  const store = new UploadStore(platform.makeTemporaryDirectory, options);
  disposeAtEnd(request, store);
  try {
    const { make } = await import(SEARCH) as typeof import("npm:multipasta@^0.2.8/Search");
    const intake = new FormIntake({ limits, strict, makeSearch: make });
    const reader = new MultipartReader(make, boundary, intake);
    await readForm(request, { reader, intake, store, maxTotalBytes: limits.maxTotalBytes });
    return uploadsOf(intake, store);
  } catch (error) {
    const named = nameError(error);
    await store.dispose(named);
    throw named;
  }
}

interface Reading {
  readonly reader: MultipartReader;
  readonly intake: FormIntake;
  readonly store: UploadStore;
  readonly maxTotalBytes: number;
}

async function readForm(request: Request, { reader, intake, store, maxTotalBytes }: Reading): Promise<void> {
  let storing = Promise.resolve();
  let total = 0;
  for await (const chunk of request.body ?? []) {
    total += chunk.length;
    checkTotal(total, maxTotalBytes);
    reader.write(chunk);
    await storing;
    storing = store.take(intake.takeEvents());
    // Its failure shows when it is awaited.
    storing.catch(() => {});
  }
  reader.end();
  await storing;
  await store.take(intake.takeEvents());
}

function checkTotal(total: number, most: number): void {
  if (total > most) throw tooLarge("total-too-large", `the form has more than ${most} bytes; send less at once`);
}

/** What is wrong with the body is wrong with the upload: a handler has one class to look for. */
function nameError(error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error;
  const { code, status, message } = error;
  return new UploadError(code, message, { status, cause: error });
}

/**
 * Removes the files when the request ends. A request of another server tells only that it was aborted.
 */
function disposeAtEnd(request: Request, store: UploadStore): void {
  const dispose = () => void store.dispose();
  const exchanges = exchangesOf(request);
  if (exchanges.length === 0) return request.signal.addEventListener("abort", dispose, { once: true });
  Promise.allSettled(exchanges.map(({ completed }) => completed)).then(dispose);
}

/**
 * Finds the exchange of a request. A copy of a request (`clone()`, `new Request(request)`, what a framework makes) is
 * known by its content-type, because clients make a new boundary for each form. If several exchanges have the same one,
 * it may be any of them, and the files stay until all of them have ended.
 */
function exchangesOf(request: Request): readonly Exchange[] {
  const incoming = LazyRequest.incoming(request);
  if (incoming instanceof Exchange) return [incoming];
  const type = request.headers.get("content-type");
  const isSource = ({ head }: Exchange) => head.framing.kind !== "none" && head.field("content-type") === type;
  return [...exchangesUnderWay()].filter(isSource);
}

function uploadsOf({ fields, order }: FormIntake, store: UploadStore): ReceivedForm {
  const { files } = store;
  const dispose = () => store.dispose();
  let file = 0;
  return {
    fields,
    files,
    entries: order.map(([field, value]) => [field, value ?? files[file++]]),
    field: (name) => fields.get(name)?.at(-1) ?? null,
    file: (name) => files.findLast(({ field }) => field === name) ?? null,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
