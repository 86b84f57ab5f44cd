// One request and its answer: head, body, status, signal, and what was counted.
// It knows a view of its connection and never acts on the connection, except for interim responses.
//
//   state     what it means                                               next
//   open      the request is being answered                               left, answered, cut
//   left      the client has ended its side; it may still read            answered, cut
//   answered  the system has taken the last byte of the answer            -
//   cut       the answer can never be complete                            -

import { brand } from "../copies/shared.ts";
import type { Address } from "../platform/ports.ts";
import { type Resolvers, withResolvers } from "../platform/resolvers.ts";
import { type Answer, writeInterim } from "../wire/answer.ts";
import type { RequestHead } from "../wire/request_head.ts";
import type { Arrival, Proxies } from "./arrival.ts";
import type { ExchangeEnd } from "./endings.ts";
import type { ExchangeView, Lap, Traffic } from "./phases.ts";
import type { RequestBody } from "./request_body.ts";
import type { SwitchedProtocol, SwitchTerms, TakeOver } from "./switching.ts";

/** What an exchange may know of its connection. */
export interface ConnectionFacts extends Arrival {
  /** Counted by the engine, from 1. */
  readonly id: number;
  /** Requests whose head was read. */
  readonly requests: number;
  readonly localAddr: Address;
  /** The proxies that are trusted; null if there are none. */
  readonly proxies: Proxies | null;
  /** True once the engine drains: what has no end of its own should end. */
  readonly isDraining: boolean;
  /** Fires when the engine begins to drain. Made when it is first asked for. */
  readonly leaving: AbortSignal;
  /** Sends an interim response, behind the answers to the requests before this one. */
  hint(text: string): void;
  /** What its engine says to protocols that take connections over. */
  readonly options: SwitchTerms;
}

/** `reason` says why the client left or was cut off; undefined if it did not. */
interface State {
  readonly at: "open" | "left" | "answered" | "cut";
  readonly reason: unknown;
}

const OPEN_STATE: State = { at: "open", reason: undefined };
const ANSWERED_STATE: State = { at: "answered", reason: undefined };

/** One request on its way through a connection. */
export class Exchange implements ExchangeView {
  static {
    brand(this, "Exchange");
  }

  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  readonly body: RequestBody;
  /** Status of the answer; 0 before it is known. Set by the protocol. */
  status = 0;
  /** Bytes of the answer's body that were given to the connection. Set by what puts the answer into the outbound side. */
  sent = 0;
  /** Milliseconds of the phases so far; null without a stopwatch, which sets it. */
  timings: Readonly<Record<Lap, number>> | null = null;
  /** Takes the connection over after an answer of 101. Set by the application; null otherwise. */
  takeOver: TakeOver | null = null;
  /** What takes the connection over, for the engine. Set with `takeOver`; null if that needs nothing of the engine. */
  switched: SwitchedProtocol | null = null;
  /** Called once the answer can never be complete; cheaper than a signal. Set by the application; null otherwise. */
  onCut: ((reason: unknown) => void) | null = null;

  #state: State = OPEN_STATE;
  /** Read when it is first asked for, if proxies are trusted; otherwise null. */
  #arrival: Arrival | null = null;
  /** Made when the signal is first asked for. */
  #controller: AbortController | null = null;
  /** Made when `view` is first asked for. */
  #view: ExchangeView | null = null;
  /** Made when `completed` is first asked for. */
  #completed: Resolvers<void> | null = null;

  constructor(connection: ConnectionFacts, head: RequestHead, body: RequestBody) {
    this.connection = connection;
    this.head = head;
    this.body = body;
  }

  /** What a reader of the phases may see of it: one object for its whole life. */
  get view(): ExchangeView {
    return this.#view ??= new ReadOnlyExchange(this);
  }

  /** How it came in. Fields of proxies are read when this is first asked for. */
  get arrival(): Arrival {
    const { connection } = this;
    if (connection.proxies === null) return connection;
    return this.#arrival ??= connection.proxies.arrivalOf(this.head, connection);
  }

  get remoteAddr(): Address {
    return this.arrival.remoteAddr;
  }

  /**
   * Sends 103 (Early Hints, RFC 8297), unless it is too late or the client speaks HTTP/1.0.
   *
   * @param fields of the hints
   * @throws {TypeError} if a field cannot be sent
   */
  earlyHints(fields: Answer["fields"]): void {
    const text = writeInterim(103, fields);
    if (this.status === 0 && !this.isOver && this.head.minor === 1) this.connection.hint(text);
  }

  get traffic(): Traffic | null {
    if (this.switched === null) return null;
    const { messagesReceived, messagesSent, bytesReceived, bytesSent } = this.switched;
    return { messagesReceived, messagesSent, bytesReceived, bytesSent };
  }

  /** Bytes of the body that the head promised: -1 for a chunked body. */
  get size(): number {
    return this.body.size;
  }

  /** Bytes of the body that have come. */
  get received(): number {
    return this.body.received;
  }

  get isBodyRead(): boolean {
    return this.body.isRead;
  }

  get isBodyCutShort(): boolean {
    return this.body.isCutShort;
  }

  /** Aborted when the client leaves before its answer is complete, never after. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      const state = this.#state;
      if (state.at === "cut" || state.at === "left") this.#controller.abort(state.reason);
    }
    return this.#controller.signal;
  }

  /** Resolves when the system has taken the last byte of the answer; rejects when the answer can never be complete. */
  get completed(): Promise<void> {
    if (this.#completed === null) {
      this.#completed = withResolvers();
      this.#completed.promise.catch(() => {});
      const state = this.#state;
      if (state.at === "answered") this.#completed.resolve();
      else if (state.at === "cut") this.#completed.reject(state.reason);
    }
    return this.#completed.promise;
  }

  /** Why the client left or was cut off; undefined if it did not. A client that left may have been answered. */
  get cutReason(): unknown {
    return this.#state.reason;
  }

  /** True if something has asked for `completed`, and so waits for the end of the answer. */
  get isCompletionAwaited(): boolean {
    return this.#completed !== null;
  }

  /** True once the answer was sent or can never be complete. */
  get isOver(): boolean {
    const { at } = this.#state;
    return at === "answered" || at === "cut";
  }

  /** The whole body if it stands in memory; see {@linkcode RequestBody.takeBuffered}. */
  takeBuffered(): Uint8Array | null {
    return this.body.takeBuffered();
  }

  /** The next piece of the body; see {@linkcode RequestBody.readPiece}. */
  readBody(): Promise<Uint8Array | null> {
    return this.body.readPiece();
  }

  /**
   * Called by the connection when the client has ended its side. The answer is still sent.
   *
   * @param reason for the signal
   */
  clientEnded(reason: unknown): void {
    if (this.#state.at !== "open") return;
    this.#state = { at: "left", reason };
    this.#controller?.abort(reason);
  }

  /**
   * The one way in which an exchange ends. Called by its connection and by the protocol. A second call does nothing.
   *
   * @param end how
   */
  end(end: ExchangeEnd): void {
    if (this.isOver) return;
    if (end.how === "answered") {
      const { at, reason } = this.#state;
      this.#state = at === "left" ? { at: "answered", reason } : ANSWERED_STATE;
      this.body.end(end);
      this.#completed?.resolve();
      this.#completed = null; // An exchange that was upgraded stays. The getter makes another one.
      return;
    }
    const { reason } = end;
    this.clientEnded(reason); // Aborts the signal. If the client had left before, its reason stays.
    this.#state = { at: "cut", reason: this.cutReason };
    this.body.end(end);
    this.onCut?.(reason);
    this.#completed?.reject(this.cutReason);
  }
}

/** An exchange without anything that acts on it. */
class ReadOnlyExchange implements ExchangeView {
  #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
  }

  get head(): RequestHead {
    return this.#exchange.head;
  }

  get remoteAddr(): Address {
    return this.#exchange.remoteAddr;
  }

  get status(): number {
    return this.#exchange.status;
  }

  get received(): number {
    return this.#exchange.received;
  }

  get size(): number {
    return this.#exchange.size;
  }

  get sent(): number {
    return this.#exchange.sent;
  }

  get traffic(): Traffic | null {
    return this.#exchange.traffic;
  }

  get isBodyRead(): boolean {
    return this.#exchange.isBodyRead;
  }

  get isBodyCutShort(): boolean {
    return this.#exchange.isBodyCutShort;
  }

  get cutReason(): unknown {
    return this.#exchange.cutReason;
  }

  get completed(): Promise<void> {
    return this.#exchange.completed;
  }

  get timings(): Readonly<Record<Lap, number>> | null {
    return this.#exchange.timings;
  }

  set timings(timings: Readonly<Record<Lap, number>> | null) {
    this.#exchange.timings = timings;
  }
}
