// How a request with a form becomes fields and files: what an application calls.
// The reader itself is loaded by the first call, because most applications never receive a form.

import { Exchange } from "../connection/exchange.ts";
import { exchangesUnderWay } from "../connection/under_way.ts";
import { LazyRequest } from "../message/lazy_request.ts";
import type { ReceivedForm } from "./received_file.ts";
import type { UploadOptions } from "./upload_limits.ts";

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
  // Found before the first wait: the request may end during it.
  const exchanges = exchangesOf(request);
  const { receiveForm } = await import("./receive_form.ts");
  return await receiveForm(request, options, exchanges);
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
