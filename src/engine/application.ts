// Makes the application that a connection calls from a fetch-style handler.

import type { Exchange } from "../connection/exchange.ts";
import type { Application } from "../connection/options.ts";
import { RequestInfo } from "../connection/request_info.ts";
import type { Accept, Handler, OnError, RequestPreview } from "../message/handler.ts";
import { LazyRequest } from "../message/lazy_request.ts";
import { isResponse, readAnswer } from "../message/read_answer.ts";
import { StorageError } from "../platform/errors.ts";
import { showError } from "../platform/log.ts";
import type { Log } from "../platform/ports.ts";
import { type Answer, reasonOf } from "../wire/answer.ts";
import { ClientError } from "../wire/protocol_error.ts";

/** What an application is made of. */
export interface ApplicationOptions {
  handler: Handler;
  accept?: Accept;
  onError?: OnError;
  /** Path that is answered here, and whether the engine drains. */
  health?: { path: string; isDraining: () => boolean };
  /** Puts the error's stack into the answer 500; for development only. */
  showErrors?: boolean;
  log: Log;
}

/**
 * Makes an application of a handler.
 *
 * @param parts the handler and what stands beside it
 * @returns what a connection asks
 */
export function applicationOf(parts: ApplicationOptions): Application {
  const { handler, accept, health } = parts;
  // Targets are compared as clients send them: percent-encoded.
  const healthPath = health === undefined ? null : new URL(`http://localhost${health.path}`).pathname;
  // The application cannot refuse the engine's own path.
  const isHealth = (exchange: Exchange) => healthPath !== null && pathOf(exchange) === healthPath;
  return {
    accept: accept === undefined ? null : (exchange) => isHealth(exchange) ? null : accept(previewOf(exchange)),
    handle: health === undefined
      ? (exchange) => handler(new LazyRequest(exchange) as unknown as Request, new RequestInfo(exchange))
      : (exchange) =>
        isHealth(exchange)
          ? readiness(health.isDraining())
          : handler(new LazyRequest(exchange) as unknown as Request, new RequestInfo(exchange)),
    answerEarly: (result) => isResponse(result) ? readAnswer(result) : null,
    answer(result, exchange) {
      const answer = readAnswer(result);
      return answer.status === 101 && exchange.takeOver === null ? notSwitched(parts, exchange) : answer;
    },
    fail: (error, exchange) => failed(parts, error, exchange),
  };
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
  return form === "absolute" ? new URL(target).pathname : target.split("?", 1)[0];
}

function readiness(isDraining: boolean): Response {
  const [status, word] = isDraining ? [503, "draining"] : [200, "serving"];
  return new Response(`${word}\n`, { status: status as number, headers: { "cache-control": "no-store" } });
}

function failed(parts: ApplicationOptions, error: unknown, exchange: Exchange): Answer | Promise<Answer> {
  // The client broke off or sent too much, and the handler let the error pass: that is the client's to hear.
  if (error instanceof ClientError) return textAnswer(error.status, error.message);
  if (error instanceof StorageError) return notStored(parts, error, exchange);
  // A handler that hangs on the request's signal fails with its reason when the client leaves. That is not a mistake.
  if (error !== undefined && error === exchange.cutReason) return textAnswer(500, "");
  if (parts.onError === undefined) return ownAnswer(parts, error, exchange);
  return askOnError(parts, error, exchange);
}

async function askOnError(parts: ApplicationOptions, error: unknown, exchange: Exchange): Promise<Answer> {
  try {
    return readAnswer(await parts.onError!(error));
  } catch (second) {
    parts.log("ERROR", `onError failed too: ${showError(second)}`);
    return ownAnswer(parts, error, exchange);
  }
}

function ownAnswer(parts: ApplicationOptions, error: unknown, exchange: Exchange): Answer {
  const { method, target } = exchange.head;
  parts.log("ERROR", `${method} ${target} failed: ${showError(error)}`);
  return textAnswer(500, parts.showErrors === true ? showError(error) : "");
}

/** The operator can make room; the client can come again. */
function notStored(parts: ApplicationOptions, error: StorageError, exchange: Exchange): Answer {
  const { method, target } = exchange.head;
  parts.log("ERROR", `${method} ${target} answered 507: ${error.message}`);
  return textAnswer(507, "there is no room for the request's body now");
}

/** `Deno.upgradeWebSocket` makes an answer of 101 for a server that is not this one. */
function notSwitched(parts: ApplicationOptions, exchange: Exchange): Answer {
  const { method, target } = exchange.head;
  parts.log("WARN", `${method} ${target}: the application answered 101; WebSockets are not served yet, so it is 501`);
  return textAnswer(501, "this server does not switch protocols yet");
}

function textAnswer(status: number, detail: string): Answer {
  const body = `${status} ${reasonOf(status)}${detail === "" ? "" : `: ${detail}`}\n`;
  return { status, reason: "", fields: [["content-type", "text/plain;charset=UTF-8"]], body, block: null };
}
