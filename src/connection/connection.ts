// One client's connection: what is known of it, and how it ends.
//
// A connection reads, decides and writes, and it stops between phases. The order of the phases is in protocol.ts, a
// generator that yields a phase, or a promise that it has to wait for. drive.ts runs it. In between, the parts are:
//
//   inbound.ts        the only reader of the socket. A wait says which revision of the inbox the caller has used up.
//   outbound.ts       the only writer of the socket.
//   request_body.ts   the body of a request: one state, and everything about 100 (Continue).
//   exchange.ts       one request with its answer.
//   after_answer.ts   what follows an answer: the rest of a request is read away, or the connection closes.
//   response.ts       puts an answer into the outbound side; response_stream.ts sends a body that is a stream.
//
// A GET: the protocol waits for bytes (idle), reads a head (header), calls the application (dispatch), puts the answer
// into the outbound side and writes it (write). When the system has taken the last byte, the exchange ends as "answered".
// Then it is idle again. Answers to pipelined requests are written together; their exchanges end together.
//
// A POST: if the body policy says so, the body is read first (body). Otherwise the application reads it while the protocol
// waits for the answer. What the application leaves is read away after the answer (drain), or the connection closes.
//
// A client that leaves: while the application works, a read is under way that brings the client's next bytes or its end.
// An end of file aborts the request's signal, and the answer is still sent, because the client may have ended only its
// own side. A broken socket ends the connection.
//
//   life      what it means                                                        next
//   open      the protocol goes on                                                 refusing, closed
//   refusing  a deadline has passed; the client is told so, then it is closed      closed
//   closed    the socket is closed                                                 -
//
// `end(reason)` is the only way from one to the next. It cuts the exchange and releases a wait for the application.

import { hostPort } from "../platform/address.ts";
import type { Address, Socket, TemporaryFiles } from "../platform/ports.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";
import type { Greeted, ProxiedEnds, Proxies } from "./arrival.ts";
import { ANSWERED, ConnectionCut, type ConnectionEnd, type ExchangeEnd, type Outcome } from "./endings.ts";
import { type ConnectionFacts, Exchange } from "./exchange.ts";
import { Inbound, type InboundEvents, READ_AHEAD_BYTES } from "./inbound.ts";
import type { ConnectionOptions } from "./options.ts";
import { Outbound } from "./outbound.ts";
import type { Phase } from "./phases.ts";
import { type BodyHost, RequestBody } from "./request_body.ts";
import { putRefusal, type ResponseTarget } from "./response.ts";

/** One client's connection. */
export class Connection implements ConnectionFacts, ResponseTarget, BodyHost, Greeted, InboundEvents {
  /** Counted by the engine, from 1. */
  readonly id: number;
  /** What the engine and its connections agree on. */
  readonly options: ConnectionOptions;
  readonly socket: Socket;
  readonly inbound: Inbound;
  readonly outbound: Outbound;
  /** True if the next answer is the last. Set when the connection is made, and by the engine when it drains. */
  closeAfterAnswer: boolean;
  /** What the header of the PROXY protocol tells; null without one. Set by the greeting, before the first request. */
  proxiedEnds: ProxiedEnds | null = null;
  /** What the client did wrong, if that ended the connection. Set by `end` and by the protocol. */
  refusal: ProtocolError | null = null;
  /** Resolves when a protocol that has taken the socket over is done; null if none has. Set by the protocol, at its end. */
  handedOver: Promise<void> | null = null;

  /** Requests whose head was read. Changed by `begin`. */
  #requests = 0;
  /** Changed by `enter`, and by the driver at the end. */
  #phase: Phase = "idle";
  /** Grows with every phase. */
  #passed = 0;
  /** Changed by `begin` and `rest`. */
  #exchange: Exchange | null = null;
  /** Exchanges whose answers wait to be written; null if there are none. Filled by `postpone`, emptied by `endPostponed`. */
  #postponed: Exchange[] | null = null;
  /** Changed by `end` only. */
  #life: "open" | "refusing" | "closed" = "open";
  /** The reason given to the first `end`; null before. */
  #ended: ConnectionEnd | null = null;
  /** Ends the wait for the application; null before the first wait of a request. Set by `outcomeOf` and `rest`, used by `end`. */
  #release: ((outcome: Outcome) => void) | null = null;

  /**
   * @param id its number
   * @param socket its bytes; the connection closes it
   * @param options what the engine and its connections agree on
   */
  constructor(id: number, socket: Socket, options: ConnectionOptions) {
    this.id = id;
    this.socket = socket;
    this.options = options;
    this.closeAfterAnswer = options.closeAfterAnswer;
    this.inbound = new Inbound(socket, options, this);
    this.outbound = new Outbound(socket);
  }

  get requests(): number {
    return this.#requests;
  }

  /** The phase that it is in. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Grows with every phase, so that an observer sees whether anything has moved. */
  get passed(): number {
    return this.#passed;
  }

  /**
   * The request that is answered now; null if there is none. Readers of the phase `idle` see the one that has just ended.
   * Those of `closed` see the last one, or null if the connection ended between two requests.
   */
  get exchange(): Exchange | null {
    return this.#exchange;
  }

  get remoteAddr(): Address {
    return (this.proxiedEnds ?? this.socket).remoteAddr;
  }

  get localAddr(): Address {
    return (this.proxiedEnds ?? this.socket).localAddr;
  }

  get scheme(): "http" | "https" {
    return this.proxiedEnds?.scheme ?? this.options.scheme;
  }

  /** Only a proxy tells of another host than the request does. */
  get host(): null {
    return null;
  }

  get proxies(): Proxies | null {
    return this.options.proxies;
  }

  get localName(): string {
    const { localAddr } = this;
    return localAddr.transport === "tcp" ? hostPort(localAddr) : "localhost";
  }

  get isDraining(): boolean {
    return this.options.leaving.hasBegun;
  }

  get leaving(): AbortSignal {
    return this.options.leaving.signal;
  }

  get temporaryFiles(): TemporaryFiles {
    return this.options.temporaryFiles;
  }

  hint(text: string): void {
    if (this.#life === "open") this.outbound.hint(text);
  }

  /** False once `end` was called. */
  get isOpen(): boolean {
    return this.#life === "open";
  }

  /** True once the client has ended its side; it may still read. */
  get hasClientEnded(): boolean {
    return this.inbound.inbox.ended;
  }

  /**
   * Called by the protocol as it enters a phase.
   *
   * @returns true if the phase is to be yielded, because something reads the phases
   */
  enter(phase: Phase): boolean {
    this.#phase = phase;
    this.#passed++;
    return this.options.isObserved;
  }

  /** Called by the protocol for each head. */
  begin(head: RequestHead): Exchange {
    this.#requests++;
    const body = new RequestBody(head, this.inbound, this.outbound);
    return this.#exchange = new Exchange(this, head, body);
  }

  /** Called by the protocol between two requests: an idle connection keeps no exchange, no answer and no large buffer. */
  rest(): void {
    this.inbound.inbox.rest();
    this.#exchange = null;
    this.#release = null; // It holds on to what the application answered.
  }

  /** Called by the protocol when the answer to an exchange waits to be written together with the next one. */
  postpone(exchange: Exchange): void {
    (this.#postponed ??= []).push(exchange);
  }

  /** Called when everything that waited was written, and by `end`: the postponed exchanges are over. */
  endPostponed(end: ExchangeEnd = ANSWERED): void {
    const postponed = this.#postponed;
    if (postponed === null) return;
    this.#postponed = null;
    for (const exchange of postponed) exchange.end(end);
  }

  /** Writes everything that waits. */
  *flush(): Generator<PromiseLike<number>, void, unknown> {
    const { outbound } = this;
    for (let write = outbound.write(); write !== null; write = outbound.write()) {
      outbound.wrote(typeof write === "number" ? write : (yield write) as number);
    }
    this.endPostponed();
  }

  /**
   * Starts a read ahead, so that the client's leaving is noticed while the application works. Called by the protocol before
   * it waits for the application, and by the engine from time to time.
   */
  watch(): void {
    // An unread body is the application's to read: of that, only the beginning is read ahead.
    this.inbound.readAhead(this.#exchange?.body.isRead === false ? 1 : READ_AHEAD_BYTES);
  }

  /**
   * Waits for the application, its answer or its stream, which may never come. The wait ends when the connection does:
   * the outcome is then a failure, and the exchange is over.
   *
   * @param promised what the application promised
   * @returns what became of it; never rejected
   */
  outcomeOf(promised: PromiseLike<unknown>): Promise<Outcome> {
    return new Promise((resolve) => {
      this.#release = resolve;
      promised.then((value) => resolve({ ok: true, value }), (error) => resolve({ ok: false, error }));
      // The application may have ended the connection before it returned its promise.
      if (this.#ended !== null) resolve({ ok: false, error: this.#cutReason(this.#ended) });
    });
  }

  /**
   * Ends the connection; the one way to do it. A second call closes a connection that is still telling the client why.
   *
   * @param reason why
   */
  end(reason: ConnectionEnd): void {
    if (this.#life === "closed") return;
    if (this.#life === "refusing") return this.#close();
    this.#ended = reason;
    const cut: ExchangeEnd = { how: "cut", reason: this.#cutReason(reason) };
    const hasAnswerBegun = this.outbound.size > 0 || (this.#exchange?.status ?? 0) !== 0;
    this.#exchange?.end(cut);
    this.endPostponed(cut);
    this.#release?.({ ok: false, error: cut.reason });
    if (reason.why !== "timeout") return this.#close();
    this.refusal = reason.error;
    if (reason.error === null || hasAnswerBegun) return this.#close();
    this.#life = "refusing";
    putRefusal(this, reason.error);
    const close = () => this.#close();
    Promise.resolve(this.outbound.write()).then(close, close);
  }

  /** Called when the protocol is over, and another one that has taken the socket over. */
  enterClosed(): void {
    if (this.#life === "open") this.end({ why: "complete" });
    this.inbound.inbox.close();
    this.#phase = "closed";
  }

  #close(): void {
    if (this.#life === "closed") return;
    this.#life = "closed";
    this.socket.close();
  }

  #cutReason(reason: ConnectionEnd): unknown {
    switch (reason.why) {
      case "complete":
        if (this.#exchange === null || this.#exchange.isOver) return undefined;
        return this.inbound.broken ?? new ConnectionCut(`the connection was closed in its phase "${this.#phase}"`);
      case "broken":
        return reason.error;
      case "timeout":
        return reason.error ?? new ConnectionCut(`the client was given up in its phase "${this.#phase}"`);
      case "abort":
        return new ConnectionCut(`the client was cut off in its phase "${this.#phase}"`);
    }
  }

  /** Called by the inbound side, once. */
  inboundEnded(): void {
    const exchange = this.#exchange;
    if (this.#life !== "open" || exchange === null || exchange.isOver) return;
    const { broken } = this.inbound;
    if (broken === null) exchange.clientEnded(new ConnectionCut("the client has ended the connection"));
    else this.end({ why: "broken", error: new ConnectionCut("the connection broke", { cause: broken }) });
  }
}
