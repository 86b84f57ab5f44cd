// How a request names an upload, and which requests are uploads and which are polls.
// Every request of a wrapped application comes by here. One that names no upload must cost next to nothing.

import type { RequestHead } from "../wire/request_head.ts";

/** The header that names an upload, in lower case. */
export const ID_HEADER = "x-progress-id";
/** What both names of the query have in common, so that one look tells nearly every target apart. */
const COMMON = "rogress";

/**
 * The id that a target or a header gives.
 *
 * @param target a request target or a URL
 * @param header the value of X-Progress-ID; null if there is none
 * @returns the id, which may be malformed; null if the request names none
 */
export function idIn(target: string, header: string | null): string | null {
  const at = target.includes(COMMON) ? target.indexOf("?") : -1;
  if (at < 0) return header;
  const query = new URLSearchParams(target.slice(at + 1));
  return query.get("progress_id") ?? query.get("X-Progress-ID") ?? header;
}

/**
 * Tells a request that uploads: one that has a body, or a method that would have one. An empty file is an upload too.
 *
 * @param head the request's head
 * @returns true if it may be followed
 */
export function isUpload({ framing, method }: RequestHead): boolean {
  return framing.kind !== "none" || method === "POST" || method === "PUT" || method === "PATCH";
}

/**
 * Tells the methods that ask.
 *
 * @param method a request's method
 * @returns true for GET and HEAD
 */
export function isAsking(method: string): boolean {
  return method === "GET" || method === "HEAD";
}
