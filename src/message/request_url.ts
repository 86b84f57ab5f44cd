// The URL of a request (RFC 9110, section 7.1), written as the URL standard writes it.

import type { RequestHead } from "../wire/request_head.ts";

/** What the URL standard leaves as it is in a path and a query; an apostrophe, say, it escapes in a query. */
const PLAIN_TARGET = /^\/[A-Za-z0-9\-_~!$&()*+,;=:@/?%.]*$/;
/** What may be a dot segment, which it resolves, also as %2e. */
const DOTTED = /\/\.|%2e/i;

/** What a request's URL needs of the way on which it came. */
export interface ArrivedOver {
  readonly scheme: "http" | "https";
  /** The host that the client named to a trusted proxy; null for that of the request. */
  readonly host: string | null;
  readonly localName: string;
}

/**
 * The URL of a request.
 *
 * @param head the request's head
 * @param arrival its scheme and host, and the name to use if the request names none
 * @returns an absolute URL
 */
export function urlOf(head: RequestHead, arrival: ArrivedOver): string {
  const { target } = head;
  const { scheme, host } = arrival;
  if (head.form === "absolute") {
    const url = new URL(target);
    return host === null ? url.href : originOf(scheme, host) + url.pathname + url.search;
  }
  const origin = originOf(scheme, host ?? (head.host === "" ? arrival.localName : head.host));
  // As under Deno.serve. Without a path it could not be told from "/".
  if (head.form === "asterisk") return `${origin}/*`;
  return PLAIN_TARGET.test(target) && !DOTTED.test(target) ? origin + target : new URL(origin + target).href;
}

// Requests to a server nearly all name one host.
let lastScheme = "";
let lastHost = "";
let lastOrigin = "";

function originOf(scheme: string, host: string): string {
  if (host !== lastHost || scheme !== lastScheme) {
    lastOrigin = new URL(`${scheme}://${host}`).origin;
    lastHost = host;
    lastScheme = scheme;
  }
  return lastOrigin;
}
