// What is believed of the proxies in front of an engine: whose fields count, and what they say of a request.
// Loaded only if proxies are trusted.

import type { Address } from "../platform/ports.ts";
import { readForwarded } from "../wire/forwarded.ts";
import type { IpRanges } from "../wire/ip_ranges.ts";
import { type ProxiedEnd, type ProxyHeader, readProxyHeader } from "../wire/proxy_header.ts";
import type { RequestHead } from "../wire/request_head.ts";
import type { Arrival, Greeted, Proxies } from "./arrival.ts";
import type { Inbound } from "./inbound.ts";

/**
 * Makes the proxies that an engine trusts.
 *
 * @param ranges their addresses
 * @param options `hasHeader`: they begin each connection with the header of the PROXY protocol
 * @returns what connections ask
 */
export function trustedProxies(ranges: IpRanges, { hasHeader }: { hasHeader: boolean }): Proxies {
  const isTrusted = (peer: Address) => peer.transport === "unix" ? ranges.hasUnix : ranges.has(peer.hostname);
  return {
    greet: hasHeader ? (greeted) => greet(greeted, isTrusted(greeted.socket.remoteAddr)) : null,
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

/** A trusted peer has to send the header. From another peer it is not one, but a request that is malformed. */
function* greet(greeted: Greeted, isTrusted: boolean): Generator<PromiseLike<unknown>, void, unknown> {
  const { socket, inbound } = greeted;
  const header = isTrusted ? yield* readHeader(inbound) : null;
  if (header?.kind === "proxied") {
    const { source, destination, isTls } = header;
    greeted.proxiedEnds = {
      remoteAddr: addressOf(source),
      localAddr: addressOf(destination),
      scheme: isTls ? "https" : null,
    };
  }
  socket.startTls?.();
}

/** Reads no byte of what follows the header. Null if the peer ends its side before. */
function* readHeader(inbound: Inbound): Generator<PromiseLike<unknown>, ProxyHeader | null, unknown> {
  const { inbox } = inbound;
  for (;;) {
    const header = readProxyHeader(inbox.bytes.subarray(inbox.at, inbox.end));
    if (header.kind === "needMore" && !inbox.ended) {
      yield inbound.readAtMost(header.least);
      continue;
    }
    inbox.at = inbox.end;
    return header.kind === "needMore" ? null : header;
  }
}

function addressOf({ hostname, port }: ProxiedEnd): Address {
  return { transport: "tcp", hostname, port };
}
