// What is believed of the proxies in front of an engine: whose fields count, and what they say of a request.
// Loaded only if proxies are trusted.

import type { Address } from "../platform/ports.ts";
import { readForwarded } from "../wire/forwarded.ts";
import { IpRanges } from "../wire/ip_ranges.ts";
import type { RequestHead } from "../wire/request_head.ts";
import type { Arrival, Proxies } from "./arrival.ts";

/**
 * Makes the proxies that an engine trusts.
 *
 * @param list their addresses and CIDR ranges; `unix` stands for peers over a Unix socket
 * @returns what connections ask
 * @throws {RangeError} if one of them is something else
 */
export function trustedProxies(list: readonly string[]): Proxies {
  const ranges = new IpRanges(list);
  const isTrusted = (peer: Address) => peer.transport === "unix" ? ranges.hasUnix : ranges.has(peer.hostname);
  return {
    arrivalOf(head, arrival) {
      return isTrusted(arrival.remoteAddr) ? forwarded(head, { arrival, ranges }) : arrival;
    },
  };
}

function forwarded(head: RequestHead, { arrival, ranges }: { arrival: Arrival; ranges: IpRanges }): Arrival {
  const { client, scheme, host } = readForwarded((name) => head.field(name), ranges);
  // What proxies do not tell is told by a target in absolute form, before the connection.
  const target = head.form === "absolute" ? new URL(head.target) : null;
  return {
    remoteAddr: client === null ? arrival.remoteAddr : { transport: "tcp", ...client },
    scheme: scheme ?? (target === null ? arrival.scheme : target.protocol === "https:" ? "https" : "http"),
    host: host ?? target?.host ?? null,
    localName: arrival.localName,
  };
}
