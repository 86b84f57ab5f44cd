// How a request came in, and what may change the answer: the proxies that an engine trusts.

import type { Address } from "../platform/ports.ts";
import type { RequestHead } from "../wire/request_head.ts";

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

/** The proxies that an engine trusts. */
export interface Proxies {
  /** How a request came to its client's proxy, if its peer is trusted; otherwise how it came here. */
  arrivalOf(head: RequestHead, arrival: Arrival): Arrival;
}
