// The limits of an engine, their defaults and the reasons for these. Flags and environment variables are read in src/cli.

import type { BodyPolicy } from "../connection/options.ts";

/** Limits for what clients send and for how long they take. */
export interface Limits {
  /**
   * When the application runs: `auto` reads a body of up to 64 KiB first, `whole` every body, `stream` none. A body of more
   * than 256 KiB that is read first is kept in a private temporary file, in the directory that TMPDIR names. The file is
   * removed when the request ends.
   * @default {"stream"}
   */
  body?: BodyPolicy | undefined;
  /**
   * Most bytes of a request's body; more is answered with 413. 0 means no limit.
   * @default {1073741824} 1 GiB
   */
  maxBodyBytes?: number | undefined;
  /**
   * Most bytes of a request's head, request line included; more is answered with 431.
   * @default {32768} 32 KiB, or 24 KiB more than `maxRequestLineBytes` if that is more
   */
  maxHeaderBytes?: number | undefined;
  /**
   * Most bytes of a request line, 1 to 65536; a longer one is answered with 414.
   * @default {8192} 8 KiB, or `maxHeaderBytes` if that is less
   */
  maxRequestLineBytes?: number | undefined;
  /**
   * Most bytes of a message that a WebSocket takes, inflated if it was compressed; more closes it with 1009.
   * @default {67108864} 64 MiB
   */
  maxMessageBytes?: number | undefined;
  /**
   * Milliseconds from the first byte of a head to its last; then 408. A TLS handshake has the same limit, from the accept.
   * @default {10000}
   */
  headerTimeoutMs?: number | undefined;
  /**
   * Least bytes per second of a body, after the first 10 s of waiting for it; less is answered with 408. 0 means no limit.
   * @default {240}
   */
  minBodyRate?: number | undefined;
  /**
   * Milliseconds without progress after which a write is given up and the connection closed. 0 means no limit.
   * @default {60000}
   */
  writeTimeoutMs?: number | undefined;
  /**
   * Milliseconds that a connection may idle between requests. 0 closes it after each answer.
   * @default {65000}
   */
  keepAliveMs?: number | undefined;
  /**
   * Most connections at once, 1 or more. Further connections wait in the system's queue.
   * @default {10000}
   */
  maxConnections?: number | undefined;
  /**
   * Most requests that handlers answer at once. As many more wait, and others are answered with 503 and Retry-After. A request
   * counts until its answer is sent. 0 means no limit.
   * @default {0}
   */
  maxInFlight?: number | undefined;
  /**
   * Milliseconds that a graceful stop waits for requests that are under way.
   * @default {30000}
   */
  gracefulTimeoutMs?: number | undefined;
  /**
   * Milliseconds that a connection may idle once a graceful stop has begun. In this time a busy client sends one more
   * request, which is answered with `connection: close`. Otherwise its request could reach a connection that is closed.
   * @default {0}
   */
  lastIdleMs?: number | undefined;
  /**
   * Milliseconds to go on accepting after a graceful stop has begun.
   * @default {0}
   */
  drainDelayMs?: number | undefined;
  /**
   * Path that starts with "/" and that the engine answers itself: 200 while it serves, 503 once it drains.
   * @default {undefined} no such path
   */
  health?: string | undefined;
}

/** All limits, with the defaults filled in. */
export type Settings =
  & { [Name in Exclude<keyof Limits, "health">]-?: Exclude<Limits[Name], undefined> }
  & { health?: string };

/** The library's defaults, each with its reason. */
export const DEFAULTS: Settings = {
  body: "stream",
  maxBodyBytes: 1024 ** 3, // allows a video, but not a disk image
  maxHeaderBytes: 32 * 1024, // room for many cookies, but too little for an attack on memory
  maxRequestLineBytes: 8 * 1024, // what common servers take; RFC 9112, section 3, asks for 8000 at least
  maxMessageBytes: 64 * 1024 ** 2, // a photo, but not a video: a message is kept in memory
  headerTimeoutMs: 10_000, // a head is one packet or two
  minBodyRate: 240, // one packet in six seconds: only an attack is slower
  writeTimeoutMs: 60_000, // a client that takes nothing for that long has left
  keepAliveMs: 65_000, // longer than the 60 s of common load balancers, so that they close first
  maxConnections: 10_000, // about what the usual descriptor limit and 100 MiB carry
  maxInFlight: 0, // only the application knows how many it can answer
  gracefulTimeoutMs: 30_000, // the default time that Kubernetes waits before it kills
  lastIdleMs: 0, // a stop ends at once if no request is under way
  drainDelayMs: 0, // only of use with a load balancer that reads the health path
};

/** Largest value of `maxRequestLineBytes`. Signed URLs of single sign-on have up to some 20 KiB. */
const MAX_REQUEST_LINE_BYTES = 64 * 1024;

/** Thrown for a limit that is out of range. */
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
 * Checks limits and fills in the defaults.
 *
 * @param limits those that are set
 * @returns all limits
 * @throws {SettingError} if a limit is out of range or has an unknown value
 */
export function settle(limits: Limits): Settings {
  const settings: Settings = { ...DEFAULTS };
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined || !(Object.hasOwn(DEFAULTS, name) || name === "health")) continue;
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

/** A head contains its request line. If only one of the two limits is set, the other is adapted to it. */
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

/**
 * Reads a list of addresses as an option gives it.
 *
 * @param value a list of texts, a text with commas, or undefined for none
 * @returns the texts, which are not checked; null if it is something else
 */
export function addressList(value: unknown): readonly string[] | null {
  const list = typeof value === "string" ? value.split(",").map((text) => text.trim()) : value ?? [];
  return Array.isArray(list) && list.every((text) => typeof text === "string") ? list : null;
}
