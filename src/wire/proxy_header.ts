// Reads the header of the PROXY protocol, versions 1 and 2, with which a proxy begins a connection
// (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt). What follows the header may be TLS, so the reader says how
// many bytes belong to it for certain, and no more need to be taken from the socket.

import { readAddress, showAddress } from "./ip_ranges.ts";
import { badRequest, type ProtocolError } from "./protocol_error.ts";

/** An address and a port. */
export interface ProxiedEnd {
  readonly hostname: string;
  readonly port: number;
}

/** What has come of a header. */
export type ProxyHeader =
  /** Not all: at least so many bytes follow that belong to it. */
  | { readonly kind: "needMore"; readonly least: number }
  /** All. The proxy speaks for itself, for example to check that the server is there. */
  | { readonly kind: "local" }
  /** All: the ends of the client's connection to the proxy, and whether that is TLS, if the header tells so. */
  | {
    readonly kind: "proxied";
    readonly source: ProxiedEnd;
    readonly destination: ProxiedEnd;
    readonly isTls: boolean;
  };

/** Longest header. Version 2 could have 64 KiB; what proxies add to the addresses takes a few hundred bytes. */
export const MAX_PROXY_HEADER_BYTES = 4 * 1024;

const V1_START = "PROXY ";
/** Longest line of version 1, CR LF included. */
const V1_MAX_BYTES = 107;
/** Shortest lines: of `UNKNOWN`, and of each family with the shortest addresses and ports. */
const V1_LEAST_BYTES: Readonly<Record<string, number>> = { UNKNOWN: 15, TCP4: 32, TCP6: 22 };
const V1_SHORTEST = "PROXY UNKNOWN\r\n".length;

const V2_START = "\r\n\r\n\0\r\nQUIT\n";
const V2_FIXED_BYTES = 16;
/** Bytes of both addresses and both ports. */
const V2_IPV4_BYTES = 12;
const V2_IPV6_BYTES = 36;
/** A type, and a length of two bytes. */
const TLV_HEAD_BYTES = 3;
const PP2_TYPE_SSL = 0x20;
/** In the first byte of PP2_TYPE_SSL: the client has connected to the proxy over TLS. */
const PP2_CLIENT_SSL = 0x01;

/**
 * Reads the beginning of a connection.
 *
 * @param bytes all that has come of the header, and nothing of what follows it
 * @returns what the header says, or how many bytes more are needed
 * @throws {ProtocolError} if it is not a header
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader {
  if (startsLike(bytes, V1_START)) return readV1(bytes);
  if (startsLike(bytes, V2_START)) return readV2(bytes);
  throw notHeader("the connection does not begin with one");
}

function notHeader(problem: string): ProtocolError {
  return badRequest("bad-proxy-header", `expected a header of the PROXY protocol from this peer: ${problem}`);
}

/** True if the bytes that have come, up to the length of the start, are those of the start. */
function startsLike(bytes: Uint8Array, start: string): boolean {
  const most = Math.min(bytes.length, start.length);
  for (let i = 0; i < most; i++) if (bytes[i] !== start.charCodeAt(i)) return false;
  return true;
}

/** `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443` and CR LF. */
function readV1(bytes: Uint8Array): ProxyHeader {
  // At the very beginning it may be either version. The shorter one is that of version 1.
  if (bytes.length < V1_SHORTEST) return { kind: "needMore", least: V1_SHORTEST - bytes.length };
  let text = "";
  for (const byte of bytes.subarray(0, V1_MAX_BYTES)) text += String.fromCharCode(byte);
  if (!text.endsWith("\r\n")) {
    const family = text.split(" ", 2)[1]!;
    const least = V1_LEAST_BYTES[family];
    if (least === undefined) throw notHeader("its family is not TCP4, TCP6 or UNKNOWN");
    if (text.includes("\n") || /\r./.test(text)) throw notHeader("its line does not end with CR LF");
    // One more byte if only LF is missing, otherwise CR and LF at least.
    const more = Math.max(least - bytes.length, text.endsWith("\r") ? 1 : 2);
    if (bytes.length + more > V1_MAX_BYTES) throw notHeader(`its line has more than ${V1_MAX_BYTES} bytes`);
    return { kind: "needMore", least: more };
  }
  const line = text.slice(0, -2);
  if (line === "PROXY UNKNOWN" || line.startsWith("PROXY UNKNOWN ")) return { kind: "local" };
  const parts = /^PROXY (TCP[46]) (\S+) (\S+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4})$/.exec(line);
  if (parts === null) throw notHeader("its line is not that of version 1");
  const [, family, source = "", destination = "", sourcePort, destinationPort] = parts;
  return {
    kind: "proxied",
    source: endOf(source, Number(sourcePort), family === "TCP6"),
    destination: endOf(destination, Number(destinationPort), family === "TCP6"),
    isTls: false,
  };
}

function endOf(hostname: string, port: number, isIpv6: boolean): ProxiedEnd {
  const address = readAddress(hostname);
  if (address === null || hostname.includes(":") !== isIpv6 || hostname.includes("%")) {
    throw notHeader("an address is not one of its family");
  }
  if (port > 65535) throw notHeader("a port is above 65535");
  return { hostname: showAddress(address), port };
}

/** Twelve fixed bytes, version and command, family, length, then addresses and what a proxy adds (TLV). */
function readV2(bytes: Uint8Array): ProxyHeader {
  if (bytes.length < V2_FIXED_BYTES) return { kind: "needMore", least: V2_FIXED_BYTES - bytes.length };
  const [command, family] = [bytes[12]!, bytes[13]!];
  if (command >> 4 !== 2) throw notHeader(`its version is ${command >> 4}`);
  const end = V2_FIXED_BYTES + numberAt(bytes, 14);
  if (end > MAX_PROXY_HEADER_BYTES) throw notHeader(`it has more than ${MAX_PROXY_HEADER_BYTES} bytes`);
  if (bytes.length < end) return { kind: "needMore", least: end - bytes.length };
  switch (command & 0x0f) {
    case 0:
      return { kind: "local" };
    case 1:
      return readProxied(bytes.subarray(V2_FIXED_BYTES, end), family);
    default:
      throw notHeader(`its command is ${command & 0x0f}`);
  }
}

function readProxied(bytes: Uint8Array, family: number): ProxyHeader {
  switch (family) {
    case 0x00: // Not known to the proxy.
    case 0x31: // A Unix socket at the proxy; its path says nothing here.
      return { kind: "local" };
    case 0x11:
      return readEnds(bytes, V2_IPV4_BYTES);
    case 0x21:
      return readEnds(bytes, V2_IPV6_BYTES);
    default:
      throw notHeader("its family is not TCP over IPv4 or IPv6");
  }
}

function readEnds(bytes: Uint8Array, size: number): ProxyHeader {
  if (bytes.length < size) throw notHeader("it is too short for its addresses");
  const each = (size - 4) / 2;
  return {
    kind: "proxied",
    source: { hostname: showAddress(bytes.subarray(0, each)), port: numberAt(bytes, 2 * each) },
    destination: { hostname: showAddress(bytes.subarray(each, 2 * each)), port: numberAt(bytes, 2 * each + 2) },
    isTls: isOverTls(bytes.subarray(size)),
  };
}

/** Looks for PP2_TYPE_SSL among the type-length-values. */
function isOverTls(bytes: Uint8Array): boolean {
  let isTls = false;
  for (let at = 0; at < bytes.length;) {
    const from = at + TLV_HEAD_BYTES;
    const end = from + (from > bytes.length ? 0 : numberAt(bytes, at + 1));
    if (from > bytes.length || end > bytes.length) throw notHeader("a value in it is longer than the header");
    if (bytes[at] === PP2_TYPE_SSL && end > from) isTls ||= (bytes[from]! & PP2_CLIENT_SSL) !== 0;
    at = end;
  }
  return isTls;
}

/** Two bytes, the higher first. */
function numberAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}
