// Every flag of the program: its kind of value, default and variables, and the words that explain it.
// The help, the parser, the errors and the type of the options read this table. No other file declares a flag.

import type { Limits } from "../engine/settings.ts";
import type { ValueKind } from "./values.ts";

/** How a flag is declared. */
interface Declaration {
  short?: string;
  /** A switch takes no value on the command line. A choice takes one of `choices`. */
  kind: ValueKind | "choice";
  choices?: readonly string[];
  /** What stands for the value in the help, if its kind does not say so. */
  value?: string;
  help: string;
  /** The value if nothing sets it, written as a user would. The help shows it. */
  default?: string;
  /** For the help: what holds if nothing sets it and that is decided elsewhere. */
  ifUnset?: string;
  /** The limit of the engine that it sets. An application's options name it so. */
  limit?: keyof Limits;
  /** Other variables that set it, after `WEFT_NAME`. */
  variables?: readonly string[];
  /** What it needs that this version does not have. It is recognised and refused. */
  needs?: string;
  /** May be given more than once; its value is a list. */
  repeatable?: boolean;
}

/** The flags, in the order of the help. */
const TABLE = {
  port: { short: "p", kind: "port", help: "port, 0 picks a free one", default: "3000", variables: ["PORT"] },
  host: { kind: "host", help: "address", ifUnset: "127.0.0.1; 0.0.0.0 if PORT is set" },
  unix: { kind: "path", help: "listen on a Unix socket instead" },
  fd: { kind: "count", help: "take over a socket that listens already", ifUnset: "LISTEN_FDS" },
  cert: { kind: "path", value: "FILE", help: "certificate chain (PEM); with --key it speaks TLS" },
  key: { kind: "path", value: "FILE", help: "private key (PEM)" },
  "max-proc": {
    short: "n",
    kind: "processes",
    help: "processes in all: a parent and N-1 workers",
    ifUnset: "1",
    variables: ["CATALYST_POE_MAX_PROC"],
  },
  workers: {
    short: "w",
    kind: "processes",
    help: "the same, counted without the parent",
    variables: ["WEB_CONCURRENCY"],
  },
  restart: { short: "r", kind: "switch", help: "restart when files change; one worker at least" },
  "restart-directory": {
    kind: "path",
    value: "D",
    help: "watched with what is in it",
    ifUnset: "the modules' own",
    repeatable: true,
  },
  "restart-regex": {
    kind: "text",
    value: "RE",
    help: "which files count",
    ifUnset: "modules; scripts, json, yaml, html, css",
  },
  "restart-delay": { kind: "time", help: "quiet time before a restart", default: "0.2" },
  "restart-poll": {
    kind: "time",
    help: "compare files every S seconds, for file systems without events",
    ifUnset: "off",
  },
  "max-requests": { kind: "count", help: "a worker leaves after so many, its successor ready first", default: "0" },
  "max-requests-jitter": { kind: "count", help: "up to so many more, by chance", default: "0" },
  "max-rss": { kind: "size", help: "a worker leaves once it holds so much memory", default: "0" },
  "worker-timeout": { kind: "time", help: "a worker that does not boot or answer is killed", default: "30" },
  control: { kind: "path", help: "socket for `ctl`", ifUnset: "in a private directory" },
  body: {
    kind: "choice",
    value: "WHEN",
    choices: ["auto", "whole", "stream"],
    help: "when the application runs: auto reads up to 64 KiB first, whole everything, stream nothing",
    default: "auto",
    limit: "body",
  },
  "max-body-size": { kind: "size", help: "larger: 413; 0 = no limit", ifUnset: "1GiB", limit: "maxBodyBytes" },
  "max-header-size": { kind: "size", help: "larger: 431", ifUnset: "32KiB", limit: "maxHeaderBytes" },
  "max-request-line": {
    kind: "size",
    help: "longer: 414; at most 64KiB",
    ifUnset: "8KiB",
    limit: "maxRequestLineBytes",
  },
  "max-message-size": {
    kind: "size",
    help: "of a WebSocket; larger: close code 1009",
    ifUnset: "64MiB",
    limit: "maxMessageBytes",
  },
  "header-timeout": {
    kind: "time",
    help: "for a whole head; longer: 408; for a TLS handshake",
    ifUnset: "10",
    limit: "headerTimeoutMs",
  },
  "min-body-rate": {
    kind: "rate",
    help: "bytes a second of a body, after 10 s; slower: 408",
    ifUnset: "240",
    limit: "minBodyRate",
  },
  "write-timeout": { kind: "time", help: "without progress of an answer", ifUnset: "60", limit: "writeTimeoutMs" },
  "keep-alive": { kind: "time", help: "idle time; 0 closes after each answer", ifUnset: "65", limit: "keepAliveMs" },
  "trust-proxy": {
    kind: "text",
    value: "ADDR[,CIDR]",
    help: "believe X-Forwarded-For, -Proto, -Host and Forwarded of these peers; unix: over a Unix socket",
    ifUnset: "none",
  },
  "proxy-protocol": {
    kind: "switch",
    help: "the trusted peers begin each connection with the PROXY protocol's header, version 1 or 2",
  },
  compress: { kind: "switch", help: "br, zstd or gzip for answers that gain by it; events are flushed" },
  "max-connections": { kind: "count", help: "beyond it accepting pauses", ifUnset: "10000", limit: "maxConnections" },
  "max-in-flight": {
    kind: "count",
    help: "requests that a process answers at once; as many more wait, others: 503",
    ifUnset: "0",
    limit: "maxInFlight",
  },
  "graceful-timeout": {
    kind: "time",
    help: "for what runs when stopping",
    ifUnset: "30; 1 with --restart",
    limit: "gracefulTimeoutMs",
  },
  "drain-delay": { kind: "time", help: "keep accepting so long after TERM", ifUnset: "0", limit: "drainDelayMs" },
  "upload-progress": { kind: "switch", help: "answer polls for ?progress_id=ID: how far an upload is" },
  "progress-store": { kind: "text", value: "URL", help: "redis://... for many machines", ifUnset: "this one" },
  health: {
    kind: "text",
    value: "PATH",
    help: "answered by the engine: 200 serving, 503 draining",
    ifUnset: "off",
    limit: "health",
  },
  "access-log": { kind: "path", value: "FILE", help: "file, or - for stdout", ifUnset: "off; - on a terminal" },
  "log-format": {
    kind: "choice",
    value: "NAME",
    choices: ["short", "combined", "json"],
    help: "short, combined or json",
    default: "short",
  },
  debug: {
    short: "d",
    kind: "switch",
    help: "trace every phase; errors in answers",
    variables: ["CATALYST_POE_DEBUG"],
  },
  bench: { kind: "switch", help: "stopwatch of every request's phases", variables: ["CATALYST_POE_BENCH"] },
  open: { kind: "switch", help: "open the address in a browser" },
  help: { short: "?", kind: "switch", help: "this text" },
  version: { kind: "switch", help: "the version" },
  "backend-timeout": { kind: "time", help: "until a FastCGI backend moves; longer: 504", ifUnset: "60" },
  "backend-processes": {
    kind: "count",
    help: "how many processes app.psgi gets",
    ifUnset: "as many as workers, or processors",
  },
  "fastcgi-root": {
    kind: "path",
    value: "DIR",
    help: "scripts and files of a site in PHP, run by the FastCGI application",
    ifUnset: "off",
  },
  "no-fast-globals": { kind: "switch", help: "on Node, leave Response, Request and fetch() alone" },
} as const satisfies Readonly<Record<string, Declaration>>;

/** The table, for the types that are derived from it. */
export type FlagTable = typeof TABLE;

/** One flag. */
export interface Flag extends Declaration {
  name: keyof FlagTable;
}

/** The flags, in the order of the help. */
export const FLAGS: readonly Flag[] = Object.entries<Declaration>(TABLE)
  .map(([name, declaration]) => ({ name: name as keyof FlagTable, ...declaration }));

/** What stands for a value of each kind in the help, such as `--port N`. */
const PLACEHOLDERS: Readonly<Record<Flag["kind"], string | undefined>> = {
  switch: undefined,
  port: "N",
  host: "H",
  count: "N",
  processes: "N|auto",
  size: "SIZE",
  time: "S",
  rate: "B",
  path: "PATH",
  text: "TEXT",
  choice: "WORD",
};

/**
 * Finds what stands for the value of a flag in the help.
 *
 * @param flag the flag
 * @returns such as `SIZE`; undefined for a switch
 */
export function placeholderOf({ value, kind }: Flag): string | undefined {
  return value ?? PLACEHOLDERS[kind];
}

/**
 * The variable of a flag.
 *
 * @param name the flag without dashes
 * @returns such as `WEFT_MAX_BODY_SIZE`
 */
export function variableOf(name: string): string {
  return `WEFT_${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Every variable that the program reads. */
export function allVariables(): string[] {
  const own = ["WEFT_WORKER", "WEFT_GENERATION"];
  return [...FLAGS.flatMap(({ name, variables = [] }) => [variableOf(name), ...variables]), ...own];
}

/**
 * The address to listen on by default: a platform that sets PORT forwards to it from outside.
 *
 * @param env reads a variable of the environment
 * @returns an address
 */
export function defaultHost(env: (name: string) => string | undefined): string {
  return (env("PORT") ?? "") === "" ? "127.0.0.1" : "0.0.0.0";
}
