// Serves FastCGI applications: programs in Perl, PHP or any other language that run in processes of their own.

import type { Exchange } from "../connection/exchange.ts";
import { RequestInfo } from "../connection/request_info.ts";
import { AnswerResponse } from "../message/answer_response.ts";
import type { HandlerInfo } from "../message/handler.ts";
import { lineLog } from "../platform/log.ts";
import type { Address, Log } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import type { Answer } from "../wire/answer.ts";
import { type CgiPlace, type CgiScript, cgiTarget, cgiVariables } from "../wire/cgi_variables.ts";
import { writeRequest } from "../wire/fastcgi_records.ts";
import { readBackendAddress } from "./backend_address.ts";
import { BackendError, failureAnswer } from "./backend_error.ts";
import { BackendWatch } from "./backend_watch.ts";
import { type BackendFacts, Backends } from "./backends.ts";
import { Conversation, type ConversationParts } from "./conversation.ts";
import { contentOf, type RequestContent } from "./request_content.ts";

/** What {@linkcode fastcgi} can be told. */
export interface FastCgiOptions {
  /** Where the application listens: `unix:/run/app.sock` or `127.0.0.1:9000`. */
  address: string;
  /**
   * Milliseconds that a backend may take until it moves: to accept a connection, to take more of a request, to send more of
   * its answer. Then the client is answered 504, or its connection is cut. 0 means no limit.
   * @default {60000}
   */
  timeoutMs?: number | undefined;
  /**
   * Most connections to the backends at once, 1 or more.
   * @default {64} fewer than the queue of a backend's socket usually has
   */
  maxConnections?: number | undefined;
  /**
   * Most requests that wait for a connection; further ones are answered 503 with Retry-After.
   * @default {1024}
   */
  maxWaiting?: number | undefined;
  /**
   * Whether connections are kept for further requests (FCGI_KEEP_CONN). A kept connection holds a process of a backend that
   * preforks, as plackup and PHP-FPM do, and other clients of it may wait for ever. So set this only if `maxConnections` in
   * all processes together is not more than the backend has processes, and nothing else uses the backend.
   * @default {false}
   */
  keepConnections?: boolean | undefined;
  /**
   * Most bytes of the head of an answer; for more the client is answered 502.
   * @default {65536} 64 KiB
   */
  maxHeaderBytes?: number | undefined;
  /**
   * Takes the lines for the operator: what the application writes to its stderr, and what went wrong with it.
   * @default writes lines to stderr
   */
  log?: Log | undefined;
}

/** A handler that passes requests on to a FastCGI application. */
export interface FastCgiHandler {
  /** Passes a request on. The request must be one that Weft serves. */
  (request: Request, info?: HandlerInfo): Promise<Response>;
  /** How the backends stand, as this process sees them. */
  readonly backends: BackendFacts;
  /** Closes connections that are kept. Requests that are under way may finish. */
  close(): void;
}

const TIMEOUT_MS = 60_000;
/** Plack listens with a queue of 100, PHP-FPM with one of 511. */
const MAX_CONNECTIONS = 64;
const MAX_WAITING = 1024;
const MAX_HEADER_BYTES = 64 * 1024;
const SOFTWARE = "weft";

/**
 * Makes a handler that passes requests on to a FastCGI application.
 *
 * @param options where the application listens, or more
 * @returns the handler to serve
 * @throws {TypeError} if the address is none
 * @throws {RangeError} if an option is out of range
 */
export function fastcgi(options: FastCgiOptions): FastCgiHandler {
  const client = new FastCgiClient(options);
  const handler = (request: Request, info?: HandlerInfo) => client.handle(exchangeOf(request, info));
  return Object.defineProperties(handler, {
    backends: { get: () => client.backends },
    close: { value: () => client.close() },
  }) as FastCgiHandler;
}

function exchangeOf(_request: Request, info: HandlerInfo | undefined): Exchange {
  if (info instanceof RequestInfo) return RequestInfo.exchangeOf(info);
  throw new TypeError("fastcgi(): expected a request that Weft serves");
}

/** What passes requests on. */
class FastCgiClient {
  #backends: Backends;
  #parts: ConversationParts;
  #log: Log;
  #name: string;

  constructor(options: FastCgiOptions) {
    const { clock, process, decodeLatin1, connect } = platform;
    const log = this.#log = options.log ?? lineLog(process, clock);
    this.#name = options.address;
    this.#backends = new Backends({
      address: addressOf(options.address),
      maxConnections: atLeast(1, "maxConnections", options.maxConnections ?? MAX_CONNECTIONS),
      maxWaiting: atLeast(0, "maxWaiting", options.maxWaiting ?? MAX_WAITING),
      keepConnections: options.keepConnections ?? false,
    }, { connect, clock, log });
    this.#parts = {
      backends: this.#backends,
      watch: new BackendWatch(clock, atLeast(0, "timeoutMs", options.timeoutMs ?? TIMEOUT_MS)),
      maxHeaderBytes: atLeast(1, "maxHeaderBytes", options.maxHeaderBytes ?? MAX_HEADER_BYTES),
      decode: decodeLatin1,
      noteStderr: (line) => log("WARN", `backend ${this.#name}: ${line}`),
    };
  }

  get backends(): BackendFacts {
    return this.#backends.facts;
  }

  close(): void {
    this.#backends.close();
  }

  async handle(exchange: Exchange): Promise<Response> {
    let answer: Answer;
    try {
      answer = await this.#ask(exchange);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      const { method, target } = exchange.head;
      this.#log("ERROR", `${method} ${target} answered ${error.status}: backend ${this.#name}: ${error.message}`);
      answer = failureAnswer(error.status);
    }
    return new AnswerResponse(answer) as unknown as Response;
  }

  #ask(exchange: Exchange): Promise<Answer> {
    const { head } = exchange;
    const target = cgiTarget(head);
    const content = contentOf(exchange, platform.temporaryFiles);
    const ask = (content: RequestContent) => {
      const variables = cgiVariables(head, target, {
        script: scriptOf(target.path),
        place: placeOf(exchange, content),
      });
      const records = writeRequest({
        variables,
        body: content.kind === "stream" ? null : content.kind === "bytes" ? content.bytes : NOTHING,
        keepConnection: this.#backends.keepsConnections,
      });
      return new Conversation({ exchange, records, content }, this.#parts).answer();
    };
    return content instanceof Promise ? content.then(ask) : ask(content);
  }
}

const NOTHING = new Uint8Array(0);

function scriptOf(path: string): CgiScript {
  return { scriptName: "", pathInfo: path };
}

function placeOf({ connection, head }: Exchange, content: RequestContent): CgiPlace {
  const { scheme, remoteAddr, localAddr } = connection;
  const isRemote = remoteAddr.transport === "tcp";
  const isLocal = localAddr.transport === "tcp";
  return {
    scheme,
    // As nginx says it. An address such as 127.0.0.1 could open what is meant for this machine only.
    remoteAddress: isRemote ? remoteAddr.hostname : "unix:",
    remotePort: isRemote ? remoteAddr.port : 0,
    localAddress: isLocal ? localAddr.hostname : "localhost",
    localPort: isLocal ? localAddr.port : scheme === "https" ? 443 : 80,
    software: SOFTWARE,
    bodyLength: content.kind === "stream"
      ? content.length
      : content.kind === "bytes"
      ? content.bytes.length
      : head.field("content-length") === null
      ? -1
      : 0,
  };
}

function addressOf(text: string): Address {
  const address = readBackendAddress(text, platform.process.cwd);
  if (address !== null) return address;
  throw new TypeError(`address: expected unix:PATH or HOST:PORT, got ${JSON.stringify(text)}`);
}

function atLeast(least: number, name: string, value: number): number {
  if (typeof value === "number" && value >= least) return value;
  throw new RangeError(`${name}: expected a number from ${least}, got ${value}`);
}
