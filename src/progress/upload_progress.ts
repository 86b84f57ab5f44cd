// Wraps an application so that the progress of its uploads can be asked for, and keeps the uploads of this process.

import { Exchange } from "../connection/exchange.ts";
import { RequestInfo } from "../connection/request_info.ts";
import { exchangesUnderWay } from "../connection/under_way.ts";
import { LazyRequest } from "../message/lazy_request.ts";
import { ID_HEADER, idIn, isAsking, isUpload } from "./naming.ts";
import { ofProcess } from "./of_process.ts";
import { answerPoll } from "./polls.ts";
import type { Progress } from "./progress.ts";
import { Uploads } from "./uploads.ts";

/** The uploads of this process, unless an application has its own {@linkcode Uploads}. */
export const uploads: Uploads = ofProcess.uploads ??= new Uploads({ store: ofProcess.store });

/** What {@linkcode uploadProgress} can be told. */
export interface UploadProgressOptions {
  /**
   * The registry that follows the uploads and answers for them.
   * @default the {@linkcode uploads} of this process
   */
  uploads?: Uploads | undefined;
}

/**
 * Wraps a fetch-style handler so that the progress of its uploads can be asked for.
 *
 * An upload names itself with `?progress_id=ID`, `?X-Progress-ID=ID` or the header `X-Progress-ID`; an ID has 8 to 64 of
 * A-Z a-z 0-9 - _. A GET or HEAD of any path with the same name and no body is a poll: it is answered with the
 * {@linkcode Progress} as JSON, or, if it accepts `text/event-stream`, with an event for each change until the upload
 * is over; a page then closes its `EventSource`, which would ask again. Every other request goes to the handler.
 *
 * Under another server than this one polls are answered, but no upload is followed.
 *
 * @param handler answers everything but polls
 * @param options the registry of the uploads
 * @returns the handler to serve
 *
 * @example
 * ```ts
 * import { serve, uploadProgress } from "@weft/engine";
 * import assert from "node:assert/strict";
 *
 * const save = async (request: Request) => new Response(`${(await request.bytes()).length} bytes\n`);
 * await using server = serve({ port: 0, onListen() {} }, uploadProgress(save));
 *
 * if (server.addr.transport !== "tcp") throw new Error("not reached");
 * const poll = await fetch(`http://127.0.0.1:${server.addr.port}/?progress_id=holiday-film`);
 * assert.equal((await poll.json()).state, "starting");
 * ```
 */
export function uploadProgress<Rest extends unknown[]>(
  handler: (request: Request, ...rest: Rest) => Response | Promise<Response>,
  options: UploadProgressOptions = {},
): (request: Request, ...rest: Rest) => Response | Promise<Response> {
  const registry = options.uploads ?? uploads;
  return (request, ...rest) => {
    const [info] = rest;
    if (info instanceof RequestInfo) {
      const exchange = RequestInfo.exchangeOf(info);
      const { head } = exchange;
      if (isUpload(head)) registry.follow(info);
      else if (isAsking(head.method)) {
        const id = idIn(head.target, head.field(ID_HEADER));
        const isStopping = () => exchange.connection.isDraining;
        if (id !== null) return answer(registry, request, { id, isStopping });
      }
      return handler(request, ...rest);
    }
    // A framework has called with the request alone, or with a copy of it.
    const id = idIn(request.url, request.headers.get(ID_HEADER));
    if (id !== null) {
      const exchange = exchangeOf(request, id);
      if (isAsking(request.method)) {
        return answer(registry, request, { id, isStopping: () => exchange?.connection.isDraining === true });
      }
      if (exchange !== null) registry.follow(exchange.view);
    }
    return handler(request, ...rest);
  };
}

/** Finds the exchange of a request that names an upload. A copy is known by that name. Null under another server. */
function exchangeOf(request: Request, id: string): Exchange | null {
  const incoming = LazyRequest.incoming(request);
  if (incoming instanceof Exchange) return incoming;
  const { method } = request;
  for (const exchange of exchangesUnderWay()) {
    const { head } = exchange;
    if (head.method === method && idIn(head.target, head.field(ID_HEADER)) === id) return exchange;
  }
  return null;
}

function answer(
  registry: Uploads,
  request: Request,
  asked: { id: string; isStopping?: () => boolean },
): Response | Promise<Response> {
  const { method, headers } = request;
  return answerPoll(registry, { ...asked, method, accept: headers.get("accept"), signal: () => request.signal });
}

/**
 * Tells how far an upload is: one of this process, or of another one if {@linkcode Uploads.store} is set.
 *
 * @param id names the upload: 8 to 64 of A-Z a-z 0-9 - _
 * @returns its progress; its state is `starting` if it is not known
 * @throws {TypeError} if an upload cannot have such an id
 *
 * @example
 * ```ts
 * import { progressOf } from "@weft/engine";
 * import assert from "node:assert/strict";
 *
 * const { state, received } = await progressOf("holiday-film");
 * assert.equal(`${state}: ${received} bytes`, "starting: 0 bytes");
 * ```
 */
export function progressOf(id: string): Promise<Progress> {
  return uploads.progressOf(id);
}

/**
 * Watches an upload: gives its progress at once, then whenever it changes, at most ten times a second, and ends with its
 * last state. It waits for an upload that has not begun, and ends if nothing is heard of it for 60 s.
 *
 * @param id names the upload: 8 to 64 of A-Z a-z 0-9 - _
 * @param options `signal` ends the watching
 * @returns an iterator of progress
 * @throws {TypeError} if an upload cannot have such an id
 *
 * @example
 * ```ts
 * import { progressChanges } from "@weft/engine";
 *
 * for await (const { state, received, size } of progressChanges("holiday-film")) {
 *   console.log(`${state}: ${received} of ${size} bytes`);
 *   if (state === "starting") break; // A page would wait on.
 * }
 * ```
 */
export function progressChanges(
  id: string,
  options: { signal?: AbortSignal } = {},
): AsyncGenerator<Progress, void, void> {
  return uploads.progressChanges(id, options);
}
