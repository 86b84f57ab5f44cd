// How a request came in, and what may change the answer: the proxies that an engine trusts.

import type { Address, Socket } from "../platform/ports.ts";
import type { RequestHead } from "../wire/request_head.ts";
import type { Inbound } from "./inbound.ts";

/** How a request came in: over its connection, or, if trusted proxies say so, over theirs. */
export interface Arrival {
  /** The client. */
  readonly remoteAddr: Address;
  readonly scheme: "http" | "https";
  /** The host that the client named to a proxy; null for that of the request. */
  readonly host: string | null;
  /** The host that a request without one was meant for. */
  readonly localName: string;
}

/** The ends of a client's connection, as the header of the PROXY protocol tells them. */
export interface ProxiedEnds {
  readonly remoteAddr: Address;
  readonly localAddr: Address;
  /** Null if the header does not tell. */
  readonly scheme: "https" | null;
}

/** A connection that has not sent a request yet. */
export interface Greeted {
  readonly socket: Socket;
  readonly inbound: Inbound;
  /** Set by the greeting; null if the ends are those of the socket. */
  proxiedEnds: ProxiedEnds | null;
}

/** The proxies that an engine trusts. */
export interface Proxies {
  /** Reads the header of the PROXY protocol, before TLS begins. Null if proxies do not send one. */
  readonly greet: ((greeted: Greeted) => Generator<PromiseLike<unknown>, void, unknown>) | null;
  /** How a request came to its client's proxy, if its peer is trusted; otherwise how it came here. */
  arrivalOf(head: RequestHead, arrival: Arrival): Arrival;
}
