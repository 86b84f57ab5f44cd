// Knows: how one connection is walked: turn by turn, each turn a run of phases that pass without waiting.
// Does not know: what happens between the phases (walk.ts), time, other connections.
// Rule: every phase is a place to stop. Nobody is called from in here but the application.

import type { Address, Socket } from "../platform/ports.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";
import { AnswerBroken } from "./answer_stream.ts";
import { readPiece } from "./body_reading.ts";
import { Exchange } from "./exchange.ts";
import { Intake } from "./intake.ts";
import { Outbox } from "./outbox.ts";
import type { Phase, Turn } from "./phases.ts";
import { putRefusal } from "./sending.ts";
import type { Terms } from "./terms.ts";
import type { Step, Walk } from "./steps.ts";
import { walk } from "./walk.ts";

/** Why a connection ended before its answer was complete; as the reason of a signal it is an `AbortError`. */
export class ConnectionCut extends DOMException {
  constructor(message: string, options?: ErrorOptions) {
    super(message, "AbortError");
    if (options !== undefined) Object.defineProperty(this, "cause", { value: options.cause });
  }
}

/** Most bytes that are read ahead of an answer: enough for the next requests, and for noticing that the client left. */
const READ_AHEAD_BYTES = 16 * 1024;

/**
 * One client's connection: an asynchronous iterator over turns. What is crossed by `for await` is a wait; what is
 * crossed by `for` needs none, so a small request costs two waits and still passes every phase.
 *
 * ```ts ignore
 * for await (const turn of connection) {
 *   for (const phase of turn) note(phase);
 * }
 * ```
 */
export class Connection implements AsyncIterableIterator<Turn> {
  /** Counted by the engine, from 1. */
  readonly id: number;
  /** What the engine and its connections agree on. */
  readonly terms: Terms;
  readonly intake: Intake;
  readonly outbox: Outbox;
  readonly socket: Socket;
  /** Requests whose head was read. */
  requests = 0;
  /** Where it stands. */
  phase: Phase = "idle";
  /** Grows with every phase, so that an onlooker sees whether anything has moved. */
  passed = 0;
  /** The request that is answered now; in the phases idle and closed the one before; null where there is none. */
  exchange: Exchange | null = null;
  /** Set once the next answer is the last. */
  closeAfterAnswer: boolean;
  /** What the client did wrong, where that ended the connection. */
  refusal: ProtocolError | null = null;

  #walk: Walk;
  #next: IteratorResult<Turn>;
  #wait: PromiseLike<unknown> | null = null;
  #arrived: unknown = undefined;
  #failed = false;
  #life: "open" | "expired" | "closed" = "open";
  #release: ((error: unknown) => void) | null = null;

  /**
   * @param id its number
   * @param socket its bytes; the connection closes it
   * @param terms what the engine and its connections agree on
   */
  constructor(id: number, socket: Socket, terms: Terms) {
    this.id = id;
    this.socket = socket;
    this.terms = terms;
    this.closeAfterAnswer = terms.closeAfterAnswer;
    this.intake = new Intake(socket, terms, this);
    this.outbox = new Outbox(socket);
    this.#walk = walk(this);
    this.#next = { done: false, value: new PassingPhases(this) };
  }

  /** Where the client is. */
  get remoteAddr(): Address {
    return this.socket.remoteAddr;
  }

  /** Where it connected to. */
  get localAddr(): Address {
    return this.socket.localAddr;
  }

  /** Whether URLs of its requests start with http or https. */
  get scheme(): "http" | "https" {
    return this.terms.scheme;
  }

  /** The host that a request without one was meant for. */
  get localName(): string {
    const { localAddr } = this;
    if (localAddr.transport !== "tcp") return "localhost";
    const { hostname, port } = localAddr;
    return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  }

  /** True once the client has ended its side; it may still read. */
  get isEnded(): boolean {
    return this.intake.inbox.ended;
  }

  /** True once a deadline or the engine has given the client up. */
  get isGivenUp(): boolean {
    return this.#life !== "open";
  }

  /** What the console shows: the part that a handler is told of. */
  [Symbol.for("Deno.customInspect")](inspect: (value: unknown, options: unknown) => string, options: unknown): string {
    return inspect({ id: this.id, requests: this.requests }, options);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Called by the driver: the next turn, once what the last one waited for is there. */
  next(): Promise<IteratorResult<Turn>> {
    const wait = this.#wait;
    if (wait === null) return Promise.resolve(this.phase === "closed" ? DONE : this.#next);
    this.#wait = null;
    return Promise.resolve(wait).then(this.#onArrived, this.#onFailed);
  }

  /**
   * Called by the driver where nobody reads the phases: walks to the end, with one promise less for each wait.
   *
   * @throws what the walk throws
   */
  async run(): Promise<void> {
    for (;;) {
      this.step();
      const wait = this.#wait;
      if (wait === null) return;
      this.#wait = null;
      try {
        this.#arrived = await wait;
      } catch (error) {
        this.#arrived = error;
        this.#failed = true;
      }
    }
  }

  /** Called by the driver that stops early: ends the walk and closes the socket. */
  return(): Promise<IteratorResult<Turn>> {
    this.#walk.return();
    // A walk that has not begun has no end either.
    this.close();
    this.#wait = null;
    this.phase = "closed";
    return Promise.resolve(DONE);
  }

  /**
   * Called by the deadlines: gives the client up. It is told, where no answer has begun. A second call ends the telling.
   *
   * @param error what to tell it, or null where there is nothing to tell
   */
  expire(error: ProtocolError | null): void {
    if (this.#life !== "open") return this.close();
    this.#life = "expired";
    this.refusal = error;
    const reason = error ?? new ConnectionCut(`the client was given up in its phase "${this.phase}"`);
    this.exchange?.cut(reason);
    this.#release?.(reason);
    if (error === null || this.outbox.size > 0 || (this.exchange?.status ?? 0) !== 0) return this.close();
    putRefusal(this, error);
    const close = () => this.close();
    this.outbox.write()!.then(close, close);
  }

  /** Called by the application through its request: the next piece of a body that is streamed. */
  readBody(exchange: Exchange): Promise<Uint8Array | null> {
    return readPiece(this, exchange);
  }

  /** Called by the walk as it enters a phase; true where somebody wants to be told, so that it is yielded. */
  enter(phase: Phase): boolean {
    this.phase = phase;
    this.passed++;
    return this.terms.isRead;
  }

  /** Called by the walk for each head. */
  begin(head: RequestHead): Exchange {
    this.requests++;
    return this.exchange = new Exchange(this, head);
  }

  /** Called by the walk before it waits for the application: sees to it that the client's leaving is noticed. */
  watch(): void {
    const { inbox } = this.intake;
    // A body that the application reads goes by another way; of that, only its beginning may be read ahead.
    const most = this.exchange?.isBodyRead === false ? 1 : READ_AHEAD_BYTES;
    if (inbox.size < most && !inbox.ended) this.intake.fill(1);
  }

  /**
   * Called by the walk where the application may never answer: a wait that ends when the client is given up. What `name` makes of
   * an error is thrown instead of it.
   */
  orRelease<T>(wait: PromiseLike<T>, name?: (error: unknown) => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#release = reject;
      wait.then(resolve, name === undefined ? reject : (error) => reject(name(error)));
    });
  }

  /** Closes the socket, once. */
  close(): void {
    if (this.#life === "closed") return;
    this.#life = "closed";
    this.socket.close();
  }

  /** Called by the turn: the next phase that needs no wait. */
  step(): IteratorResult<Phase> {
    const arrived = this.#arrived;
    this.#arrived = undefined;
    const step = this.#failed ? this.#throwIn(arrived) : this.#walk.next(arrived);
    if (typeof step.value === "string") return step as IteratorResult<Phase>;
    if (step.done === true) this.phase = "closed";
    else this.#wait = step.value as PromiseLike<unknown>;
    return DONE;
  }

  /** A wait that failed is the client's leaving, unless the walk makes something else of it. */
  #throwIn(error: unknown): IteratorResult<Step, void> {
    this.#failed = false;
    try {
      return this.#walk.throw(error);
    } catch (thrown) {
      if (thrown !== error || thrown instanceof AnswerBroken) throw thrown;
      return DONE;
    }
  }

  #onArrived = (value: unknown): IteratorResult<Turn> => {
    this.#arrived = value;
    return this.#next;
  };

  #onFailed = (error: unknown): IteratorResult<Turn> => {
    this.#arrived = error;
    this.#failed = true;
    return this.#next;
  };

  /** Called by the intake, once: the client has ended its side, or the socket broke. */
  peerEnded(): void {
    const { exchange } = this;
    if (this.#life !== "open" || exchange === null || exchange.isOver) return;
    const { broken } = this.intake;
    if (broken === null) return exchange.leave(new ConnectionCut("the client has ended the connection"));
    const reason = new ConnectionCut("the connection broke", { cause: broken });
    exchange.cut(reason);
    this.#release?.(reason);
  }
}

/** A turn: the same object again and again, as it is always the walk that goes on. */
class PassingPhases implements IterableIterator<Phase> {
  #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<Phase> {
    return this.#connection.step();
  }
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };
