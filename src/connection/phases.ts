// What a connection goes through, and what a reader of its phases may see.
// Public: nothing here lets a reader change or close a connection.

import type { Address } from "../platform/ports.ts";
import type { ProtocolError } from "../wire/protocol_error.ts";
import type { RequestHead } from "../wire/request_head.ts";

/**
 * The phases of a connection.
 *
 * - `idle`: the last answer is complete and no byte of the next request has come; stopping here loses nothing
 * - `header`: the first byte of a request has come
 * - `body`: the body is read before the application runs; entered again for every piece
 * - `dispatch`: the application is about to be called
 * - `write`: the answer is known; entered again for every piece of a stream
 * - `drain`: the answer is sent; the rest of the request is read and thrown away; it may come twice before a close
 * - `upgraded`: another protocol has taken the connection over
 * - `closed`: the last phase of every connection
 */
export type Phase = "idle" | "header" | "body" | "dispatch" | "write" | "drain" | "upgraded" | "closed";

/** The parts of a request's time that a stopwatch measures between phases. */
export type Lap = "wait" | "header" | "body" | "dispatch" | "firstByte" | "write";

/** What a WebSocket has moved so far: data messages, and bytes of frames. */
export interface Traffic {
  /** Messages that came. */
  readonly messagesReceived: number;
  /** Messages that the application has sent. */
  readonly messagesSent: number;
  /** Bytes that came. */
  readonly bytesReceived: number;
  /** Bytes that the system has taken. */
  readonly bytesSent: number;
}

/** A request and its answer, as a reader sees them. */
export interface ExchangeView {
  /** The parsed head of the request. */
  readonly head: RequestHead;
  /** The client: the other end of the connection, or what a trusted proxy says. */
  readonly remoteAddr: Address;
  /** Status of the answer; 0 before it is known. */
  readonly status: number;
  /** Bytes of the request's body that have come. */
  readonly received: number;
  /** Bytes that the request's head promised; -1 for a chunked body. */
  readonly size: number;
  /** Bytes of the answer's body that were given to the connection. */
  readonly sent: number;
  /** What the WebSocket that it became has moved, as it is now; null if it has become none. */
  readonly traffic: Traffic | null;
  /** True once the last byte of the request's body was taken from the wire. */
  readonly isBodyRead: boolean;
  /** True if the client has ended its side in the middle of the body, and everything that came was taken. */
  readonly isBodyCutShort: boolean;
  /** Why the client left or was cut off; undefined while it is there. */
  readonly cutReason: unknown;
  /** Resolves when the system has taken the last byte of the answer; rejects when the answer can never be complete. */
  readonly completed: Promise<void>;
  /** Milliseconds of the phases so far. A stopwatch sets it, so that handlers can read it; null without one. */
  timings: Readonly<Record<Lap, number>> | null;
}

/** A connection, as a reader sees it. The same object for the whole life of the connection. */
export interface ConnectionView {
  /** Counted by the engine, from 1. */
  readonly id: number;
  /** Requests whose head was read. */
  readonly requests: number;
  /** The client's end. */
  readonly remoteAddr: Address;
  /** The server's end. */
  readonly localAddr: Address;
  /**
   * The request that is answered now; null if there is none. In the phase `idle` it is the one that has just ended. In
   * `closed` it is the last one, or null if the connection ended between two requests.
   */
  readonly exchange: ExchangeView | null;
  /** The client's mistake that ended the connection; null if there was none. */
  readonly refusal: ProtocolError | null;
}

/** Reads the phases of every connection: the trace, the stopwatch and the access log are readers. */
export interface PhaseReader {
  /**
   * Called when a connection enters a phase. Must not throw and must not wait.
   *
   * @param connection the connection
   * @param phase the phase that it enters
   */
  see(connection: ConnectionView, phase: Phase): void;
}

/** The phases that a connection passes without waiting. Each is passed only when it is asked for. */
export type Turn = Iterable<Phase>;
