// The variables of a request as CGI names them (RFC 3875, section 4.1), and as nginx and Plack expect them.
// Values have one character a byte, as on the wire.

import type { CgiVariable } from "./fastcgi_records.ts";
import { badRequest } from "./protocol_error.ts";
import type { RequestHead } from "./request_head.ts";

/** What a request's variables tell beside its head. */
export interface CgiPlace {
  scheme: "http" | "https";
  /** The host that the client named to a proxy that is trusted; null for that of the request. */
  host: string | null;
  /** The client's address; the port is 0 if it has none, as over a Unix socket. */
  remoteAddress: string;
  remotePort: number;
  /** Where the request came in; over a Unix socket the port is that of the scheme. */
  localAddress: string;
  localPort: number;
  /** The software that asks, such as `weft`. */
  software: string;
  /** Bytes of the body, -1 if the request has none. */
  bodyLength: number;
}

/** What part of a target is the program's name, and what is left for the program. Not encoded. */
export interface CgiScript {
  scriptName: string;
  pathInfo: string;
  /** Variables that say more of the script. */
  more?: readonly CgiVariable[];
}

/** The parts of a target. */
export interface CgiTarget {
  /** As the client has sent it, from its path on. */
  uri: string;
  /** The path, decoded. */
  path: string;
  /** Without the question mark. */
  query: string;
}

/**
 * Takes a request's target apart.
 *
 * @param head the request's head
 * @returns its parts; those of `*` are those of `/`, but for the URI
 * @throws {ProtocolError} if the path has a `%` without two hexadecimal digits, or a NUL
 */
export function cgiTarget(head: RequestHead): CgiTarget {
  if (head.form === "asterisk") return { uri: "*", path: "/", query: "" };
  const uri = head.form === "absolute" ? pathOfAbsolute(head.target) : head.target;
  const queryAt = uri.indexOf("?");
  const path = queryAt < 0 ? uri : uri.slice(0, queryAt);
  return { uri, path: decodePath(path), query: queryAt < 0 ? "" : uri.slice(queryAt + 1) };
}

/** RFC 9112, section 3.2.2: an absolute target's path may be missing. */
function pathOfAbsolute(target: string): string {
  const at = target.slice(target.indexOf("://") + 3).search(/[/?]/);
  if (at < 0) return "/";
  const rest = target.slice(target.indexOf("://") + 3 + at);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

const ESCAPE = /%([0-9A-Fa-f]{2})?/g;

function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  const decoded = path.replace(ESCAPE, (_, digits: string | undefined) => {
    if (digits === undefined) throw badRequest("bad-target", "the path has a % without two hexadecimal digits");
    return String.fromCharCode(parseInt(digits, 16));
  });
  if (decoded.includes("\0")) throw badRequest("bad-target", "the path has a NUL");
  return decoded;
}

/**
 * Makes the variables of a request.
 *
 * @param head the request's head
 * @param target the parts of its target
 * @param options which program it is for, and where it came from
 * @returns names and values, each name once
 */
export function cgiVariables(
  head: RequestHead,
  target: CgiTarget,
  { script, place }: { script: CgiScript; place: CgiPlace },
): CgiVariable[] {
  const host = place.host ?? hostOf(head);
  const variables: [string, string][] = [
    ["GATEWAY_INTERFACE", "CGI/1.1"],
    ["SERVER_SOFTWARE", place.software],
    ["SERVER_PROTOCOL", head.minor === 1 ? "HTTP/1.1" : "HTTP/1.0"],
    ["SERVER_NAME", host === "" ? place.localAddress : nameOf(host)],
    ["SERVER_ADDR", place.localAddress],
    ["SERVER_PORT", String(place.localPort)],
    ["REMOTE_ADDR", place.remoteAddress],
    ["REQUEST_METHOD", head.method],
    ["REQUEST_SCHEME", place.scheme],
    ["REQUEST_URI", target.uri],
    ["QUERY_STRING", target.query],
    ["SCRIPT_NAME", script.scriptName],
    ["PATH_INFO", script.pathInfo],
  ];
  if (place.remotePort > 0) variables.push(["REMOTE_PORT", String(place.remotePort)]);
  if (place.scheme === "https") variables.push(["HTTPS", "on"]);
  if (place.bodyLength >= 0) variables.push(["CONTENT_LENGTH", String(place.bodyLength)]);
  for (const [name, value] of script.more ?? []) variables.push([name, value]);
  addFields(variables, head);
  // RFC 9112, section 3.2.2: an absolute target overrides Host. A proxy may have sent its own.
  if (head.form === "absolute" || place.host !== null) setVariable(variables, "HTTP_HOST", host);
  return variables;
}

function hostOf(head: RequestHead): string {
  if (head.form !== "absolute") return head.host;
  return /^[a-z]+:\/\/([^/?]*)/i.exec(head.target)?.[1] ?? head.host;
}

/** A host without its port. */
function nameOf(host: string): string {
  const end = host.lastIndexOf(":");
  return end < 0 || host.endsWith("]") ? host : host.slice(0, end);
}

/** A name that can be told apart as a variable: `_` and `-` become the same, other signs become none. */
const CLEAR_NAME = /^[a-z0-9-]+$/;

/**
 * Fields that are not told. The body's length has a variable of its own, its coding was taken off, and many programs take
 * HTTP_PROXY for a proxy of theirs (CVE-2016-5385).
 */
const UNTOLD: ReadonlySet<string> = new Set(["content-length", "transfer-encoding", "proxy"]);

function addFields(variables: [string, string][], head: RequestHead): void {
  const first = variables.length;
  for (const [name, value] of head.fields()) {
    if (UNTOLD.has(name) || !CLEAR_NAME.test(name)) continue;
    const variable = variableOf(name);
    let same: [string, string] | undefined;
    for (let i = first; i < variables.length; i++) {
      const candidate = variables[i] as [string, string];
      if (candidate[0] === variable) same = candidate;
    }
    if (same === undefined) variables.push([variable, value]);
    else same[1] += `, ${value}`;
  }
}

function setVariable(variables: [string, string][], name: string, value: string): void {
  const found = variables.find(([other]) => other === name);
  if (found === undefined) variables.push([name, value]);
  else found[1] = value;
}

/** The variables of names seen before. Clients make names up, so only short ones are kept, and not many. */
const known = new Map<string, string>([["content-type", "CONTENT_TYPE"]]);
const MOST_KNOWN = 256;
const LONGEST_KNOWN = 64;

function variableOf(name: string): string {
  const found = known.get(name);
  if (found !== undefined) return found;
  const variable = `HTTP_${name.toUpperCase().replaceAll("-", "_")}`;
  if (known.size < MOST_KNOWN && name.length <= LONGEST_KNOWN) known.set(name, variable);
  return variable;
}
