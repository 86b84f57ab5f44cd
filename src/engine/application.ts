// Makes the application that a connection calls from a fetch-style handler and its hooks.

import type { ResponseBroken } from "../connection/endings.ts";
import type { Exchange } from "../connection/exchange.ts";
import type { Application } from "../connection/options.ts";
import { RequestInfo } from "../connection/request_info.ts";
import type { Accept, Handler, OnError, RequestPreview } from "../message/handler.ts";
import { LazyRequest, requestOf } from "../message/lazy_request.ts";
import { isResponse, readAnswer } from "../message/read_answer.ts";
import { StorageError } from "../platform/errors.ts";
import { showError } from "../platform/log.ts";
import type { Log } from "../platform/ports.ts";
import type { Answer } from "../wire/answer.ts";
import { reasonOf } from "../wire/reasons.ts";
import { ClientError } from "../wire/protocol_error.ts";
import { loadWebSockets } from "./upgrade_web_socket.ts";

/** What an application is made of. */
export interface ApplicationOptions {
  /** Answers each request. */
  handler: Handler;
  /** May answer a request before its body is read. */
  accept?: Accept | undefined;
  /** Makes the answer for a handler that threw; without it that is a 500. */
  onError?: OnError | undefined;
  /** The path that the engine answers itself, and whether the engine drains. */
  health?: ({ path: string; isDraining: () => boolean }) | undefined;
  /** Changes an answer of the handler before it is sent, such as by compressing it. */
  transform?: ((answer: Answer, exchange: Exchange) => Answer) | undefined;
  /** Puts the error's stack into the answer 500, and Weft's own frames into each stack; for development only. */
  showErrors?: boolean | undefined;
  log: Log;
}

/**
 * Makes an application from a handler.
 *
 * @param options the handler and its hooks
 * @returns the application, as a connection calls it
 */
export function applicationOf(options: ApplicationOptions): Application {
  const { handler, accept, health, transform } = options;
  // Targets are compared as clients send them: percent-encoded.
  const healthPath = health === undefined ? null : new URL(`http://localhost${health.path}`).pathname;
  // The application may not refuse requests for the health path, so its `accept` does not see them.
  const call = (exchange: Exchange) => handler(requestOf(exchange), new RequestInfo(exchange));
  const isHealth = (exchange: Exchange) => healthPath !== null && pathOf(exchange) === healthPath;
  return {
    accept: accept === undefined ? null : (exchange) => isHealth(exchange) ? null : accept(previewOf(exchange)),
    handle: health === undefined
      ? (exchange) => exchange.head.upgrade === null ? call(exchange) : callWithWebSockets(exchange, call)
      : (exchange) =>
        isHealth(exchange)
          ? readiness(health.isDraining())
          : exchange.head.upgrade === null
          ? call(exchange)
          : callWithWebSockets(exchange, call),
    answerEarly: (result) => isResponse(result) ? readAnswer(result) : null,
    answer(result, exchange) {
      const answer = readAnswer(result);
      if (answer.status === 101 && exchange.takeOver === null) return notSwitched(options, exchange);
      return transform === undefined ? answer : transform(answer, exchange);
    },
    fail: (error, exchange) => failed(options, error, exchange),
  };
}

/** The first request that asks for an upgrade waits until WebSockets are loaded. */
function callWithWebSockets(exchange: Exchange, call: (exchange: Exchange) => unknown): unknown {
  const loading = loadWebSockets();
  return loading === null ? call(exchange) : loading.then(() => call(exchange));
}

function previewOf(exchange: Exchange): RequestPreview {
  const request = new LazyRequest(exchange);
  return {
    method: request.method,
    get url() {
      return request.url;
    },
    get headers() {
      return request.headers;
    },
  };
}

function pathOf(exchange: Exchange): string {
  const { form, target } = exchange.head;
  if (form === "absolute") return new URL(target).pathname;
  const query = target.indexOf("?");
  return query < 0 ? target : target.slice(0, query);
}

function readiness(isDraining: boolean): Response {
  const [status, word] = isDraining ? [503, "draining"] : [200, "serving"];
  return new Response(`${word}\n`, { status: status as number, headers: { "cache-control": "no-store" } });
}

function failed(options: ApplicationOptions, error: unknown, exchange: Exchange): Answer | Promise<Answer> {
  // The client stopped sending or sent too much, and the handler passed the error on. The client's mistake is not logged.
  if (error instanceof ClientError) return textAnswer(error.status, error.message, error.fields);
  if (error instanceof StorageError) return notStored(options, error, exchange);
  // The client has left, and the handler failed with the reason of the request's signal. This is not an error to log.
  if (error !== undefined && error === exchange.cutReason) return textAnswer(500, "");
  if (options.onError === undefined) return ownAnswer(options, error, exchange);
  return askOnError(options, error, exchange);
}

async function askOnError(options: ApplicationOptions, error: unknown, exchange: Exchange): Promise<Answer> {
  try {
    return readAnswer(await options.onError!(error));
  } catch (second) {
    options.log("ERROR", `onError failed too: ${shown(options, second)}`);
    return ownAnswer(options, error, exchange);
  }
}

function ownAnswer(options: ApplicationOptions, error: unknown, exchange: Exchange): Answer {
  const { method, target } = exchange.head;
  const text = shown(options, error);
  options.log("ERROR", `${method} ${target} failed: ${text}`);
  return textAnswer(500, options.showErrors === true ? text : "");
}

function shown({ showErrors }: Pick<ApplicationOptions, "showErrors">, error: unknown): string {
  return showError(error, { allFrames: showErrors === true });
}

/**
 * Tells the application that a body failed after its head was sent. As under Deno.serve, onError is called and its answer
 * is ignored, because the client has another one already.
 *
 * @param options the application's hooks, and the log that is used without onError
 * @param error what is wrong with the body; its cause is what the stream failed with
 * @param exchange what was answered
 */
export function reportBroken(
  options: Pick<ApplicationOptions, "onError" | "log" | "showErrors">,
  error: ResponseBroken,
  exchange: Exchange,
): void {
  const { cause } = error;
  // The client has left, and the stream failed with the reason of the request's signal. This is not an error to report.
  if (cause !== undefined && cause === exchange.cutReason) return;
  const { onError, log } = options;
  if (onError === undefined) return logBroken(options, error, exchange);
  const call = async () => void await onError("cause" in error ? cause : error);
  call().catch((second) => {
    log("ERROR", `onError failed too: ${shown(options, second)}`);
    logBroken(options, error, exchange);
  });
}

function logBroken(
  options: Pick<ApplicationOptions, "log" | "showErrors">,
  error: ResponseBroken,
  { head }: Exchange,
): void {
  const text = shown(options, error);
  options.log("ERROR", `${head.method} ${head.target} was cut off, its answer is not complete: ${text}`);
}

/** A temporary file failed: 507 tells the client to try later, and the log tells the operator to make room. */
function notStored(options: ApplicationOptions, error: StorageError, exchange: Exchange): Answer {
  const { method, target } = exchange.head;
  options.log("ERROR", `${method} ${target} answered 507: ${error.message}`);
  return textAnswer(507, "there is no room for the request's body now");
}

/** The runtime's own `Deno.upgradeWebSocket` returns an answer of 101 that only Deno's own server can serve. */
function notSwitched(options: ApplicationOptions, exchange: Exchange): Answer {
  const { method, target } = exchange.head;
  options.log(
    "WARN",
    `${method} ${target} answered 501: the application answered 101, but not with what upgradeWebSocket of @weft/engine gave`,
  );
  return textAnswer(501, "this server does not switch to that protocol");
}

function textAnswer(status: number, detail: string, more: Answer["fields"] = []): Answer {
  const body = `${status} ${reasonOf(status)}${detail === "" ? "" : `: ${detail}`}\n`;
  const fields = [["content-type", "text/plain;charset=UTF-8"], ...more] as const;
  return { status, reason: "", fields, body, block: null };
}
