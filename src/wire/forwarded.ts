// What proxies say about the client of a request: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).
// Each proxy adds to the end of a list what it has seen itself. So a list is read from the right, and only as far as the
// proxies are trusted: what stands further left may be the client's own invention.
//
// If any of the X-Forwarded fields is there, Forwarded is not read. Most proxies set only those, and pass a Forwarded on that
// the client has made up.

import { isAuthority } from "./head_facts.ts";
import { type IpRanges, readAddress } from "./ip_ranges.ts";

/** An address and a port; 0 if the port was not told. */
export interface Node {
  readonly hostname: string;
  readonly port: number;
}

/** What trusted proxies say; null for what they do not say. */
export interface Forwarded {
  /** The last address that is not a trusted proxy's: the client. */
  readonly client: Node | null;
  /** How the client sent the request. */
  readonly scheme: "http" | "https" | null;
  /** The host that the client named. */
  readonly host: string | null;
}

/**
 * Reads what the trusted proxies on the way of a request say. The caller has found that its peer is one of them.
 *
 * @param field gives the value of a field by its name in lower case, lines joined with a comma, or null
 * @param proxies those that are trusted
 * @returns what they say; what is malformed counts as not said
 */
export function readForwarded(field: (name: string) => string | null, proxies: IpRanges): Forwarded {
  const nodes = field("x-forwarded-for");
  const schemes = field("x-forwarded-proto");
  const hosts = field("x-forwarded-host");
  if (nodes !== null || schemes !== null || hosts !== null) {
    const { client, hops } = walk(listOf(nodes), proxies);
    return { client, scheme: schemeOf(valueOf(schemes, hops)), host: hostOf(valueOf(hosts, hops)) };
  }
  const forwarded = field("forwarded");
  return forwarded === null ? NOTHING : readElements(listOf(forwarded), proxies);
}

const NOTHING: Forwarded = { client: null, scheme: null, host: null };

/** Elements of a list; empty ones do not count (RFC 9110, section 5.6.1). */
function listOf(value: string | null): string[] {
  return value === null ? [] : value.split(",").map((element) => element.trim()).filter((element) => element !== "");
}

/** Goes from the right to the first address that is not a trusted proxy's. `hops` is the number of proxies that were passed. */
function walk(nodes: readonly string[], proxies: IpRanges): { client: Node | null; hops: number } {
  let client: Node | null = null;
  let hops = 0;
  for (const text of nodes.toReversed()) {
    hops++;
    if (isTrustedSocket(text, proxies)) continue;
    const node = readNode(text);
    if (node === null) break;
    client = node;
    if (!proxies.has(node.hostname)) break;
  }
  return { client, hops: Math.max(1, hops) };
}

/** nginx writes `unix:` for a client that has come over a Unix socket. */
function isTrustedSocket(text: string, proxies: IpRanges): boolean {
  return text === "unix:" && proxies.hasUnix;
}

/** The value that the outermost trusted proxy has added, or the leftmost if not each proxy has added one. */
function valueOf(values: string | null, hops: number): string | undefined {
  const list = listOf(values);
  return list[Math.max(0, list.length - hops)];
}

function schemeOf(value: string | undefined): Forwarded["scheme"] {
  switch (value?.toLowerCase()) {
    case "https":
    case "wss":
      return "https";
    case "http":
    case "ws":
      return "http";
    default:
      return null;
  }
}

function hostOf(value: string | undefined): string | null {
  return value !== undefined && isAuthority(value) ? value : null;
}

/** Each element tells of one hop. What an outer proxy does not tell, an inner one may have told. */
function readElements(elements: readonly string[], proxies: IpRanges): Forwarded {
  let { client, scheme, host } = NOTHING;
  for (const text of elements.toReversed()) {
    const element = readElement(text);
    if (element === null) break;
    scheme = schemeOf(element.get("proto")) ?? scheme;
    host = hostOf(element.get("host")) ?? host;
    const told = element.get("for") ?? "";
    if (isTrustedSocket(told, proxies)) continue;
    const node = readNode(told);
    if (node === null) break;
    client = node;
    if (!proxies.has(node.hostname)) break;
  }
  return { client, scheme, host };
}

const PAIR = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)=(?:([!#$%&'*+\-.^_`|~0-9A-Za-z:[\]]+)|"((?:[^"\\]|\\.)*)")$/;

/**
 * Reads the pairs of a forwarded-element (RFC 7239, section 4). Addresses without quotes are common and are accepted.
 * A list is split at its commas without regard to quotes: a quote that a client left open must not hide what follows it.
 */
function readElement(text: string): Map<string, string> | null {
  const pairs = new Map<string, string>();
  for (const part of text.split(";")) {
    if (part.trim() === "") continue;
    const [whole, name = "", token, quoted = ""] = PAIR.exec(part.trim()) ?? [];
    const key = name.toLowerCase();
    if (whole === undefined || pairs.has(key)) return null;
    pairs.set(key, token ?? quoted.replace(/\\(.)/g, "$1"));
  }
  return pairs;
}

/** An address and perhaps a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function readNode(text: string): Node | null {
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}|_[\w.-]+))?$/.exec(text);
  const plain = bracketed ?? /^([\d.]+)(?::(\d{1,5}|_[\w.-]+))?$/.exec(text);
  const [, hostname = text, port = "0"] = plain ?? [];
  if (readAddress(hostname) === null || (bracketed !== null && !hostname.includes(":"))) return null;
  // A port that is hidden behind a name (RFC 7239, section 6.3) is not known.
  const number = port.startsWith("_") ? 0 : Number(port);
  return number > 65535 ? null : { hostname, port: number };
}
