// The settings of an engine, and their defaults.

import type { BodyPolicy } from "../connection/options.ts";

/** What a client may do at most, and how long it may take. */
export interface Limits {
  /**
   * When the application runs: `auto` reads a body of up to 64 KiB first, `whole` every body, `stream` none. What is over
   * 256 KiB is kept in a private temporary file until the request ends, under the directory that TMPDIR names.
   * @default {"stream"}
   */
  body?: BodyPolicy;
  /**
   * Most bytes of a request's body; more is answered with 413, 0 stands for no limit.
   * @default {1073741824} 1 GiB
   */
  maxBodyBytes?: number;
  /**
   * Most bytes of a request's head, request line included; more is answered with 431.
   * @default {32768} 32 KiB, or 24 KiB more than `maxRequestLineBytes` if that is more
   */
  maxHeaderBytes?: number;
  /**
   * Most bytes of a request line, 1 to 65536; a longer one is answered with 414.
   * @default {8192} 8 KiB, or `maxHeaderBytes` if that is less
   */
  maxRequestLineBytes?: number;
  /**
   * Milliseconds for a whole head from its first byte; then 408. A TLS handshake has as long, from its accept.
   * @default {10000}
   */
  headerTimeoutMs?: number;
  /**
   * Bytes a second that a body must bring once it has been waited for 10 s; less is answered with 408, 0 for any.
   * @default {240}
   */
  minBodyRate?: number;
  /**
   * Milliseconds that a write may stand still.
   * @default {60000}
   */
  writeTimeoutMs?: number;
  /**
   * Milliseconds that a connection may idle between requests; 0 closes it after each answer.
   * @default {65000}
   */
  keepAliveMs?: number;
  /**
   * Most connections at once; more wait in the system's queue.
   * @default {10000}
   */
  maxConnections?: number;
  /**
   * Milliseconds that a graceful stop waits for what runs.
   * @default {30000}
   */
  gracefulTimeoutMs?: number;
  /**
   * Milliseconds that a connection may idle once a graceful stop has begun: time for a busy client to send the request
   * that is answered with `connection: close`, rather than to find the connection gone.
   * @default {0}
   */
  lastIdleMs?: number;
  /**
   * Milliseconds to go on accepting after a graceful stop has begun.
   * @default {0}
   */
  drainDelayMs?: number;
  /**
   * Path that the engine answers itself: 200 while it serves, 503 once it drains.
   * @default {undefined} no such path
   */
  health?: string;
}

/** The same with nothing left open. */
export type Settings = Required<Omit<Limits, "health">> & Pick<Limits, "health">;

/** What the library does untold; the figures' reasons stand beside them. */
export const DEFAULTS: Settings = {
  body: "stream",
  maxBodyBytes: 1024 ** 3, // a film in pieces, not a disk image
  maxHeaderBytes: 32 * 1024, // room for a large cookie jar, too little to attack with
  maxRequestLineBytes: 8 * 1024, // what common servers take; RFC 9112, section 3, asks for 8000 at least
  headerTimeoutMs: 10_000, // a head is one packet or two
  minBodyRate: 240, // one packet in six seconds: slower clients attack
  writeTimeoutMs: 60_000, // a client whose window is shut that long is gone
  keepAliveMs: 65_000, // longer than the 60 s of common load balancers, so that they close first
  maxConnections: 10_000, // about what the usual descriptor limit and 100 MiB carry
  gracefulTimeoutMs: 30_000, // what orchestrators wait before they kill
  lastIdleMs: 0,
  drainDelayMs: 0,
};

/** Longest request line that can be asked for. Signed URLs of single sign-on have up to some 20 KiB. */
const MAX_REQUEST_LINE_BYTES = 64 * 1024;

/** A limit that is out of range. */
export class SettingError extends RangeError {
  /** Which limit, a name of {@linkcode Limits}. */
  readonly setting: string;
  /** What was expected and what came. */
  readonly problem: string;

  /**
   * @param setting which limit
   * @param problem what was expected and what came
   */
  constructor(setting: string, problem: string) {
    super(`${setting}: ${problem}`);
    this.setting = setting;
    this.problem = problem;
  }
}

/**
 * Fills in what was left open.
 *
 * @param limits what is set
 * @returns everything
 * @throws {SettingError} if a figure is out of range, or a word is not known
 */
export function settle(limits: Limits): Settings {
  const settings: Settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined || !(name in DEFAULTS || name === "health")) continue;
    const kind = typeof DEFAULTS[name as keyof Settings];
    if (kind === "number" && (typeof value !== "number" || !(value >= 0))) {
      throw new SettingError(name, `expected a number from 0, got ${JSON.stringify(value)}`);
    }
    (settings as unknown as Record<string, unknown>)[name] = value;
  }
  if (!(settings.maxConnections >= 1)) throw new SettingError("maxConnections", "expected 1 or more, got 0");
  if (!["auto", "whole", "stream"].includes(settings.body)) {
    throw new SettingError("body", `expected "auto", "whole" or "stream", got ${JSON.stringify(settings.body)}`);
  }
  const { health } = settings;
  if (health !== undefined && !(typeof health === "string" && health.startsWith("/"))) {
    throw new SettingError("health", `expected a path that starts with "/", got ${JSON.stringify(health)}`);
  }
  settleHead(settings, limits);
  return settings;
}

/** A head holds its request line: one limit follows the other if only one is set. */
function settleHead(settings: Settings, limits: Limits): void {
  const { maxHeaderBytes: head, maxRequestLineBytes: line } = settings;
  if (head === 0) throw new SettingError("maxHeaderBytes", "expected 1 or more, got 0");
  if (!(line >= 1 && line <= MAX_REQUEST_LINE_BYTES)) {
    throw new SettingError("maxRequestLineBytes", `expected 1 to ${MAX_REQUEST_LINE_BYTES} bytes, got ${line}`);
  }
  if (limits.maxRequestLineBytes === undefined) settings.maxRequestLineBytes = Math.min(line, head);
  else if (limits.maxHeaderBytes === undefined) {
    const fields = DEFAULTS.maxHeaderBytes - DEFAULTS.maxRequestLineBytes;
    settings.maxHeaderBytes = Math.max(head, line + fields);
  } else if (head <= line) {
    throw new SettingError("maxHeaderBytes", `expected more than a request line may have (${line} bytes), got ${head}`);
  }
}
