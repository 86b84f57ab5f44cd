// Passes requests on to the backends of one FastCGI application. Loaded with the first request, or by `weft fcgi:...`.

import type { Exchange } from "../connection/exchange.ts";
import { AnswerResponse } from "../message/answer_response.ts";
import { lineLog } from "../platform/log.ts";
import type { Log } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import type { Answer } from "../wire/answer.ts";
import { type CgiPlace, type CgiScript, cgiTarget, cgiVariables } from "../wire/cgi_variables.ts";
import { writeRequest } from "../wire/fastcgi_records.ts";
import { showBackendAddress } from "./backend_address.ts";
import { BackendError, failureAnswer } from "./backend_error.ts";
import { BackendWatch } from "./backend_watch.ts";
import { type BackendFacts, Backends } from "./backends.ts";
import { Conversation, type ConversationParts } from "./conversation.ts";
import type { ClientOptions } from "./fastcgi_options.ts";
import { contentOf, type RequestContent } from "./request_content.ts";

/** What passes requests on. */
export class FastCgiClient {
  #backends: Backends;
  #parts: ConversationParts;
  #log: Log;
  #name: string;

  constructor(options: ClientOptions) {
    const { clock, process, decodeLatin1, connect } = platform;
    const log = this.#log = options.log ?? lineLog(process, clock);
    this.#name = showBackendAddress(options.address);
    this.#backends = new Backends(options, { connect, clock, log });
    this.#parts = {
      backends: this.#backends,
      watch: new BackendWatch(clock, options.timeoutMs),
      maxHeaderBytes: options.maxHeaderBytes,
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

const SOFTWARE = "weft";
const NOTHING = new Uint8Array(0);

function scriptOf(path: string): CgiScript {
  return { scriptName: "", pathInfo: path };
}

function placeOf({ arrival, connection, head }: Exchange, content: RequestContent): CgiPlace {
  const { scheme, remoteAddr } = arrival;
  const { localAddr } = connection;
  const isRemote = remoteAddr.transport === "tcp";
  const isLocal = localAddr.transport === "tcp";
  return {
    scheme,
    host: arrival.host,
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
