// Passes requests on to the backends of one FastCGI application. Loaded with the first request, or by `weft fcgi:...`.

import { takeBuffer } from "../connection/buffer_pool.ts";
import type { Exchange } from "../connection/exchange.ts";
import { AnswerResponse } from "../message/answer_response.ts";
import { lineLog } from "../platform/log.ts";
import type { Log } from "../platform/ports.ts";
import { platform } from "../platform/runtime.ts";
import type { Answer } from "../wire/answer.ts";
import { type CgiPlace, type CgiScript, type CgiTarget, cgiTarget, cgiVariables } from "../wire/cgi_variables.ts";
import { putRequest, requestBytes } from "../wire/fastcgi_records.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { BackendError, plainAnswer } from "./backend_error.ts";
import { BackendWatch } from "./backend_watch.ts";
import { type BackendFacts, Backends } from "./backends.ts";
import { Conversation, type ConversationParts } from "./conversation.ts";
import type { DocumentRoot, Named } from "./document_root.ts";
import type { ClientOptions } from "./fastcgi_options.ts";
import { contentOf, type RequestContent } from "./request_content.ts";

/** What passes requests on. */
export class FastCgiClient {
  #backends: Backends;
  #parts: ConversationParts;
  #log: Log;
  #name: string;
  /** The files of a site in PHP, once they are loaded; null if the application decides about all paths itself. */
  #site: Site | Promise<Site> | null;

  constructor(options: ClientOptions) {
    const { clock, process, decodeLatin1, connect } = platform;
    const log = this.#log = options.log ?? lineLog(process, clock);
    this.#name = options.name;
    this.#backends = new Backends(options, { connect, clock, log });
    const { root, index } = options;
    this.#site = root === undefined ? null : loadSite(root, index);
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
      answer = plainAnswer(error.status);
    }
    return new AnswerResponse(answer) as unknown as Response;
  }

  async #ask(exchange: Exchange): Promise<Answer> {
    const { head } = exchange;
    const target = cgiTarget(head);
    let script: CgiScript = { scriptName: "", pathInfo: target.path };
    if (this.#site !== null) {
      const site = this.#site = await this.#site;
      const named = site.root.find(target.path);
      if (named.kind !== "script") return await site.answer(head, target, named);
      script = named.script;
    }
    // What stands in memory has to be used before anything is waited for.
    const content = contentOf(exchange, platform.temporaryFiles);
    return await this.#send(exchange, {
      target,
      script,
      content: content instanceof Promise ? await content : content,
    });
  }

  #send(exchange: Exchange, { target, script, content }: Request): Promise<Answer> {
    const variables = cgiVariables(exchange.head, target, { script, place: placeOf(exchange, content) });
    const body = content.kind === "stream" ? null : content.kind === "bytes" ? content.bytes : NOTHING;
    const start = { variables, body, keepConnection: false };
    const bytes = requestBytes(start);
    start.keepConnection = this.#backends.keepsConnections && body !== null && bytes <= MAX_KEPT_BYTES;
    const buffer = takeBuffer(bytes);
    const records = { buffer, length: putRequest(buffer, start) };
    return new Conversation({ exchange, records, content, isKept: start.keepConnection }, this.#parts).answer();
  }
}

/**
 * A longer request gets a connection of its own. libfcgi reads 8 KiB at a time, and forgets what its program has not read of
 * them, such as the end of a body. What is still in the socket then is taken for the next request, and ends the connection.
 */
const MAX_KEPT_BYTES = 8 * 1024;

/** What is asked of a program. */
interface Request {
  target: CgiTarget;
  script: CgiScript;
  content: RequestContent;
}

/** The files of a site in PHP. */
interface Site {
  root: DocumentRoot;
  /** Answers what names no script. */
  answer(head: RequestHead, target: CgiTarget, named: Named): Answer | Promise<Answer>;
}

async function loadSite(directory: string, index: string): Promise<Site> {
  const [{ DocumentRoot }, { fileAnswer }, documents] = await Promise.all([
    import("./document_root.ts"),
    import("./static_file.ts"),
    platform.loadDocuments(),
  ]);
  return {
    root: new DocumentRoot(directory, index, documents),
    answer(head, { uri, query }, named) {
      if (named.kind === "file") return fileAnswer(head, named, documents);
      if (named.kind !== "directory") return plainAnswer(404);
      const [path = ""] = uri.split("?", 1);
      // A path with two slashes at its beginning would be taken for the name of another server.
      const location = `${path.replace(/^\/+/, "/")}/${query === "" ? "" : `?${query}`}`;
      return { ...plainAnswer(301), fields: [["location", location]] };
    },
  };
}

/** The port that a client has named, or that its scheme stands for. */
function portOf(host: string | null, scheme: "http" | "https"): number {
  const named = /:([0-9]{1,5})$/.exec(host ?? "")?.[1];
  return named === undefined ? scheme === "https" ? 443 : 80 : Number(named);
}

const SOFTWARE = "weft";
const NOTHING = new Uint8Array(0);

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
    // The client may have reached a proxy, at another port. Applications make links with it.
    localPort: isLocal && arrival === connection ? localAddr.port : portOf(arrival.host ?? head.field("host"), scheme),
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
