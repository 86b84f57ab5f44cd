// Which exchanges are under way in this process, for a caller that was given a copy of a request.
// It costs a request nothing: the connections are looked over only when something asks.
// A copy does not tell what it was made of, so the caller compares what a copy keeps: a field, a part of the URL.

import { shared } from "../copies/shared.ts";
import type { Exchange } from "./exchange.ts";

/** Where an exchange may be found. A connection is one. */
export interface ExchangeHolder {
  /** The request that is answered now; null if there is none. */
  readonly exchange: Exchange | null;
}

/** The connections of an engine, as they are when it is called. */
export type ListConnections = () => Iterable<ExchangeHolder>;

/** Those of the engines of all copies of this package. */
const lists = shared("connections", () => new Set<ListConnections>());

/**
 * Makes the exchanges of an engine findable.
 *
 * @param list lists its connections
 * @returns a function that takes them out again, to be called when the last connection has ended
 */
export function addConnections(list: ListConnections): () => void {
  lists.add(list);
  return () => void lists.delete(list);
}

/**
 * Lists the exchanges of this process that are not over yet.
 *
 * @returns an iterator, valid until something is awaited
 */
export function* exchangesUnderWay(): Generator<Exchange, void, void> {
  for (const list of lists) {
    for (const { exchange } of list()) {
      if (exchange !== null && !exchange.isOver) yield exchange;
    }
  }
}
