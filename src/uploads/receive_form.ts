// Reads a form into fields and files, and removes the files when the request ends.
// While the files of one chunk are written, one more chunk is read, and no more: memory stays small, and the client waits.

import type { Exchange } from "../connection/exchange.ts";
import { messageOf } from "../platform/log.ts";
import { platform } from "../platform/runtime.ts";
import { ProtocolError } from "../wire/protocol_error.ts";
import { FormIntake } from "./form_intake.ts";
import { MultipartReader } from "./multipart_reader.ts";
import { boundaryOf } from "./part_head.ts";
import type { ReceivedForm } from "./received_file.ts";
import { tooLarge, UploadError } from "./upload_error.ts";
import { settleLimits, type UploadOptions } from "./upload_limits.ts";
import { UploadStore } from "./upload_store.ts";

/** Not a literal in the import: Deno fetches what a literal names before the program starts, needed or not. */
const SEARCH = "npm:multipasta@^0.2.8/Search";

/**
 * Receives a form; see {@linkcode receiveUploads}.
 *
 * @param request the request; its body is read to the end
 * @param options limits, and where files go
 * @param exchanges the exchanges that the request may belong to; empty under another server
 * @returns fields and files, once all have come
 */
export async function receiveForm(
  request: Request,
  options: UploadOptions,
  exchanges: readonly Exchange[],
): Promise<ReceivedForm> {
  const limits = settleLimits(options);
  const strict = options.strict === true;
  const boundary = boundaryOf(request.headers.get("content-type"), { strict });
  if (request.bodyUsed) throw new TypeError("expected a request whose body was not read yet");
  checkTotal(Number(request.headers.get("content-length")), limits.maxTotalBytes);
  const store = new UploadStore(platform.makeTemporaryDirectory, options);
  disposeAtEnd(request, exchanges, store);
  try {
    const { make } = await loadSearch();
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

async function loadSearch(): Promise<typeof import("npm:multipasta@^0.2.8/Search")> {
  try {
    return await import(SEARCH);
  } catch (error) {
    // On Node it is missing if Weft was installed as a link. On Deno the registry may not answer.
    throw new Error(`receiveUploads needs the package multipasta, which cannot be loaded: ${messageOf(error)}`, {
      cause: error,
    });
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
function disposeAtEnd(request: Request, exchanges: readonly Exchange[], store: UploadStore): void {
  const dispose = () => void store.dispose();
  if (exchanges.length === 0) return onAbort(request.signal, dispose);
  Promise.allSettled(exchanges.map(({ completed }) => completed)).then(dispose);
}

function onAbort(signal: AbortSignal, dispose: () => void): void {
  if (signal.aborted) dispose();
  else signal.addEventListener("abort", dispose, { once: true });
}

function uploadsOf({ fields, order }: FormIntake, store: UploadStore): ReceivedForm {
  const { files } = store;
  const dispose = () => store.dispose();
  let file = 0;
  return {
    fields,
    files,
    // Each entry without a value has a file, in the same order.
    entries: order.map(([field, value]) => [field, value ?? files[file++]!]),
    field: (name) => fields.get(name)?.at(-1) ?? null,
    file: (name) => files.findLast(({ field }) => field === name) ?? null,
    dispose,
    [Symbol.asyncDispose]: dispose,
  };
}
