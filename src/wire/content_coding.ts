// Whether an answer is to be compressed, in which coding, and what its fields say then (RFC 9110, sections 8.4 and 12.5.3).
// The rules are those of Deno's `automaticCompression`; server-sent events are compressed too.

import type { Answer } from "./answer.ts";

/** A content coding. */
export type Coding = "br" | "zstd" | "gzip";

/** Shorter bodies do not gain. */
const LEAST_BYTES = 64;
/** What is text. Images, archives and the like are compressed already. */
const COMPRESSIBLE =
  /^(?:text\/|application\/(?:[\w.+-]*(?:json|xml|javascript|ecmascript)|wasm|manifest|graphql|x-sh|rtf|sql|toml|yaml|x-yaml)|image\/(?:svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(?:otf|ttf)|multipart\/form-data$|message\/)/i;

/**
 * Chooses among the codings that a client accepts: the one with the highest weight, among equals the first that is offered.
 *
 * @param accept the value of Accept-Encoding; null if there is none
 * @param offered what the server can do, the best first
 * @returns null if the answer is to be sent as it is
 */
export function chooseCoding(accept: string | null, offered: readonly Coding[]): Coding | null {
  if (accept === null) return null;
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(",")) {
    const [, name = "", weight] = /^\s*([\w*-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*)?$/.exec(part) ?? [];
    if (name !== "") weights.set(name, weight === undefined ? 1 : Number(weight));
  }
  let best: Coding | null = null;
  // If the client prefers the answer as it is, it gets it so.
  let least = weights.get("identity") ?? 0;
  for (const coding of offered) {
    const weight = weights.get(coding) ?? weights.get("*") ?? 0;
    if (weight > least || (weight === least && weight > 0 && best === null)) {
      best = coding;
      least = weight;
    }
  }
  return best;
}

/**
 * Tells whether an answer can be compressed. If so it varies with Accept-Encoding, whatever the client accepts.
 *
 * @param answer what the application answered
 * @returns false if it has no body, a short one, a coding or a digest already, is a part of something, or must not be changed
 */
export function isCompressible({ status, fields, body }: Answer): boolean {
  if (body === null || status < 200 || status === 204 || status === 205 || status === 206 || status === 304) {
    return false;
  }
  if ((typeof body === "string" || body instanceof Uint8Array) && body.length < LEAST_BYTES) return false;
  let isText = false;
  for (const [name, value] of fields) {
    switch (name.toLowerCase()) {
      case "content-encoding":
      case "content-range":
      // Digests of the bytes that are sent (RFC 9530), and what there was before.
      case "content-digest":
      case "repr-digest":
      case "digest":
      case "content-md5":
        return false;
      case "cache-control":
        if (/(?:^|,)\s*no-transform\s*(?:,|$)/i.test(value)) return false;
        break;
      case "content-length":
        if (Number(value) < LEAST_BYTES) return false;
        break;
      case "content-type":
        isText = COMPRESSIBLE.test(value);
    }
  }
  return isText;
}

/**
 * The fields of an answer that varies with Accept-Encoding.
 *
 * @param fields those of the application
 * @param coding what it is sent in; null as it is
 * @returns the fields to send
 */
export function codedFields(fields: Answer["fields"], coding: Coding | null): [string, string][] {
  const coded: [string, string][] = [];
  let hasVary = false;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (lower === "vary") hasVary ||= /(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(value);
    if (coding !== null && lower === "content-length") continue;
    // The bytes differ, so the tag is a weak one (RFC 9110, section 8.8.1).
    const isStrongTag = coding !== null && lower === "etag" && value.startsWith('"');
    coded.push([name, isStrongTag ? `W/${value}` : value]);
  }
  if (!hasVary) coded.push(["vary", "accept-encoding"]);
  if (coding !== null) coded.push(["content-encoding", coding]);
  return coded;
}
