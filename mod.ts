/**
 * Weft: an HTTP/1.1 application server for fetch-style handlers.
 *
 * As a library, {@linkcode serve} is a drop-in for `Deno.serve`. As a program it serves an application from the command
 * line: `deno run -A mod.ts app.ts`.
 *
 * @example
 * ```ts
 * import { serve } from "@weft/engine";
 *
 * await using server = serve({ port: 0, onListen() {} }, (request) => new Response(`you asked for ${request.url}`));
 * ```
 *
 * @module
 */

export { fastcgi, type FastCgiHandler } from "./src/fastcgi/fastcgi.ts";
export type { FastCgiOptions } from "./src/fastcgi/fastcgi_options.ts";
export type { BackendFacts } from "./src/fastcgi/backends.ts";
export { serve, type Server } from "./src/engine/serve.ts";
export type {
  ApplicationModule,
  CommonOptions,
  ServeOptions,
  TcpOptions,
  UnixOptions,
} from "./src/engine/serve_options.ts";
export {
  upgradeWebSocket,
  type UpgradeWebSocketOptions,
  type WebSocketUpgrade,
} from "./src/engine/upgrade_web_socket.ts";
export type { Limits } from "./src/engine/settings.ts";
export type { Accept, Handler, HandlerInfo, HandlerTimings, OnError, RequestPreview } from "./src/message/handler.ts";
export { StorageError } from "./src/platform/errors.ts";
export type { Address, Clock, Log, TcpAddress, Timer, UnixAddress } from "./src/platform/ports.ts";
export type { BodyPolicy } from "./src/connection/options.ts";
export type { ReceivedFile, ReceivedForm } from "./src/uploads/received_file.ts";
export { receiveUploads } from "./src/uploads/receive_uploads.ts";
export { type UploadCode, UploadError } from "./src/uploads/upload_error.ts";
export type { UploadOptions, UploadPart, UploadSink } from "./src/uploads/upload_limits.ts";
export { type ClientError, type ProtocolCode, ProtocolError } from "./src/wire/protocol_error.ts";
export type { Framing, HeadFacts, RequestHead } from "./src/wire/request_head.ts";
export type { RequestInfo } from "./src/connection/request_info.ts";
export type { ConnectionView, ExchangeView, Lap, Phase, PhaseReader, Traffic } from "./src/connection/phases.ts";
export { type LineOptions, stopwatch } from "./src/inspect/stopwatch.ts";
export { trace } from "./src/inspect/trace.ts";
export {
  progressChanges,
  progressOf,
  uploadProgress,
  type UploadProgressOptions,
  uploads,
} from "./src/progress/upload_progress.ts";
export { Uploads, type UploadsOptions, type WatchOptions } from "./src/progress/uploads.ts";
export { redisStore, type RedisStoreOptions } from "./src/progress/redis_store.ts";
export type { Progress, ProgressState, ProgressStore } from "./src/progress/progress.ts";

// Not awaited here: an application may import this module while the program serves it.
if (import.meta.main) import("./src/cli/main.ts").then(({ main }) => main());
