// Every flag of the program, its variable, its kind, and the words that explain it.
// This table is the only place that names a flag; the help, the parser and the errors read it.

/** What kind of value a flag takes. */
export type FlagKind =
  | "switch"
  | "port"
  | "count"
  | "size"
  | "time"
  | "rate"
  | "text"
  | "path"
  | "choice"
  | "processes";

/** One flag. */
export interface Flag {
  name: string;
  short?: string;
  kind: FlagKind;
  /** What stands for the value in the help. */
  value?: string;
  /** The words that a choice allows. */
  choices?: readonly string[];
  help: string;
  /** Other variables that set it, after `WEFT_NAME`. */
  variables?: readonly string[];
  /** What it needs that this version does not have; it is recognised, and refused. */
  needs?: string;
  /** May be given more than once. */
  repeatable?: boolean;
}

/** The flags, in the order of the help. */
export const FLAGS: readonly Flag[] = [
  { name: "port", short: "p", kind: "port", value: "N", help: "port, 0 picks a free one [3000]", variables: ["PORT"] },
  { name: "host", kind: "text", value: "H", help: "address [127.0.0.1; 0.0.0.0 if PORT is set]" },
  { name: "unix", kind: "path", value: "PATH", help: "listen on a Unix socket instead" },
  { name: "fd", kind: "count", value: "N", help: "take over a socket that listens already [LISTEN_FDS]" },
  { name: "cert", kind: "path", value: "FILE", help: "certificate chain (PEM); with --key it speaks TLS" },
  { name: "key", kind: "path", value: "FILE", help: "private key (PEM)" },
  {
    name: "max-proc",
    short: "n",
    kind: "processes",
    value: "N|auto",
    help: "processes in all: a parent and N-1 workers [1]",
    variables: ["CATALYST_POE_MAX_PROC"],
  },
  {
    name: "workers",
    short: "w",
    kind: "processes",
    value: "N|auto",
    help: "the same, counted without the parent",
    variables: ["WEB_CONCURRENCY"],
  },
  { name: "restart", short: "r", kind: "switch", help: "restart when files change; one worker at least" },
  {
    name: "restart-directory",
    kind: "path",
    value: "D",
    help: "watched with what is in it [the modules' own]",
    repeatable: true,
  },
  {
    name: "restart-regex",
    kind: "text",
    value: "RE",
    help: "which files count [modules; scripts, json, yaml, html, css]",
  },
  { name: "restart-delay", kind: "time", value: "S", help: "quiet time before a restart [0.2]" },
  {
    name: "restart-poll",
    kind: "time",
    value: "S",
    help: "compare files every S seconds, for file systems without events [off]",
  },
  {
    name: "max-requests",
    kind: "count",
    value: "N",
    help: "a worker leaves after so many, its successor ready first [0]",
  },
  { name: "max-requests-jitter", kind: "count", value: "N", help: "up to so many more, by chance [0]" },
  { name: "max-rss", kind: "size", value: "SIZE", help: "a worker leaves once it holds so much memory [0]" },
  { name: "worker-timeout", kind: "time", value: "S", help: "a worker that does not boot or answer is killed [30]" },
  { name: "control", kind: "path", value: "PATH", help: "socket for `ctl` [in a private directory]" },
  {
    name: "body",
    kind: "choice",
    value: "WHEN",
    choices: ["auto", "whole", "stream"],
    help: "when the application runs: auto reads up to 64 KiB first, whole everything, stream nothing [auto]",
  },
  { name: "max-body-size", kind: "size", value: "SIZE", help: "larger: 413; 0 = no limit [1GiB]" },
  { name: "max-header-size", kind: "size", value: "SIZE", help: "larger: 431 [32KiB]" },
  { name: "max-request-line", kind: "size", value: "SIZE", help: "longer: 414; at most 64KiB [8KiB]" },
  { name: "header-timeout", kind: "time", value: "S", help: "for a whole head; longer: 408; for a TLS handshake [10]" },
  { name: "min-body-rate", kind: "rate", value: "B", help: "bytes a second of a body, after 10 s; slower: 408 [240]" },
  { name: "write-timeout", kind: "time", value: "S", help: "without progress of an answer [60]" },
  { name: "keep-alive", kind: "time", value: "S", help: "idle time; 0 closes after each answer [65]" },
  { name: "max-connections", kind: "count", value: "N", help: "beyond it accepting pauses [10000]" },
  { name: "graceful-timeout", kind: "time", value: "S", help: "for what runs when stopping [30]" },
  { name: "drain-delay", kind: "time", value: "S", help: "keep accepting so long after TERM [0]" },
  { name: "upload-progress", kind: "switch", help: "answer polls for ?progress_id=ID: how far an upload is" },
  { name: "progress-store", kind: "text", value: "URL", help: "redis://... for many machines [this one]" },
  { name: "health", kind: "text", value: "PATH", help: "answered by the engine: 200 serving, 503 draining [off]" },
  { name: "access-log", kind: "path", value: "FILE", help: "file, or - for stdout [off; - on a terminal]" },
  {
    name: "log-format",
    kind: "choice",
    value: "NAME",
    choices: ["short", "combined", "json"],
    help: "short, combined or json [short]",
  },
  {
    name: "debug",
    short: "d",
    kind: "switch",
    help: "trace every phase; errors in answers",
    variables: ["CATALYST_POE_DEBUG"],
  },
  { name: "bench", kind: "switch", help: "stopwatch of every request's phases", variables: ["CATALYST_POE_BENCH"] },
  { name: "open", kind: "switch", help: "open the address in a browser" },
  { name: "help", short: "?", kind: "switch", help: "this text" },
  { name: "version", kind: "switch", help: "the version" },
  { name: "backend-timeout", kind: "time", value: "S", help: "for FastCGI", needs: "FastCGI" },
  { name: "fastcgi-root", kind: "text", value: "DIR", help: "for FastCGI", needs: "FastCGI" },
  { name: "no-fast-globals", kind: "switch", help: "leave Request and Response alone", needs: "Node" },
];

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
